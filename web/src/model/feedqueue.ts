import type { GeoRemoval, Post } from './events';
import { isRemovedBy } from './ids';
import { Seconds } from './seconds';

/** Most cards in the feed. */
export const MAX_ROWS = 200;
/** Posts that may wait their turn while throttled; beyond that the feed shows a sample. */
const BACKLOG = 8;
const SEEN_MAX = 4_000;
const RATE_WINDOW_S = 10;

/**
 * Decides which posts become cards and when. A person reads about four new
 * posts a second at best: throttled, `tick` lets through as many as asked for;
 * small bursts wait their turn, and beyond that the oldest are passed over.
 * While the feed is held, what would have been shown waits in `ready`.
 */
export class FeedQueue {
  #rows: Post[] = [];
  #ready: Post[] = [];
  #waiting: Post[] = [];
  #readyCount = 0;
  #credit = 0;
  /** The first second that is counted. */
  #since = 0;
  readonly #seen = new Set<string>();
  #offered = new Seconds(RATE_WINDOW_S + 1);
  #shown = new Seconds(RATE_WINDOW_S + 1);

  /** The cards, newest first; a new array whenever they changed. */
  get rows(): readonly Post[] {
    return this.#rows;
  }

  /** How many posts wait for the hold to end; may exceed what will be shown. */
  get held(): number {
    return this.#readyCount;
  }

  /** Counts posts that happened, of which those that are offered may be a sample. */
  happened(count: number, second: number): void {
    this.#offered.add(second, count);
  }

  /** Takes a post that arrives now. A key seen before is ignored: repeats, and posts removed before they came. */
  offer(post: Post): void {
    if (!this.#remember(post.key)) return;
    this.#waiting.push(post);
    // While ticks do not come (a hidden tab) the newest are kept.
    if (this.#waiting.length > MAX_ROWS) this.#waiting.shift();
  }

  /** Takes a post stored before the page connected: shown without waiting, newest first. */
  offerPast(post: Post): void {
    if (this.#remember(post.key)) this.#makeReady([post]);
  }

  /** Lets `most` posts through, a fraction counting towards the next; shows what is ready unless the feed is held. */
  tick(second: number, held: boolean, most: number): void {
    const next = this.#next(most);
    this.#shown.add(second, next.length);
    this.#makeReady(next);
    if (!held) this.release();
  }

  /** Shows everything that is ready. */
  release(): void {
    if (this.#ready.length > 0) {
      this.#rows = [...this.#ready.toReversed(), ...this.#rows].slice(0, MAX_ROWS);
    }
    this.#ready = [];
    this.#readyCount = 0;
  }

  /** Posts a second that became cards, over the last whole seconds; undefined before there was one. */
  shownRate(second: number): number | undefined {
    const span = Math.min(RATE_WINDOW_S, second - this.#since);
    return span > 0 ? this.#shown.sum(second, span) / span : undefined;
  }

  /** How many posts happened for each that is shown, over the last seconds; 1 if all are. */
  oneIn(second: number): number {
    const shown = this.#shown.sum(second, RATE_WINDOW_S);
    const offered = this.#offered.sum(second, RATE_WINDOW_S);
    // What still waits its turn makes small differences that are not sampling.
    return shown > 0 && offered > shown + BACKLOG ? offered / shown : 1;
  }

  /** Removes a post wherever it is, and keeps it away if it comes later. */
  remove(key: string): void {
    this.#remember(key);
    const others = (post: Post) => post.key !== key;
    const ready = this.#ready.filter(others);
    this.#readyCount -= this.#ready.length - ready.length;
    this.#ready = ready;
    this.#waiting = this.#waiting.filter(others);
    if (!this.#rows.every(others)) this.#rows = this.#rows.filter(others);
  }

  /** Takes the place off an author's posts: their cards stay, without a country. */
  removePlace(removal: GeoRemoval): void {
    const reached = (post: Post) => post.country + post.city !== '' && isRemovedBy(post, removal);
    const strip = (post: Post) => (reached(post) ? { ...post, country: '', city: '' } : post);
    this.#ready = this.#ready.map(strip);
    this.#waiting = this.#waiting.map(strip);
    if (this.#rows.some(reached)) this.#rows = this.#rows.map(strip);
  }

  /** Forgets everything on display: it can no longer be vouched for. */
  clear(): void {
    this.#rows = [];
    this.#ready = [];
    this.#waiting = [];
    this.#readyCount = 0;
    this.#seen.clear();
  }

  /** Forgets how many posts were shown and offered: what comes from a second on is something else. */
  recount(second: number): void {
    this.#since = second;
    this.#shown = new Seconds(RATE_WINDOW_S + 1);
    this.#offered = new Seconds(RATE_WINDOW_S + 1);
  }

  /** The next posts: the newest few wait their turn, what is older is passed over. */
  #next(most: number): Post[] {
    if (most !== Number.POSITIVE_INFINITY) this.#waiting = this.#waiting.slice(-Math.max(BACKLOG, most));
    this.#credit = Math.min(this.#credit + most, Math.max(1, most));
    const next = this.#waiting.splice(0, Math.min(this.#waiting.length, Math.floor(this.#credit)));
    this.#credit -= Math.floor(this.#credit);
    if (!Number.isFinite(this.#credit)) this.#credit = 0;
    return next;
  }

  #makeReady(posts: Post[]): void {
    this.#ready.push(...posts);
    this.#readyCount += posts.length;
    if (this.#ready.length > MAX_ROWS) this.#ready = this.#ready.slice(-MAX_ROWS);
  }

  /** Notes a key; false if it was known. The oldest are forgotten. */
  #remember(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > SEEN_MAX) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }
}
