/** What a part of the line says of itself. Times are milliseconds since 1970, by the part's clock; 0 is none. */
export interface Part {
  /** "bridge", or "ingest.<source>". */
  name: string;
  /** One word; new ones may come. */
  state: string;
  detail: string;
  /** When it tries again. */
  retryAt: number;
  /** When its last item came. */
  itemAt: number;
  /** How often its connection has ended since its process began. */
  reconnects: number;
  /** How many items the upstream says it held back, since then. */
  missed: number;
  /** How often items may be missing that the upstream does not send any more, since then. */
  gaps: number;
}

/** How a part is: well, of no concern, in a trouble that may pass, or in one that will not. */
export type Mood = 'ok' | 'calm' | 'warn' | 'err';

const MOODS: Record<string, Mood> = {
  live: 'ok',
  working: 'ok',
  away: 'warn',
  backoff: 'warn',
  stalled: 'warn',
  failed: 'err',
};

/** Judges a part by its state. */
export function moodOf({ state }: Part): Mood {
  return MOODS[state] ?? 'calm';
}

/** True if somebody may want to do something about it. */
export function isTrouble(part: Part): boolean {
  return ['warn', 'err'].includes(moodOf(part));
}
