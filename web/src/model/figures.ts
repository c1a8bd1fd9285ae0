import { Ages, type Latency } from './latency';
import { Countries, type CountryCount } from './countries';
import { Seconds } from './seconds';

/** What the stats strip shows. */
export interface Figures {
  /** Events a second, over the last five whole seconds. */
  rate: number;
  /** Posts and positions a second, the same way. */
  posts: number;
  blips: number;
  /** Events per bucket over the last five minutes, oldest first. */
  history: number[];
  latency: Latency | undefined;
  countries: CountryCount[];
  /** Positions in the last minute. */
  positions: number;
  /** Events that this page was told it missed. */
  missed: number;
}

/** The window of the throughput line, in seconds, and the width of one point of it. */
export const HISTORY_S = 300;
export const BUCKET_S = 3;
/** Rates are averaged over this many seconds: one second alone jumps about. */
const RATE_S = 5;
const TOP_COUNTRIES = 5;

/** Counts what arrives, for the stats strip. */
export class Counters {
  readonly #events = new Seconds(HISTORY_S + BUCKET_S + 1);
  readonly #posts = new Seconds(HISTORY_S);
  readonly #blips = new Seconds(HISTORY_S);
  readonly #ages = new Ages();
  readonly #countries = new Countries();
  readonly #startedAt: number;
  #missed = 0;

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** Counts an event of either kind at a second: its arrival, or its own time if it is past. */
  event(second: number): void {
    this.#events.add(second);
  }

  post(second: number): void {
    this.event(second);
    this.#posts.add(second);
  }

  blip(second: number): void {
    this.event(second);
    this.#blips.add(second);
  }

  country(second: number, code: string): void {
    this.#countries.add(second, code);
  }

  age(ageMs: number, now: number): void {
    this.#ages.add(ageMs, now);
  }

  miss(count: number): void {
    this.#missed += count;
  }

  /** The figures at a time in milliseconds since 1970. */
  at(now: number): Figures {
    const second = Math.floor(now / 1_000);
    const span = this.#span(second);
    return {
      rate: this.#events.sum(second, span) / span,
      posts: this.#posts.sum(second, span) / span,
      blips: this.#blips.sum(second, span) / span,
      history: this.#history(second),
      latency: this.#ages.at(now),
      countries: this.#countries.top(second, TOP_COUNTRIES),
      positions: this.#blips.sum(second, 60),
      missed: this.#missed,
    };
  }

  /** A page open for two seconds has no five seconds to average over. */
  #span(second: number): number {
    return Math.min(RATE_S, Math.max(1, second - Math.floor(this.#startedAt / 1_000)));
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
