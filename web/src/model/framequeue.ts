import type { Frame } from './events';

/** Most frames that wait to be drawn: three tenths of a second. */
const MAX_WAITING = 3;

/** What a frame queue calls, and what tests replace. */
export interface Drain {
  /** Draws a frame. */
  draw(frame: Frame): void;
  /** Takes what must not be lost of a frame that is not drawn: its removals and totals. */
  absorb(frame: Frame): void;
  /** Runs something before the next picture; undefined if there will be none, as in a hidden page. */
  schedule(run: () => void): boolean;
}

/**
 * Frames on their way to the screen, drained once per picture. A page that
 * draws slower than frames come does not fall behind: the oldest are absorbed.
 */
export class FrameQueue {
  #waiting: Frame[] = [];
  #scheduled = false;

  constructor(private readonly drain: Drain) {}

  push(frame: Frame): void {
    this.#waiting.push(frame);
    if (this.#waiting.length > MAX_WAITING) this.drain.absorb(this.#waiting.shift()!);
    if (!this.#scheduled) this.#schedule();
  }

  /** Draws what waits, at once. */
  flush(): void {
    this.#scheduled = false;
    const frames = this.#waiting;
    this.#waiting = [];
    for (const frame of frames) this.drain.draw(frame);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
  }

  #schedule(): void {
    this.#scheduled = this.drain.schedule(() => this.flush());
    if (!this.#scheduled) this.flush();
  }
}

/** The browser's own schedule; a hidden page has none. */
export function beforePicture(run: () => void): boolean {
  if (typeof requestAnimationFrame !== 'function' || document.visibilityState === 'hidden') return false;
  requestAnimationFrame(run);
  return true;
}
