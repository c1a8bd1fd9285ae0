/** A tab that nobody looks at lets go of its connection after this long. */
export const HIDDEN_MS = 60_000;

/** What follows the life of a page. */
export interface Follower {
  /** Connects at once instead of waiting out a back-off. */
  retryNow(): void;
  /** Lets go of the connection while nobody looks at the page. */
  sleep(): void;
  /** Takes it up again. */
  wake(): void;
}

/**
 * Ties a reader to the life of the page: a hidden tab sleeps, a page that
 * is left lets go at once, a network that comes back is tried at once. Returns
 * a function that unties it.
 */
export function followPage(reader: Follower): () => void {
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const listeners = new AbortController();
  const on = (target: EventTarget, name: string, run: () => void) =>
    target.addEventListener(name, run, { signal: listeners.signal });

  const seen = () => {
    clearTimeout(hidden);
    if (document.visibilityState === 'hidden') hidden = setTimeout(() => reader.sleep(), HIDDEN_MS);
    else reader.wake();
  };
  on(document, 'visibilitychange', seen);
  // A page kept for the back button must not hold one of six connections.
  on(window, 'pagehide', () => reader.sleep());
  on(window, 'pageshow', () => reader.wake());
  on(window, 'online', () => reader.retryNow());
  return () => {
    clearTimeout(hidden);
    listeners.abort();
  };
}
