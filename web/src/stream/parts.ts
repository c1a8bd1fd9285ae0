import type { PartStatusJson, StatsJson } from '../gen/blipstream/feed/v1/gateway_pb';
import type { Part } from '../model/parts';

/** How often a page that is seen asks how the parts of the line are. */
export const ASK_EVERY_MS = 10_000;
/** An answer that takes longer is none. */
const TIMEOUT_MS = 5_000;
/** Most parts shown: a line of text each. */
const MAX_PARTS = 20;
const MAX_TEXT = 120;

/** Reads the parts out of the gateway's statistics; nothing of what is not as it should be. */
export function decodeParts(stats: unknown): Part[] {
  const parts: unknown = (stats as StatsJson | null)?.parts;
  if (!Array.isArray(parts)) return [];
  return (parts as (PartStatusJson | null)[])
    .map((raw) => ({
      name: text(raw?.name),
      state: text(raw?.state),
      detail: text(raw?.detail),
      retryAt: time(raw?.retryTime),
      itemAt: time(raw?.itemTime),
    }))
    .filter(({ name, state }) => name && state)
    .slice(0, MAX_PARTS);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : '';
}

function time(value: unknown): number {
  return (typeof value === 'string' && Date.parse(value)) || 0;
}

/**
 * Asks for the parts now, whenever the page is seen again, and every ten
 * seconds while it is. Without an answer nothing is known of them. Returns
 * what ends it.
 */
export function followParts(take: (parts: Part[]) => void): () => void {
  const listening = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') return;
    timer = setTimeout(ask, ASK_EVERY_MS);
    const parts = await fetchParts();
    if (!listening.signal.aborted) take(parts);
  };
  document.addEventListener('visibilitychange', ask, { signal: listening.signal });
  void ask();
  return () => {
    clearTimeout(timer);
    listening.abort();
  };
}

async function fetchParts(): Promise<Part[]> {
  try {
    const response = await fetch('/api/stats', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? decodeParts(await response.json()) : [];
  } catch {
    return [];
  }
}
