import type { Blip, GeoRemoval, Post, PostRemoval } from '../model/events';

/** Where a connection is in its life. Times are Date.now() milliseconds. */
export type Status =
  | { phase: 'connecting' }
  | { phase: 'open' }
  | { phase: 'waiting'; until: number; attempt: number }
  | { phase: 'asleep' }
  | { phase: 'closed' };

/** What a reader did not get and never will. */
export interface Missed {
  /** Why, in the words of the gateway's Gap, or "away" for a page that slept too long. */
  reason: string;
  /** How many events at most; 0 if unknown. */
  count: number;
  /**
   * True if removals may be among what is missing: then nothing received
   * before can be vouched for.
   */
  stale: boolean;
}

/**
 * Takes what a transport receives. `past` marks events that the gateway had
 * stored before the connection was opened: they fill the page, but say nothing
 * about the present rate or latency.
 */
export interface Sink {
  status(status: Status): void;
  /** The gateway's clock, in milliseconds since 1970, told with hello and hb. */
  clock(serverMs: number): void;
  post(post: Post, past: boolean): void;
  blip(blip: Blip, past: boolean): void;
  postRemoved(removal: PostRemoval): void;
  geoRemoved(removal: GeoRemoval): void;
  missed(missed: Missed): void;
}

/** A connection to a gateway that looks after itself until it is stopped. */
export interface Transport {
  start(sink: Sink): void;
  stop(): void;
  /** Connects at once instead of waiting out a back-off. */
  retryNow(): void;
  /** Lets go of the connection while nobody looks at the page. */
  sleep(): void;
  /** Takes it up again. */
  wake(): void;
}
