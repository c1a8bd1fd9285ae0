import { Ages, type Latency } from './latency';
import { Seconds } from './seconds';
import type { Frame } from './events';

/** What this page counted itself. */
export interface Figures {
  /** Events a second that match the filter, over the last five whole seconds. */
  rate: number;
  /** Posts and positions a second, the same way. */
  posts: number;
  blips: number;
  /** Events a second per bucket over the last five minutes, oldest first. */
  history: number[];
  /** Ages of posts when they came, by their authors' clocks. */
  latency: Latency | undefined;
  /** Positions in the last minute. */
  positions: number;
  /** Events that this page was told it missed. */
  missed: number;
  /** Events that came, but faster than this page could draw them. */
  dropped: number;
}

/** The window of the throughput line, in seconds, and the width of one point of it. */
export const HISTORY_S = 300;
export const BUCKET_S = 3;
/** Rates are averaged over this many seconds: one second alone jumps about. */
const RATE_S = 5;

/** Counts what arrives, for the stats strip. */
export class Counters {
  readonly #events = new Seconds(HISTORY_S + BUCKET_S + 1);
  readonly #posts = new Seconds(HISTORY_S);
  readonly #blips = new Seconds(HISTORY_S);
  readonly #ages = new Ages();
  readonly #startedAt: number;
  missed = 0;
  dropped = 0;

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** Counts the events of a frame that came in a second. */
  add(second: number, totals: Frame['totals']): void {
    this.#events.add(second, totals.events);
    this.#posts.add(second, totals.posts);
    this.#blips.add(second, totals.blips);
  }

  /** Takes what was stored before the page was opened, per bucket from a second on. */
  past(fromSecond: number, bucket: number, counts: number[]): void {
    counts.forEach((count, i) => this.#events.add(fromSecond + i * bucket, count));
  }

  age(ageMs: number, now: number): void {
    this.#ages.add(ageMs, now);
  }

  /** The figures at a time in milliseconds since 1970. */
  at(now: number): Figures {
    const second = Math.floor(now / 1_000);
    const span = Math.min(RATE_S, Math.max(1, second - Math.floor(this.#startedAt / 1_000)));
    return {
      rate: this.#events.sum(second, span) / span,
      posts: this.#posts.sum(second, span) / span,
      blips: this.#blips.sum(second, span) / span,
      history: this.#history(second),
      latency: this.#ages.at(now),
      positions: this.#blips.sum(second, 60),
      missed: this.missed,
      dropped: this.dropped,
    };
  }

  /** Rates per bucket. Buckets lie on fixed seconds, so that points do not change once drawn. */
  #history(second: number): number[] {
    const end = second - (second % BUCKET_S);
    const counts = this.#events.last(end, HISTORY_S);
    return Array.from({ length: HISTORY_S / BUCKET_S }, (_, i) => {
      const bucket = counts.slice(i * BUCKET_S, (i + 1) * BUCKET_S);
      return bucket.reduce((sum, count) => sum + count, 0) / BUCKET_S;
    });
  }
}
