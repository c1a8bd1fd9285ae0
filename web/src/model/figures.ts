import { Ages, type Latency } from './latency';
import { Seconds } from './seconds';
import type { Frame } from './events';

/** What this page counted itself. */
export interface Figures {
  /**
   * Events a second that match the filter, over the last five whole seconds of
   * this connection; undefined before there was one.
   */
  rate: number | undefined;
  /** Posts and positions a second, the same way. */
  posts: number | undefined;
  blips: number | undefined;
  /** Events a second per bucket, oldest first: of the last five minutes as much as is known. */
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
/** Points of the throughput line. */
export const BUCKETS = HISTORY_S / BUCKET_S;

/** Counts what arrives, for the stats strip. */
export class Counters {
  readonly #events = new Seconds(HISTORY_S + BUCKET_S + 1);
  /** What this connection counted, which the past does not replace. */
  readonly #own = new Seconds(RATE_S + 1);
  readonly #posts = new Seconds(HISTORY_S);
  readonly #blips = new Seconds(HISTORY_S);
  readonly #ages = new Ages();
  /** The first whole second of the present connection; before it, nothing is known of a second for sure. */
  #since: number | undefined;
  /** The first second that the throughput line knows of. */
  #knownFrom = Number.POSITIVE_INFINITY;
  missed = 0;
  dropped = 0;

  /** Notes that a connection opened at a time in milliseconds since 1970. */
  opened(now: number): void {
    // What was missed comes at once, in the second of the opening.
    this.#since = Math.floor(now / 1_000) + 1;
    this.#knownFrom = Math.min(this.#knownFrom, this.#ownFrom());
  }

  /** Counts the events of a frame that came in a second. */
  add(second: number, totals: Frame['totals']): void {
    this.#events.add(second, totals.events);
    this.#own.add(second, totals.events);
    this.#posts.add(second, totals.posts);
    this.#blips.add(second, totals.blips);
  }

  /**
   * Takes what was stored before this connection, per bucket from a second on,
   * in place of what was counted: while there was none, nothing came, and what
   * was missed came all at once. Clocks differ: its steps are laid on this
   * page's.
   */
  past(fromSecond: number, bucket: number, counts: number[]): void {
    const first = Math.round(fromSecond / bucket) * bucket;
    this.#knownFrom = Math.min(this.#knownFrom, first);
    counts.forEach((count, i) => {
      const start = first + i * bucket;
      if (start + bucket > this.#ownFrom()) return;
      for (let s = 0; s < bucket; s += 1) this.#events.set(start + s, s === 0 ? count : 0);
    });
  }

  age(ageMs: number, now: number): void {
    this.#ages.add(ageMs, now);
  }

  /** The figures at a time in milliseconds since 1970. */
  at(now: number): Figures {
    const second = Math.floor(now / 1_000);
    const span = Math.min(RATE_S, second - (this.#since ?? second));
    const rate = (seconds: Seconds) => (span > 0 ? seconds.sum(second, span) / span : undefined);
    return {
      rate: rate(this.#own),
      posts: rate(this.#posts),
      blips: rate(this.#blips),
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
    const known = Math.max(0, Math.min(BUCKETS, Math.floor((end - this.#knownFrom) / BUCKET_S)));
    const counts = this.#events.last(end, known * BUCKET_S);
    return Array.from({ length: known }, (_, i) => {
      const bucket = counts.slice(i * BUCKET_S, (i + 1) * BUCKET_S);
      return bucket.reduce((sum, count) => sum + count, 0) / BUCKET_S;
    });
  }

  /** The second from which on this connection alone knows whole buckets. */
  #ownFrom(): number {
    return this.#since === undefined ? Number.POSITIVE_INFINITY : Math.ceil(this.#since / BUCKET_S) * BUCKET_S;
  }
}
