import { createSignal, type Accessor } from 'solid-js';
import type { Missed, Sink, Status } from '../stream/transport';
import type { Blip, GeoRemoval, Post, PostRemoval } from './events';
import { FeedQueue } from './feedqueue';
import { Counters, HISTORY_S, type Figures } from './figures';
import { pageState, type PageState } from './state';

/** How often the feed may take in a post, in milliseconds: four a second. */
export const FEED_TICK_MS = 250;
/** How often figures, ages and the state are worked out anew, in milliseconds. */
export const VIEW_TICK_MS = 1_000;
/** How long a notice stays. */
const NOTICE_MS = 20_000;

/** The map as the session sees it. */
export interface MapSink {
  add(blip: Blip, past: boolean): void;
  remove(key: string): void;
  removeOf(removal: GeoRemoval): void;
  clear(): void;
  /** Stops all movement, or lets it go on. */
  freeze(frozen: boolean): void;
}

/** The feed as it is to be drawn; changes at most four times a second. */
export interface FeedView {
  rows: readonly Post[];
  /** Posts that wait for the hold, or the pause, to end. */
  held: number;
  /** Posts that arrive for each one shown; 1 if all are. */
  oneIn: number;
}

/** Everything else; changes once a second and whenever the connection does. */
export interface View {
  state: PageState;
  status: Status;
  figures: Figures;
  /** The gateway's clock as of the last tick, in milliseconds; stands still while paused. */
  now: number;
  paused: boolean;
  /** Events that arrived during the pause. */
  pausedCount: number;
  /** True once anything on the page was made up by a simulator. */
  simulated: boolean;
  /** What was missed, while it is news. */
  notice: Missed | undefined;
}

/** Tells a session which kinds its page shows. */
export interface SessionOptions {
  map?: MapSink;
  /** True if posts are read: then they, not the positions, are counted by country. */
  posts: boolean;
}

/**
 * All the page knows, fed by a transport, read by components as two signals.
 * Events touch plain objects only; the signals change at the pace of the two
 * ticks, so that 500 events a second draw no more than four do.
 */
