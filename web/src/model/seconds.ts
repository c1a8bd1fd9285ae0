/**
 * Counts per second over a sliding window. Time is handed in as seconds, so
 * that a paused or sleeping page simply has zeros where it did not count.
 */
export class Seconds {
  readonly #counts: Float64Array;
  #newest = Number.NEGATIVE_INFINITY;

  constructor(readonly length: number) {
    this.#counts = new Float64Array(length);
  }

  /** Adds n to the second; one that has left the window is ignored. */
  add(second: number, n = 1): void {
    this.#advance(second);
    if (second <= this.#newest - this.length) return;
    this.#counts[this.#slot(second)]! += n;
  }

  /** Says what the count of a second is; one that has left the window is ignored. */
  set(second: number, n: number): void {
    this.#advance(second);
    if (second > this.#newest - this.length) this.#counts[this.#slot(second)] = n;
  }

  /** Sum of the last n whole seconds before `second`. */
  sum(second: number, n: number): number {
    return this.last(second, n).reduce((total, count) => total + count, 0);
  }

  /** The last n whole seconds before `second`, oldest first. */
  last(second: number, n: number): number[] {
    this.#advance(second);
    return Array.from({ length: n }, (_, i) => this.#at(second - n + i));
  }

  #at(second: number): number {
    const inside = second <= this.#newest && second > this.#newest - this.length;
    return inside ? this.#counts[this.#slot(second)]! : 0;
  }

  #advance(second: number): void {
    if (second <= this.#newest) return;
    const stale = Math.min(this.length, second - this.#newest);
    for (let i = 0; i < stale; i += 1) this.#counts[this.#slot(second - i)] = 0;
    this.#newest = second;
  }

  #slot(second: number): number {
    return ((second % this.length) + this.length) % this.length;
  }
}
