import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from './backoff';
import { EventStream, LOOK_BACK_MS, RESUME_MAX_MS, SILENCE_MS } from './eventstream';
import type { Sink, Status } from './transport';

/** An EventSource that a test drives. */
class FakeSource extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    super();
  }

  close(): void {
    this.closed = true;
  }

  tell(name: string, data: unknown, lastEventId = ''): void {
    this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data), lastEventId }));
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.url.split('?')[1]);
  }
}

const sources: FakeSource[] = [];
const latest = () => sources.at(-1)!;
let sink: { [K in keyof Sink]: ReturnType<typeof vi.fn> };
let stream: EventStream;

const phases = () => sink.status.mock.calls.map(([status]) => (status as Status).phase);
const post = (id: string) => ({ id, source: 's', username: 'u', body: 'b' });

beforeEach(() => {
  vi.useFakeTimers();
  sources.length = 0;
  const fn = () => vi.fn();
  sink = { status: fn(), clock: fn(), post: fn(), blip: fn(), postRemoved: fn(), geoRemoved: fn(), missed: fn() };
  stream = new EventStream({
    path: '/events',
    kinds: ['simple_tweet', 'post_removed'],
    backoff: new Backoff(1_000, 30_000, () => 1),
    connect: (url) => {
      const source = new FakeSource(url);
      sources.push(source);
      return source as unknown as EventSource;
    },
  });
  stream.start(sink as Sink);
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

describe('EventStream', () => {
  it('asks for its kinds and, on a fresh page, for the last two minutes', () => {
    expect(latest().query.getAll('kind')).toEqual(['simple_tweet', 'post_removed']);
    expect(latest().query.get('since')).toBe('2m');
    expect(latest().query.has('lastEventId')).toBe(false);
  });

  it('carries the last id when it comes back, whatever event told it', () => {
    latest().onopen?.();
    latest().tell('simple_tweet', post('1'), 'e-7');
    latest().tell('hb', {}, 'e-9');
    latest().onerror?.();
    vi.advanceTimersByTime(1_000);
    expect(latest().query.get('lastEventId')).toBe('e-9');
    expect(latest().query.has('since')).toBe(false);
  });

  it('tells what was stored before from what happens now', () => {
    latest().tell('hello', { lastSeq: '10' }, 'e-8');
    latest().tell('simple_tweet', post('1'), 'e-10');
    latest().tell('simple_tweet', post('2'), 'e-11');
    expect(sink.post.mock.calls.map(([, past]) => past)).toEqual([true, false]);
  });

  it('closes and retries with growing waits, each announced', () => {
    const waits = [1_000, 2_000, 4_000].map((wait) => {
      const before = sources.length;
      latest().onerror?.();
      expect(latest().closed).toBe(true);
      vi.advanceTimersByTime(wait - 1);
      expect(sources.length).toBe(before);
      vi.advanceTimersByTime(1);
      return sources.length - before;
    });
    expect(waits).toEqual([1, 1, 1]);
    expect(phases()).toEqual(['connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'waiting', 'connecting']);
  });

  it('starts its waits anew only after a connection that lasted', () => {
    latest().onerror?.();
    vi.advanceTimersByTime(1_000);
    latest().onopen?.();
    latest().onerror?.();
    // It opened and fell at once: had that reset the waits, this would be a hot loop.
    expect(sink.status).toHaveBeenLastCalledWith(expect.objectContaining({ attempt: 2 }));
    vi.advanceTimersByTime(2_000);
    latest().onopen?.();
    vi.advanceTimersByTime(6_000);
    latest().onerror?.();
    expect(sink.status).toHaveBeenLastCalledWith(expect.objectContaining({ attempt: 1 }));
  });

  it('takes a silent stream for dead, but not one with heartbeats', () => {
    latest().onopen?.();
    for (let i = 0; i < 6; i += 1) {
      vi.advanceTimersByTime(10_000);
      latest().tell('hb', {});
    }
    expect(latest().closed).toBe(false);
    const silent = latest();
    vi.advanceTimersByTime(SILENCE_MS + 1_000);
    expect(silent.closed).toBe(true);
    expect(phases()).toContain('waiting');
  });

  it('does not wait for ever for a connection that never opens', () => {
    const hanging = latest();
    vi.advanceTimersByTime(SILENCE_MS + 1_000);
    expect(hanging.closed).toBe(true);
  });

  it('comes back when a bye says, no sooner and no later', () => {
    latest().onopen?.();
    latest().tell('bye', { reason: 'shutdown', reopenAfterMs: 4_200 });
    expect(latest().closed).toBe(true);
    vi.advanceTimersByTime(4_199);
    expect(sources).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sources).toHaveLength(2);
  });

  it('tells a gap, and that removals may be in it', () => {
    latest().tell('gap', { reason: 'slow', count: '1204' });
    expect(sink.missed).toHaveBeenLastCalledWith({ reason: 'slow', count: 1204, stale: true });
    latest().tell('gap', { reason: 'backlog', count: '3' });
    expect(sink.missed).toHaveBeenLastCalledWith({ reason: 'backlog', count: 3, stale: false });
  });

  it('does not call it a loss that a fresh page got less history than it asked for', () => {
    latest().tell('gap', { reason: 'capped', count: '5000' });
    expect(sink.missed).not.toHaveBeenCalled();
    latest().tell('hb', {}, 'e-5');
    latest().onerror?.();
    vi.advanceTimersByTime(1_000);
    latest().tell('gap', { reason: 'capped', count: '5000' });
    expect(sink.missed).toHaveBeenCalledTimes(1);
  });

  it('sleeps without a connection and resumes on waking', () => {
    latest().tell('simple_tweet', post('1'), 'e-7');
    stream.sleep();
    expect(latest().closed).toBe(true);
    vi.advanceTimersByTime(LOOK_BACK_MS);
    expect(sources).toHaveLength(1);
    stream.wake();
    expect(latest().query.get('lastEventId')).toBe('e-7');
  });

  it('begins anew after hours away instead of replaying them, and says so', () => {
    latest().tell('simple_tweet', post('1'), 'e-7');
    stream.sleep();
    vi.advanceTimersByTime(RESUME_MAX_MS + 1);
    stream.wake();
    expect(latest().query.get('since')).toBe('2m');
    expect(sink.missed).toHaveBeenCalledWith({ reason: 'away', count: 0, stale: true });
  });

  it('opens at once when told to, and leaves nothing running when stopped', () => {
    latest().onerror?.();
    stream.retryNow();
    expect(sources).toHaveLength(2);
    stream.retryNow();
    expect(sources).toHaveLength(2);
    stream.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(phases().at(-1)).toBe('closed');
  });
});