export class Session implements Sink {
  readonly feed: Accessor<FeedView>;
  readonly view: Accessor<View>;
  readonly #setFeed: (view: FeedView) => void;
  readonly #setView: (view: View) => void;
  readonly #options: SessionOptions;
  readonly #queue = new FeedQueue();
  readonly #counters = new Counters(Date.now());
  #held = false;
  #eventAt = 0;
  #statusAt = Date.now();
  #noticeAt = 0;
  #pausedCount = 0;
  /** The gateway's clock minus this one, in milliseconds. */
  #skew = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    [this.feed, this.#setFeed] = createSignal<FeedView>({ rows: [], held: 0, oneIn: 1 });
    [this.view, this.#setView] = createSignal<View>({
      state: 'connecting',
      status: { phase: 'connecting' },
      figures: this.#counters.at(Date.now()),
      now: Date.now(),
      paused: false,
      pausedCount: 0,
      simulated: false,
      notice: undefined,
    });
  }

  /** Starts the two ticks; returns what stops them. */
  run(): () => void {
    const feed = setInterval(() => this.tickFeed(), FEED_TICK_MS);
    const view = setInterval(() => this.tickView(), VIEW_TICK_MS);
    return () => {
      clearInterval(feed);
      clearInterval(view);
    };
  }

  // The sink: what the transport tells.

  status(status: Status): void {
    this.#statusAt = Date.now();
    this.#update({ status });
    this.#freezeMap();
  }

  clock(serverMs: number): void {
    this.#skew = serverMs - Date.now();
  }

  post(post: Post, past: boolean): void {
    const second = this.#arrived(post, past);
    if (second !== undefined) {
      this.#counters.post(second);
      this.#counters.country(second, post.country);
    }
    if (past) this.#queue.offerPast(post);
    else this.#queue.offer(post, Math.floor(Date.now() / 1_000));
  }

  blip(blip: Blip, past: boolean): void {
    const second = this.#arrived(blip, past);
    if (second !== undefined) {
      this.#counters.blip(second);
      if (!this.#options.posts) this.#counters.country(second, blip.country);
    }
    this.#options.map?.add(blip, past);
  }

  postRemoved({ key }: PostRemoval): void {
    this.#eventAt = Date.now();
    this.#queue.remove(key);
    this.#options.map?.remove(key);
    this.#showFeed();
  }

  geoRemoved(removal: GeoRemoval): void {
    this.#eventAt = Date.now();
    this.#queue.removePlace(removal);
    this.#options.map?.removeOf(removal);
    this.#showFeed();
  }

  missed(missed: Missed): void {
    this.#noticeAt = Date.now();
    this.#counters.miss(missed.count);
    if (missed.stale) this.#forget();
    this.#update({ notice: missed });
  }

  // What the person does.

  /** Stops everything that moves or updates by itself, or lets it go on. */
  pause(paused: boolean): void {
    if (paused === this.view().paused) return;
    this.#update({ paused, pausedCount: 0 });
    this.#freezeMap();
    this.tickFeed();
    if (!paused) this.tickView();
  }

  /** Keeps the feed still while it is being read. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.tickFeed();
  }

  /** Shows the posts that were held, once. */
  release(): void {
    this.#queue.release();
    this.#showFeed();
  }

  /** Puts the notice away. */
  dismiss(): void {
    this.#update({ notice: undefined });
  }

  // The ticks.

  tickFeed(): void {
    this.#queue.tick(Math.floor(Date.now() / 1_000), this.#held || this.view().paused);
    this.#showFeed();
  }

  tickView(): void {
    const now = Date.now();
    const expired = this.#noticeAt + NOTICE_MS < now;
    this.#update({
      ...(expired ? { notice: undefined } : {}),
      ...(this.view().paused ? {} : { now: now + this.#skew, figures: this.#counters.at(now) }),
    });
  }

  /** Notes an arrival; returns the second to count it at, or undefined if it is too old to count. */
  #arrived(event: Post | Blip, past: boolean): number | undefined {
    const now = Date.now();
    this.#eventAt = now;
    if (event.simulated && !this.view().simulated) this.#update({ simulated: true });
    if (past) return this.#pastSecond(event.time, now);
    this.#counters.age(now + this.#skew - event.time, now);
    if (this.view().paused) this.#pausedCount += 1;
    return Math.floor(now / 1_000);
  }

  /** A past event counts at its own time, which fills the figures of a fresh page. */
  #pastSecond(time: number, now: number): number | undefined {
    const local = time - this.#skew;
    const recent = local <= now && local > now - HISTORY_S * 1_000;
    return recent ? Math.floor(local / 1_000) : undefined;
  }

  #forget(): void {
    this.#queue.clear();
    this.#options.map?.clear();
    this.#showFeed();
  }

  #freezeMap(): void {
    const { paused, status } = this.view();
    this.#options.map?.freeze(paused || status.phase !== 'open');
  }

  #showFeed(): void {
    const { rows, held } = this.#queue;
    const oneIn = this.#queue.oneIn(Math.floor(Date.now() / 1_000));
    const old = this.feed();
    if (rows === old.rows && held === old.held && oneIn === old.oneIn) return;
    this.#setFeed({ rows, held, oneIn });
  }

  #update(change: Partial<View>): void {
    const next = { ...this.view(), ...change };
    next.pausedCount = next.paused ? this.#pausedCount : 0;
    if (!next.paused) this.#pausedCount = 0;
    next.state = pageState({
      status: next.status,
      online: typeof navigator === 'undefined' || navigator.onLine !== false,
      paused: next.paused,
      statusAt: this.#statusAt,
      eventAt: this.#eventAt,
      latency: next.figures.latency,
      now: Date.now(),
    });
    this.#setView(next);
  }
}
