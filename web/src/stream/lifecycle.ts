import type { Transport } from './transport';

/** A tab that nobody looks at lets go of its connection after this long. */
export const HIDDEN_MS = 60_000;

/**
 * Ties a transport to the life of the page: a hidden tab sleeps, a page that
 * is left lets go at once, a network that comes back is tried at once. Returns
 * a function that unties it.
 */
export function followPage(transport: Transport): () => void {
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const listeners = new AbortController();
  const on = (target: EventTarget, name: string, run: () => void) =>
    target.addEventListener(name, run, { signal: listeners.signal });

  const seen = () => {
    clearTimeout(hidden);
    if (document.visibilityState === 'hidden') hidden = setTimeout(() => transport.sleep(), HIDDEN_MS);
    else transport.wake();
  };
  on(document, 'visibilitychange', seen);
  // A page kept for the back button must not hold one of six connections.
  on(window, 'pagehide', () => transport.sleep());
  on(window, 'pageshow', () => transport.wake());
  on(window, 'online', () => transport.retryNow());
  return () => {
    clearTimeout(hidden);
    listeners.abort();
  };
}
