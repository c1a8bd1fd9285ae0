import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from './backoff';
import { LiveStream, RESUME_MAX_MS, SILENCE_MS } from './livestream';
import type { Told } from './transport';

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
let told: Told[];
let stream: LiveStream;

const statuses = () => told.flatMap((one) => ('status' in one ? [one.status] : []));
const phases = () => statuses().map(({ phase }) => phase);
const events = () => told.flatMap((one) => ('name' in one ? [one.name] : []));

function reads(address: string): void {
  stream = new LiveStream(address, (one) => told.push(one), {
    backoff: new Backoff(1_000, 30_000, () => 1),
    connect: (url) => {
      const source = new FakeSource(url);
      sources.push(source);
      return source as unknown as EventSource;
    },
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  sources.length = 0;
  told = [];
  reads('/live?kind=geo_blip');
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

describe('LiveStream', () => {
  it('asks for its address, and passes on what it is told as it is', () => {
    expect(latest().url).toBe('/live?kind=geo_blip');
    latest().tell('frame', { toSeq: '7' }, 'e-7');
    expect(told.at(-1)).toEqual({ name: 'frame', data: '{"toSeq":"7"}', id: 'e-7' });
  });

  it('carries the last id when it comes back, whatever event told it', () => {
    latest().onopen?.();
    latest().tell('frame', {}, 'e-7');
    latest().tell('hb', {}, 'e-9');
    latest().onerror?.();
    vi.advanceTimersByTime(1_000);
    expect(latest().query.get('lastEventId')).toBe('e-9');
    expect(latest().query.get('kind')).toBe('geo_blip');
  });

  it('opens each connection with a ticket of its own, if it is given any', () => {
    const tickets = ['one', undefined, 'two'];
    const urls: string[] = [];
    const own = new LiveStream('/live', () => {}, {
      ticket: () => tickets.shift(),
      connect: (url) => (urls.push(url), new FakeSource(url) as unknown as EventSource),
      backoff: new Backoff(1_000, 1_000, () => 1),
    });
    for (let i = 0; i < 2; i += 1) vi.advanceTimersByTime(SILENCE_MS + 3_000);
    own.stop();
    expect(urls).toEqual(['/live?ticket=one', '/live', '/live?ticket=two']);
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
    expect(statuses().at(-1)).toMatchObject({ attempt: 2 });
    vi.advanceTimersByTime(2_000);
    latest().onopen?.();
    vi.advanceTimersByTime(6_000);
    latest().onerror?.();
    expect(statuses().at(-1)).toMatchObject({ attempt: 1 });
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

  it('begins anew after a minute away instead of resuming, and says so', () => {
    latest().tell('frame', {}, 'e-7');
    latest().tell('bye', { reopenAfterMs: RESUME_MAX_MS });
    vi.advanceTimersByTime(RESUME_MAX_MS + 1);
    latest().onerror?.();
    vi.advanceTimersByTime(1_000);
    expect(latest().query.has('lastEventId')).toBe(false);
    expect(told).toContainEqual({ name: 'gap', data: '{"reason":"away"}', id: '' });
    expect(events().filter((name) => name === 'gap')).toHaveLength(1);
  });

  it('goes on with a replay where it was, however long it was away', () => {
    stream.stop();
    reads('/live?since=2026-01-01T00%3A00%3A00Z&speed=4');
    latest().tell('frame', {}, 'e-7');
    latest().tell('bye', { reopenAfterMs: RESUME_MAX_MS });
    vi.advanceTimersByTime(RESUME_MAX_MS + 1);
    latest().onerror?.();
    vi.advanceTimersByTime(1_000);
    expect(sources.length).toBe(4);
    expect(latest().query.get('lastEventId')).toBe('e-7');
    expect(events()).not.toContain('gap');
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
