import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Hub, LINGER_MS, Seat } from './hub';
import type { Told } from './transport';

/** As much of an EventSource as a hub's stream uses. */
class FakeSource extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    super();
    sources.push(this);
  }

  close(): void {
    this.closed = true;
  }

  tell(name: string, data: string): void {
    this.dispatchEvent(Object.assign(new Event(name), { data, lastEventId: '' }));
  }
}

let sources: FakeSource[] = [];
let hub: Hub;
const names = (all: Told[]) => all.map((told) => ('status' in told ? told.status.phase : told.name));

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  hub = new Hub({ connect: (url) => new FakeSource(url) as unknown as EventSource });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('Hub', () => {
  it('opens one connection for all who read the same, and another for something else', () => {
    for (let i = 0; i < 8; i += 1) hub.join('/live', () => {});
    hub.join('/live?q=a', () => {});
    expect(sources.map(({ url }) => url)).toEqual(['/live', '/live?q=a']);
  });

  it('tells a latecomer what it must know, and no old frames', () => {
    hub.join('/live', () => {});
    sources[0]!.onopen?.();
    for (const name of ['hello', 'frame', 'stats', 'frame']) sources[0]!.tell(name, '{}');
    const told: Told[] = [];
    hub.join('/live', (one) => told.push(one));
    expect(names(told)).toEqual(['open', 'hello', 'stats']);
    sources[0]!.tell('frame', '{}');
    expect(names(told).at(-1)).toBe('frame');
  });

  it('keeps a connection for a moment after its last reader, for one that reloads', () => {
    const leave = hub.join('/live', () => {});
    hub.join('/live', () => {})();
    leave();
    vi.advanceTimersByTime(LINGER_MS - 1);
    hub.join('/live', () => {})();
    vi.advanceTimersByTime(LINGER_MS - 1);
    expect(sources.map(({ closed }) => closed)).toEqual([false]);
    vi.advanceTimersByTime(1);
    expect(sources.map(({ closed }) => closed)).toEqual([true]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('Seat', () => {
  it('reads one address at a time, each under its turn', () => {
    const heard: [string, number][] = [];
    const seat = new Seat(hub, (told, turn) => heard.push([names([told])[0]!, turn]));
    seat.open('/live', 1);
    seat.open('/live?q=a', 2);
    sources[0]!.tell('frame', '{}');
    sources[1]!.tell('frame', '{}');
    expect(heard.filter(([name]) => name === 'frame')).toEqual([['frame', 2]]);
    seat.close();
    vi.advanceTimersByTime(LINGER_MS);
    expect(sources.every(({ closed }) => closed)).toBe(true);
  });
});
