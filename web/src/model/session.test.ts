import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aBlip, aFrame, aPost } from '../../test/fixtures';
import { Session, type MapSink } from './session';
import { NO_STATS } from './stats';

const NOW = Date.UTC(2026, 0, 1, 12);
let map: { [K in keyof MapSink]: ReturnType<typeof vi.fn> };
let session: Session;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW - 1_000 });
  const fn = () => vi.fn();
  map = { add: fn(), remove: fn(), removeOf: fn(), clear: fn(), freeze: fn() };
  session = new Session(map as MapSink);
  stop = session.run();
  session.status({ phase: 'open' });
  vi.advanceTimersByTime(1_000);
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

const shownIds = () => session.feed().rows.map((post) => post.id);
const live = (id: string, ageMs = 300) => aPost({ id, time: Date.now() - ageMs, country: 'JP' });

describe('Session', () => {
  it('shows live posts and works out figures from them', () => {
    for (let i = 0; i < 3; i += 1) session.frame(aFrame({ posts: [live(String(i))] }), false);
    vi.advanceTimersByTime(2_000);
    expect(shownIds()).toEqual(['2', '1', '0']);
    const { figures, state } = session.view();
    expect(state).toBe('live');
    expect(figures.latency).toEqual({ p50: 300, p95: 300 });
    expect(figures.posts).toBeCloseTo(1.5);
  });

  it('shows past posts at once, and takes them neither for a rate nor for a delay', () => {
    const posts = Array.from({ length: 61 }, (_, i) => aPost({ id: String(i), time: NOW - i * 1_000 }));
    session.frame(aFrame({ posts }), true);
    expect(session.feed().rows).toHaveLength(61);
    vi.advanceTimersByTime(1_000);
    expect(session.view().figures).toMatchObject({ latency: undefined, rate: 0 });
    expect(session.view().state).toBe('live');
  });

  it('draws the throughput of before it was opened', () => {
    session.past(NOW - 60_000, 3_000, Array(19).fill(30));
    vi.advanceTimersByTime(3_000);
    expect(Math.max(...session.view().figures.history)).toBe(10);
  });

  it.each([0, 1, 2])('keeps its rates when it learns of the past, opened %i s into a bucket', (shift) => {
    vi.advanceTimersByTime(shift * 1_000);
    session.status({ phase: 'waiting', until: 0, attempt: 1 });
    session.status({ phase: 'open' });
    for (let i = 0; i < 50; i += 1) {
      session.frame(aFrame({ totals: { posts: 1, blips: 0, events: 1 } }), false);
      vi.advanceTimersByTime(100);
    }
    session.past(NOW - 60_000, 3_000, Array(22).fill(0));
    const { rate, posts } = session.view().figures;
    expect(rate).toBeCloseTo(10);
    expect(posts).toBe(rate);
  });

  it('takes what was stored for what came late, and knows nothing of before', () => {
    vi.advanceTimersByTime(1_000);
    session.status({ phase: 'waiting', until: 0, attempt: 1 });
    vi.advanceTimersByTime(20_000);
    session.status({ phase: 'open' });
    session.frame(aFrame({ totals: { posts: 600, blips: 0, events: 600 } }), false);
    vi.advanceTimersByTime(9_000);
    session.past(NOW - 6_200, 3_000, Array(12).fill(30));
    expect(session.view().figures.history).toEqual([...Array(10).fill(10), 0, 0]);
  });

  it('knows no rate before the first whole second of a connection, and keeps the last one when cut off', () => {
    session.status({ phase: 'waiting', until: 0, attempt: 1 });
    session.reset();
    vi.advanceTimersByTime(7_500);
    expect(session.view().figures.rate).toBeUndefined();
    session.status({ phase: 'open' });
    for (let i = 0; i < 40; i += 1) {
      session.frame(aFrame({ posts: [live(String(i))] }), false);
      vi.advanceTimersByTime(100);
    }
    expect(session.view().figures.rate).toBe(10);
    expect(session.view().shown).toBeGreaterThan(3);
    session.status({ phase: 'waiting', until: 0, attempt: 1 });
    const lostAt = Date.now();
    vi.advanceTimersByTime(30_000);
    expect(session.view()).toMatchObject({ lostAt, figures: { rate: 10 } });
    session.status({ phase: 'open' });
    expect(session.view().lostAt).toBe(0);
  });

  it('counts on when the clock is set back', () => {
    const second = () => {
      session.frame(aFrame({ posts: [live(String(Date.now()))] }), false);
      vi.advanceTimersByTime(1_000);
    };
    for (let i = 0; i < 8; i += 1) second();
    session.missed({ reason: 'slow', count: 3, stale: false });
    vi.setSystemTime(NOW - 3_600_000);
    for (let i = 0; i < 8; i += 1) second();
    expect(session.view().figures).toMatchObject({ rate: 1, posts: 1, missed: 3 });
    expect(session.view().figures.history.length).toBeGreaterThan(0);
    expect(session.view().shown).toBeGreaterThan(0);
    vi.advanceTimersByTime(130_000);
    expect(session.view()).toMatchObject({ state: 'quiet', notice: undefined });
  });

  it('forgets without a word what is no news', () => {
    session.frame(aFrame({ posts: [live('1')] }), false);
    vi.advanceTimersByTime(1_000);
    session.missed({ reason: '', count: 0, stale: true });
    expect(shownIds()).toEqual([]);
    expect(session.view().notice).toBeUndefined();
  });

  it('counts by totals: what comes is a sample', () => {
    session.frame(aFrame({ posts: [live('1')], totals: { posts: 40, blips: 20, events: 70 } }), false);
    vi.advanceTimersByTime(1_000);
    expect(session.view().figures).toMatchObject({ rate: 70, posts: 40, blips: 20 });
  });

  it('takes removals of a frame after what it shows', () => {
    session.frame(aFrame({ posts: [live('1'), live('2')], postsRemoved: [{ key: 's:1' }] }), false);
    vi.advanceTimersByTime(1_000);
    expect(shownIds()).toEqual(['2']);
  });

  it('shows the time that is replayed, and measures no delay by it', () => {
    session.reset(NOW - 700_000);
    session.status({ phase: 'open' });
    session.frame(aFrame({ time: NOW - 600_000, posts: [aPost({ time: NOW - 600_000 })] }), false);
    vi.advanceTimersByTime(1_000);
    expect(session.view()).toMatchObject({ state: 'replay', now: NOW - 600_000 });
    expect(session.view().figures.latency).toBeUndefined();
    session.reset();
    expect(session.feed().rows).toEqual([]);
    expect(session.view().replay).toBe(false);
  });

  it("measures ages by the gateway's clock, not by this device's", () => {
    session.clock(NOW + 3_600_000);
    session.frame(aFrame({ posts: [aPost({ time: NOW + 3_600_000 - 400 })] }), false);
    vi.advanceTimersByTime(1_000);
    expect(session.view().figures.latency?.p50).toBe(400);
  });

  it('stops all that moves while paused, and counts what it holds back', () => {
    session.pause(true);
    expect(map.freeze).toHaveBeenLastCalledWith(true);
    const before = session.view();
    session.frame(aFrame({ posts: [live('1')] }), false);
    session.frame(aFrame({ blips: [aBlip()] }), false);
    vi.advanceTimersByTime(3_000);
    expect(shownIds()).toEqual([]);
    expect(session.view()).toMatchObject({ state: 'paused', pausedCount: 2, now: before.now });
    expect(session.view().figures).toBe(before.figures);
    session.pause(false);
    expect(shownIds()).toEqual(['1']);
    expect(map.freeze).toHaveBeenLastCalledWith(false);
    expect(session.view().figures.posts).toBeGreaterThan(0);
  });

  it('removes a post at once from feed and map, even while paused', () => {
    session.frame(aFrame({ posts: [live('1')] }), false);
    vi.advanceTimersByTime(1_000);
    session.pause(true);
    session.frame(aFrame({ postsRemoved: [{ key: 's:1' }] }), false);
    expect(shownIds()).toEqual([]);
    expect(map.remove).toHaveBeenCalledWith('s:1');
  });

  it('passes on a removal of positions to cards and map', () => {
    session.frame(aFrame({ posts: [live('1')] }), false);
    vi.advanceTimersByTime(1_000);
    const removal = { source: 's', userId: 'u', upToId: '1' };
    session.frame(aFrame({ geoRemoved: [removal] }), false);
    expect(session.feed().rows[0]?.country).toBe('');
    expect(map.removeOf).toHaveBeenCalledWith(removal);
  });

  it('forgets what it cannot vouch for after a gap, and tells of the gap for a while', () => {
    session.frame(aFrame({ posts: [live('1')] }), false);
    vi.advanceTimersByTime(1_000);
    session.missed({ reason: 'slow', count: 12, stale: true });
    expect(shownIds()).toEqual([]);
    expect(map.clear).toHaveBeenCalled();
    expect(session.view().notice).toMatchObject({ count: 12 });
    vi.advanceTimersByTime(22_000);
    expect(session.view().notice).toBeUndefined();
    expect(session.view().figures.missed).toBe(12);
  });

  it('keeps what it has when only unread backlog was lost', () => {
    session.frame(aFrame({ posts: [live('1')] }), false);
    vi.advanceTimersByTime(1_000);
    session.missed({ reason: 'backlog', count: 5, stale: false });
    expect(shownIds()).toEqual(['1']);
  });

  it('stands still while the feed is read', () => {
    session.hold(true);
    session.frame(aFrame({ posts: [live('1')] }), false);
    vi.advanceTimersByTime(1_000);
    // There was nothing to read yet.
    expect(shownIds()).toEqual(['1']);
    session.frame(aFrame({ posts: [live('2')] }), false);
    vi.advanceTimersByTime(1_000);
    expect(shownIds()).toEqual(['1']);
    expect(session.feed().held).toBe(1);
    session.release();
    expect(shownIds()).toEqual(['2', '1']);
  });

  it('says that data is simulated as soon as any is', () => {
    expect(session.view().simulated).toBe(false);
    session.stats({ ...NO_STATS, simulated: true });
    session.stats(NO_STATS);
    expect(session.view().simulated).toBe(true);
  });

  it('freezes the map while there is no connection', () => {
    session.status({ phase: 'waiting', until: NOW + 4_000, attempt: 1 });
    expect(map.freeze).toHaveBeenLastCalledWith(true);
    session.status({ phase: 'open' });
    expect(map.freeze).toHaveBeenLastCalledWith(false);
  });
});
