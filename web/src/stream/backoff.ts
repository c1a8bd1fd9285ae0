/** Shortest wait, so that a server which refuses at once is not hammered. */
const FLOOR_MS = 250;

/**
 * Waits between attempts to connect: uniformly random up to a ceiling that
 * doubles with each attempt (full jitter), so that the browsers of a gateway
 * that restarted do not all come back in the same moment.
 */
export class Backoff {
  #attempt = 0;

  constructor(
    private readonly baseMs = 1_000,
    private readonly capMs = 30_000,
    private readonly random: () => number = Math.random,
  ) {}

  /** How often next was called since the last reset. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    // Past 2^20 the ceiling has long been reached; Infinity would not help.
    const ceiling = Math.min(this.capMs, this.baseMs * 2 ** Math.min(this.#attempt, 20));
    this.#attempt += 1;
    return Math.round(FLOOR_MS + this.random() * Math.max(0, ceiling - FLOOR_MS));
  }

  /** Starts again from the shortest ceiling: a connection has proved itself. */
  reset(): void {
    this.#attempt = 0;
  }
}
