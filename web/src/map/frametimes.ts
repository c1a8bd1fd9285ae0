/** Frames slower than this, at the 95th percentile, are seen. */
export const SLOW_MS = 40;
/** For how long frames must be slow, or quick, before something is done about it. */
export const JUDGED_MS = 3_000;
/** Frames this quick leave room for more. */
const QUICK_MS = 20;
const RELAX_MS = 30_000;
/** A longer wait is no slow frame: nothing was drawn meanwhile. */
const IDLE_MS = 1_000;

/** Judges how well a page keeps up by the times between its pictures. */
export class FrameTimes {
  #times: number[] = [];
  #spent = 0;
  #last = 0;
  #quickFor = 0;
  /** The first pictures of a page are slow for other reasons. */
  #warm = false;

  /** Notes a picture; says what to do about it: draw less, or more again. */
  note(now: number): 'less' | 'more' | undefined {
    const took = now - this.#last;
    this.#last = now;
    if (took <= 0 || took > IDLE_MS) return undefined;
    this.#times.push(took);
    this.#spent += took;
    return this.#spent >= JUDGED_MS ? this.#judge() : undefined;
  }

  #judge(): 'less' | 'more' | undefined {
    const sorted = this.#times.sort((a, b) => a - b);
    const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
    this.#quickFor = p95 < QUICK_MS ? this.#quickFor + this.#spent : 0;
    this.#times = [];
    this.#spent = 0;
    if (!this.#warm) {
      this.#warm = true;
      return undefined;
    }
    if (p95 > SLOW_MS) return 'less';
    if (this.#quickFor < RELAX_MS) return undefined;
    this.#quickFor = 0;
    return 'more';
  }
}
