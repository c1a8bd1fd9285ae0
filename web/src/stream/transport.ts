import type { Frame } from '../model/events';
import type { Stats } from '../model/stats';

/** Where a connection is in its life. Times are Date.now() milliseconds. */
export type Status =
  | { phase: 'connecting' }
  | { phase: 'open' }
  | { phase: 'waiting'; until: number; attempt: number }
  /** The gateway will not serve this: 401 wants a sign-in, 400 does not understand the filter. */
  | { phase: 'refused'; code: number; detail: string }
  | { phase: 'asleep' }
  | { phase: 'closed' };

/** What a reader did not get and never will. */
export interface Missed {
  /** Why, in the words of the gateway's Gap, or "away" for a page that slept too long; "" if that is no news. */
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
 * Takes what a transport receives. `past` marks what the gateway had stored
 * before the page was opened: it fills the page, but says nothing about the
 * present rate or latency.
 */
export interface Sink {
  status(status: Status): void;
  /** The gateway's clock, in milliseconds since 1970. */
  clock(serverMs: number): void;
  frame(frame: Frame, past: boolean): void;
  stats(stats: Stats): void;
  missed(missed: Missed): void;
}

/** What a connection says, as it says it; may cross from one thread to another. */
export type Told = { status: Status } | { name: string; data: string; id: string };
/** Takes what a connection says, with the turn under which it was opened. */
export type Listener = (told: Told, turn: number) => void;

/** A way to a connection that may be shared. It says one thing after another to its one listener. */
export interface Channel {
  /**
   * Reads the stream at an address (path and query) from now on, and no other.
   * What was on its way from an earlier one is known by its turn.
   */
  open(address: string, turn: number): void;
  close(): void;
  /** Connects at once instead of waiting out a back-off. */
  retry(): void;
}
