import { createSignal, type Accessor } from 'solid-js';
import type { Missed, Sink, Status } from '../stream/transport';
import type { Blip, Frame, GeoRemoval, Post } from './events';
import { FeedQueue } from './feedqueue';
import { Counters, type Figures } from './figures';
import { beforePicture, FrameQueue } from './framequeue';
import { pageState, type PageState } from './state';
import { NO_STATS, type Stats } from './stats';

/** How often the feed may take in posts, in milliseconds. */
export const FEED_TICK_MS = 250;
/** How often figures, ages and the state are worked out anew, in milliseconds. */
export const VIEW_TICK_MS = 1_000;
/** How long a notice stays. */
const NOTICE_MS = 20_000;
/** How many posts a second a throttled feed shows, unless told otherwise. */
export const THROTTLE = 4;

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
  /** Posts that happen for each one shown; 1 if all are. */
  oneIn: number;
}

/** Everything else; changes once a second and whenever the connection does. */
export interface View {
  state: PageState;
  status: Status;
  figures: Figures;
  /** Cards a second; undefined before there were any seconds to count them in. */
  shown: number | undefined;
  stats: Stats;
  /** The gateway's clock as of the last tick, or in a replay the time replayed, in milliseconds. */
  now: number;
  paused: boolean;
  /** True while the past is read. */
  replay: boolean;
  /** Since when there has been no connection, by this device's clock: what is on display is as of then. 0 while there is one, and before the first. */
  lostAt: number;
  /** When this connection opened, by this device's clock; of the last one while there is none. */
  openedAt: number;
  /** Events that arrived during the pause. */
  pausedCount: number;
  /** When the last event came, by this device's clock; 0 if none did. */
  eventAt: number;
  /** True once anything on the page was made up by a simulator. */
  simulated: boolean;
  /** What was missed, while it is news. */
  notice: Missed | undefined;
}

/**
 * All the page knows, fed by a reader, read by components as two signals.
 * Frames touch plain objects only; the signals change at the pace of the two
 * ticks, so that 500 events a second draw no more than four do.
 */
