import type { Latency } from './latency';
import type { Part } from './parts';

/** How often something occurred. */
export interface Count {
  name: string;
  count: number;
}

/** What may be ranked: countries of positions, languages and hashtags of posts. */
export type Rank = 'countries' | 'langs' | 'tags';

/** The windows of the statistics, in minutes. */
export const WINDOWS = [1, 5, 60] as const;
/** One of them. */
export type Minutes = (typeof WINDOWS)[number];

/** A stretch of time up to now: what is most frequent in it, the most frequent first. */
export type Ranks = Record<Rank, Count[]>;

/** What the gateway says once a second of all that passes it, whatever this page's filter. */
export interface Stats {
  /** Events in the last second. */
  rate: number;
  simulated: boolean;
  windows: Partial<Record<Minutes, Ranks>>;
  /** From the arrival of an item to the gateway. */
  latency: Latency | undefined;
  /** Items that wait to be made events; undefined if that is not known. */
  backlog: number | undefined;
  /** Names of the sources that have sent something. */
  sources: string[];
  parts: Part[];
}

/** Before the gateway has said anything. */
export const NO_STATS: Stats = {
  rate: 0,
  simulated: false,
  windows: {},
  latency: undefined,
  backlog: undefined,
  sources: [],
  parts: [],
};
