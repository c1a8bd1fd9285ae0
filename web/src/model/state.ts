import type { Status } from '../stream/transport';
import { isTrouble, type Part } from './parts';
import type { Stats } from './stats';

/** What the pill at the top says. */
export type PageState =
  | 'connecting'
  | 'live'
  | 'lagging'
  | 'paused'
  | 'replay'
  | 'reconnecting'
  | 'offline'
  | 'signin'
  | 'refused'
  | 'empty'
  | 'quiet'
  | 'down';

/** A source that sent nothing for this long is called quiet. */
export const QUIET_MS = 120_000;
/** A fresh connection may take this long until its first event before the page says it is empty. */
export const EMPTY_MS = 3_000;
/** A source in trouble is told once nothing has come for this long. */
export const DOWN_MS = 5_000;
/** Events this much behind are called lagging. */
export const LAGGING_MS = 5_000;
/** Posts older than this come from a recording: their age is no delay. */
export const RECORDED_MS = 86_400_000;

/** All that the state follows from. Times are Date.now() milliseconds. */
export interface Facts {
  status: Status;
  online: boolean;
  paused: boolean;
  replay: boolean;
  /** Last change of status. */
  statusAt: number;
  /** Last event; 0 if there was none. */
  eventAt: number;
  stats: Stats;
  now: number;
}

/** Derives the one state that matters most to the person at the page. */
export function pageState(facts: Facts): PageState {
  if (facts.status.phase !== 'open') return unconnected(facts);
  if (facts.paused) return 'paused';
  if (facts.replay) return 'replay';
  const silence = facts.now - Math.max(facts.eventAt, facts.statusAt);
  if (silence > DOWN_MS && sourcesDown(facts.stats.parts)) return 'down';
  if (facts.eventAt === 0) return silence > EMPTY_MS ? 'empty' : 'connecting';
  if (facts.now - facts.eventAt > QUIET_MS) return 'quiet';
  return isLagging(facts.stats) ? 'lagging' : 'live';
}

function unconnected({ status, online, eventAt }: Facts): PageState {
  if (status.phase === 'refused') return status.code === 400 ? 'refused' : 'signin';
  if (!online) return 'offline';
  if (status.phase === 'connecting' && eventAt === 0) return 'connecting';
  return 'reconnecting';
}

/** Reports whether there are sources, and none of them works. */
export function sourcesDown(parts: Part[]): boolean {
  const sources = parts.filter(({ name }) => name.startsWith('ingest.'));
  return sources.length > 0 && sources.every(isTrouble);
}

/** Judged by the line's own clocks: the times of authors are not to be trusted for this. */
function isLagging({ latency }: Stats): boolean {
  return latency !== undefined && latency.p95 > LAGGING_MS && latency.p95 < RECORDED_MS;
}