export class Session implements Sink {
  readonly feed: Accessor<FeedView>;
  readonly view: Accessor<View>;
  readonly #setFeed: (view: FeedView) => void;
  readonly #setView: (view: View) => void;
  readonly #map: MapSink | undefined;
  readonly #queue = new FeedQueue();
  readonly #frames = new FrameQueue({
    draw: (frame) => this.#take(frame, false),
    absorb: (frame) => this.#absorb(frame),
    schedule: beforePicture,
  });
  #counters = new Counters();
  #held = false;
  #eventAt = 0;
  #statusAt = Date.now();
  #noticeAt = 0;
  #pausedCount = 0;
  #throttle = THROTTLE;
  /** The gateway's clock minus this one, in milliseconds. */
  #skew = 0;
  #replayed = 0;
  #tickedAt = 0;

  constructor(map?: MapSink) {
    this.#map = map;
    [this.feed, this.#setFeed] = createSignal<FeedView>({ rows: [], held: 0, oneIn: 1 });
    [this.view, this.#setView] = createSignal<View>({
      state: 'connecting',
      status: { phase: 'connecting' },
      figures: this.#counters.at(Date.now()),
      shown: undefined,
      stats: NO_STATS,
      now: Date.now(),
      paused: false,
      replay: false,
      lostAt: 0,
      openedAt: 0,
      pausedCount: 0,
      eventAt: 0,
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

  // The sink: what the reader tells.

  status(status: Status): void {
    const now = Date.now();
    const [was, is] = [this.view().status.phase === 'open', status.phase === 'open'];
    if (is && !was) this.#opened(now);
    this.#statusAt = now;
    this.#update({ status, ...(was && !is ? { lostAt: now } : {}) });
    this.#freezeMap();
  }

  clock(serverMs: number): void {
    this.#skew = serverMs - Date.now();
  }

  frame(frame: Frame, past: boolean): void {
    if (past) this.#take(frame, true);
    else this.#frames.push(frame);
  }

  stats(stats: Stats): void {
    this.#update({ stats, ...(stats.simulated ? { simulated: true } : {}) });
  }

  missed(missed: Missed): void {
    this.#counters.missed += missed.count;
    if (missed.stale) this.#forget();
    if (!missed.reason) return;
    this.#noticeAt = Date.now();
    this.#update({ notice: missed });
  }

  // What the page does.

  /** Begins anew: something else will be read from now on; a replay from a time of the past. */
  reset(replayFrom?: number): void {
    this.#countAnew();
    this.#eventAt = 0;
    this.#replayed = replayFrom ?? 0;
    this.#statusAt = Date.now();
    this.#queue.recount(Number.POSITIVE_INFINITY);
    this.#forget();
    this.#update({ status: { phase: 'connecting' }, lostAt: 0, replay: replayFrom !== undefined, notice: undefined });
    this.tickView();
  }

  /** Takes events per step that were stored before the page was opened. */
  past(fromMs: number, stepMs: number, counts: number[]): void {
    this.#counters.past((fromMs - this.#skew) / 1_000, stepMs / 1_000, counts);
    this.tickView();
  }

  /** How many posts a second may become cards; Infinity for all. */
  throttle(perSecond: number): void {
    this.#throttle = perSecond;
  }

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
    const most = (this.#throttle * FEED_TICK_MS) / 1_000;
    // An empty feed has nobody who reads in it, wherever the pointer rests.
    const read = this.#held && this.#queue.rows.length > 0;
    this.#queue.tick(Math.floor(Date.now() / 1_000), read || this.view().paused, most);
    this.#showFeed();
  }

  tickView(): void {
    const now = Date.now();
    if (now < this.#tickedAt) this.#setBack(now);
    this.#tickedAt = now;
    const expired = this.#noticeAt + NOTICE_MS < now;
    this.#update({ ...(expired ? { notice: undefined } : {}), ...(this.view().paused ? {} : this.#measured(now)) });
  }

  /** What the page counts, except while it is cut off: then the last that it knew stands, with its age. */
  #measured(now: number): Partial<View> {
    const time = this.view().replay ? this.#replayed : now + this.#skew;
    if (this.view().lostAt > 0) return { now: time };
    return { now: time, figures: this.#counters.at(now), shown: this.#queue.shownRate(Math.floor(now / 1_000)) };
  }

  /** A clock that was set back makes all that was noted a thing of the future: nothing would count until it has come. */
  #setBack(now: number): void {
    this.#countAnew();
    this.#eventAt = Math.min(this.#eventAt, now);
    this.#noticeAt = this.#statusAt = now;
    if (this.view().status.phase === 'open') this.#opened(now);
  }

  #countAnew(): void {
    const { missed, dropped } = this.#counters;
    this.#counters = Object.assign(new Counters(), { missed, dropped });
  }

  /** What comes from now on is counted by itself. */
  #opened(now: number): void {
    this.#counters.opened(now);
    this.#queue.recount(Math.floor(now / 1_000) + 1);
    this.#update({ lostAt: 0, openedAt: now });
  }

  #take(frame: Frame, past: boolean): void {
    const second = Math.floor(Date.now() / 1_000);
    if (!past) this.#count(frame, second);
    else if (frame.totals.events > 0) this.#eventAt = Date.now();
    for (const post of frame.posts) {
      if (post.simulated && !this.view().simulated) this.#update({ simulated: true });
      if (past) this.#queue.offerPast(post);
      else this.#queue.offer(post);
    }
    for (const blip of frame.blips) this.#map?.add(blip, past);
    this.#remove(frame);
    if (past) this.tickFeed();
  }

  #absorb(frame: Frame): void {
    this.#count(frame, Math.floor(Date.now() / 1_000));
    this.#counters.dropped += frame.totals.events;
    this.#remove(frame);
  }

  #count(frame: Frame, second: number): void {
    const now = Date.now();
    if (frame.totals.events > 0) this.#eventAt = now;
    this.#counters.add(second, frame.totals);
    this.#queue.happened(frame.totals.posts, second);
    if (this.view().paused) this.#pausedCount += frame.totals.events;
    if (this.view().replay) this.#replayed = frame.time || this.#replayed;
    else for (const { time } of frame.posts) this.#counters.age(now + this.#skew - time, now);
  }

  /** Removals come last: they may concern what is in the same frame. */
  #remove({ postsRemoved, geoRemoved }: Frame): void {
    for (const { key } of postsRemoved) {
      this.#queue.remove(key);
      this.#map?.remove(key);
    }
    for (const removal of geoRemoved) {
      this.#queue.removePlace(removal);
      this.#map?.removeOf(removal);
    }
    if (postsRemoved.length + geoRemoved.length > 0) this.#showFeed();
  }

  #forget(): void {
    this.#frames.clear();
    this.#queue.clear();
    this.#map?.clear();
    this.#showFeed();
  }

  #freezeMap(): void {
    const { paused, status } = this.view();
    this.#map?.freeze(paused || status.phase !== 'open');
  }

  #showFeed(): void {
    const { rows, held } = this.#queue;
    const oneIn = this.#queue.oneIn(Math.floor(Date.now() / 1_000));
    const old = this.feed();
    if (rows === old.rows && held === old.held && oneIn === old.oneIn) return;
    this.#setFeed({ rows, held, oneIn });
  }

  #update(change: Partial<View>): void {
    const next = { ...this.view(), ...change, eventAt: this.#eventAt };
    next.pausedCount = next.paused ? this.#pausedCount : 0;
    if (!next.paused) this.#pausedCount = 0;
    next.state = pageState({
      ...next,
      online: typeof navigator === 'undefined' || navigator.onLine !== false,
      statusAt: this.#statusAt,
      now: Date.now(),
    });
    this.#setView(next);
  }
}
