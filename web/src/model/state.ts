import type { Status } from '../stream/transport';
import type { Latency } from './latency';

/** What the pill at the top says. */
export type PageState =
  | 'connecting'
  | 'live'
  | 'lagging'
  | 'paused'
  | 'reconnecting'
  | 'offline'
  | 'empty'
  | 'quiet';

/** A source that sent nothing for this long is called quiet. */
export const QUIET_MS = 120_000;
/** A fresh connection may take this long until its first event before the page says it is empty. */
export const EMPTY_MS = 3_000;
/** Posts this much behind are called lagging. */
export const LAGGING_MS = 5_000;
/** Posts older than this come from a recording: their age is no delay. */
export const RECORDED_MS = 86_400_000;

/** All that the state follows from. Times are Date.now() milliseconds. */
export interface Facts {
  status: Status;
  online: boolean;
  paused: boolean;
  /** Last change of status. */
  statusAt: number;
  /** Last event; 0 if there was none. */
  eventAt: number;
  latency: Latency | undefined;
  now: number;
}

/** Derives the one state that matters most to the person at the page. */
export function pageState(facts: Facts): PageState {
  if (facts.status.phase !== 'open') return unconnected(facts);
  if (facts.paused) return 'paused';
  const silence = facts.now - Math.max(facts.eventAt, facts.statusAt);
  if (facts.eventAt === 0) return silence > EMPTY_MS ? 'empty' : 'connecting';
  if (facts.now - facts.eventAt > QUIET_MS) return 'quiet';
  return lagging(facts.latency) ? 'lagging' : 'live';
}

function unconnected({ status, online, eventAt }: Facts): PageState {
  if (!online) return 'offline';
  if (status.phase === 'connecting' && eventAt === 0) return 'connecting';
  return 'reconnecting';
}

/**
 * Judged by the median: the ages are by the authors' clocks, and a few
 * back-dated posts would otherwise report a delay that nobody has.
 */
function lagging(latency: Latency | undefined): boolean {
  return latency !== undefined && latency.p50 > LAGGING_MS && latency.p50 < RECORDED_MS;
}
