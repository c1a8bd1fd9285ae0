/** Median and 95th percentile of the ages of recent events, in milliseconds. */
export interface Latency {
  p50: number;
  p95: number;
}

const KEPT = 512;
const WINDOW_MS = 60_000;

/**
 * How old events are when they arrive, judged by the time their author's
 * source put on them: the store's own time does not come with an event. A
 * source that counts whole seconds, or a back-dated post, shows as age.
 */
export class Ages {
  readonly #ages = new Float64Array(KEPT);
  readonly #seen = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY);
  #next = 0;

  /** Notes that an event of this age arrived now. An age below zero is a clock that runs ahead. */
  add(ageMs: number, now: number): void {
    if (!Number.isFinite(ageMs)) return;
    this.#ages[this.#next] = Math.max(0, ageMs);
    this.#seen[this.#next] = now;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Percentiles of the last minute; undefined if nothing arrived. */
  at(now: number): Latency | undefined {
    const recent = this.#ages.filter((_, i) => this.#seen[i]! > now - WINDOW_MS).sort();
    if (recent.length === 0) return undefined;
    return { p50: percentile(recent, 0.5), p95: percentile(recent, 0.95) };
  }
}

function percentile(sorted: Float64Array, p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]!;
}
