import { beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_FILTER, type Query } from './query';
import { Reader } from './reader';
import type { Channel, Listener, Sink } from './transport';

const QUERY: Query = { filter: NO_FILTER, kinds: [], rate: 5 };
let sink: { [K in keyof Sink]: ReturnType<typeof vi.fn> };
let opened: { own: boolean; address: string; turn: number; closed: boolean }[];
let listen: Listener;
let answer: (code: number, body: unknown) => void;
let asked: string[];

function channel(own: boolean, to: Listener): Channel {
  return {
    open: (address, turn) => {
      listen = to;
      opened.push({ own, address, turn, closed: false });
    },
    close: () => opened.filter((one) => one.own === own).forEach((one) => (one.closed = true)),
    retry: vi.fn(),
  };
}

const turn = () => opened.at(-1)!.turn;
const tell = (name: string, data: object, at = turn()) => listen({ name, data: JSON.stringify(data), id: '' }, at);
const frame = (from: number, to: number) => tell('frame', { fromSeq: String(from), toSeq: String(to), totals: { simple_tweet: '1' } });
const seen = () => sink.frame.mock.calls.map(([{ toSeq }, past]) => [toSeq, past]);
const settled = () => new Promise((done) => setTimeout(done));
let reader: Reader;

beforeEach(() => {
  opened = [];
  asked = [];
  vi.stubGlobal('fetch', (address: string) => {
    asked.push(address);
    return new Promise((done) => {
      answer = (status, body) => done({ status, text: async () => JSON.stringify(body) });
    });
  });
  const fn = () => vi.fn();
  sink = { status: fn(), clock: fn(), frame: fn(), stats: fn(), missed: fn() };
  reader = new Reader(sink as Sink, { shared: (to) => channel(false, to), own: (to) => channel(true, to) });
  reader.ask(QUERY);
});

describe('Reader', () => {
  it('shows the snapshot, then what came meanwhile, nothing twice and nothing missing', async () => {
    expect([asked, opened[0]!.address]).toEqual([['/api/snapshot'], '/live?rate=5']);
    frame(8, 10);
    frame(11, 12);
    expect(seen()).toEqual([]);
    answer(200, { id: 'a-b-10', frame: { toSeq: '10' }, stats: { rate: 3 } });
    await settled();
    frame(13, 13);
    expect(seen()).toEqual([[10, true], [12, false], [13, false]]);
    expect(sink.stats).toHaveBeenCalledWith(expect.objectContaining({ rate: 3 }));
  });

  it.each([['before', 1], ['after', 2]])('asks again where the stream began after the snapshot ended, told %s its answer', async (when, shows) => {
    const hello = () => tell('hello', { nextSeq: '21' });
    if (when === 'before') hello();
    answer(200, { id: 'a-b-10', frame: { toSeq: '10' } });
    await settled();
    if (when === 'after') hello();
    expect(asked).toEqual(['/api/snapshot', '/api/snapshot']);
    frame(21, 22);
    frame(23, 24);
    answer(200, { id: 'a-b-22', frame: { toSeq: '22' } });
    await settled();
    // What it showed may have been removed in between; that is no news to anybody.
    expect(sink.missed).toHaveBeenLastCalledWith({ reason: '', count: 0, stale: true });
    expect(seen().slice(shows - 1)).toEqual([[22, true], [24, false]]);
    tell('hello', { nextSeq: '90', resumed: true });
    expect(asked).toHaveLength(2);
  });

  it('takes the frames of a stream made anew, whose sequences are lower, though no snapshot is to be had', async () => {
    answer(200, { id: 'a-b-1000', frame: { toSeq: '1000' } });
    await settled();
    tell('hello', { nextSeq: '1' });
    tell('gap', { reason: 'recreated' });
    answer(429, {});
    await settled();
    frame(1, 2);
    expect(seen()).toEqual([[1_000, true], [2, false]]);
  });

  it('does without a snapshot where there is none', async () => {
    frame(1, 2);
    answer(503, { title: 'Starting' });
    await settled();
    frame(3, 4);
    expect(seen()).toEqual([[2, false], [4, false]]);
  });

  it.each([[401, 'Sign-in needed', 'no token'], [400, 'Bad parameter', 'q is one to eight words'], [403, 'Not allowed', '']])(
    'says why it is refused with %i, lets go, and tries again when told',
    async (code, title, detail) => {
      answer(code, { title, detail });
      await settled();
      expect(sink.status).toHaveBeenLastCalledWith({ phase: 'refused', code, detail: detail || title });
      expect(opened[0]!.closed).toBe(true);
      reader.retryNow();
      expect(opened).toHaveLength(2);
    },
  );

  it('asks why when the line keeps breaking, and takes a refusal for what it is', async () => {
    answer(200, {});
    await settled();
    const broken = (attempt: number) => listen({ status: { phase: 'waiting', until: 0, attempt } }, turn());
    broken(0);
    broken(1);
    expect(asked).toHaveLength(1);
    broken(2);
    expect(asked.at(-1)).toBe('/live?rate=5');
    answer(503, {});
    await settled();
    expect(opened[0]!.closed).toBe(false);
    broken(4);
    answer(401, {});
    await settled();
    expect(sink.status).toHaveBeenLastCalledWith({ phase: 'refused', code: 401, detail: '' });
    expect(opened[0]!.closed).toBe(true);
  });

  it('asks for nothing but the stream where it has tickets alone', () => {
    const own = (to: Listener) => channel(true, to);
    asked = [];
    new Reader(sink as Sink, { shared: own, own, bare: true }).ask(QUERY);
    frame(1, 2);
    listen({ status: { phase: 'waiting', until: 0, attempt: 2 } }, turn());
    expect([asked, seen()]).toEqual([[], [[2, false]]]);
  });

  it('takes nothing for news that is of an earlier question', async () => {
    answer(200, {});
    await settled();
    const before = turn();
    reader.ask({ ...QUERY, filter: { ...NO_FILTER, country: ['JP'] } });
    answer(200, {});
    await settled();
    tell('frame', { toSeq: '9' }, before);
    expect(seen()).toEqual([]);
    frame(9, 9);
    expect(seen()).toEqual([[9, false]]);
    expect(asked.at(-1)).toBe('/api/snapshot?country=JP');
  });

  it('shows a past that a snapshot of the present has in it', async () => {
    answer(200, { id: 'a-b-1000', frame: { toSeq: '1000' } });
    await settled();
    reader.ask({ ...QUERY, since: '2026-01-01T00:00:00Z', speed: 1 });
    tell('hello', { nextSeq: '1' });
    frame(1, 2);
    expect(seen()).toEqual([[1_000, true], [2, false]]);
  });

  it('replays over a connection of its own, without a snapshot, and comes back', () => {
    reader.ask({ ...QUERY, since: '2026-01-01T00:00:00Z', speed: 4 });
    expect(opened.at(-1)).toMatchObject({ own: true, address: '/live?rate=5&since=2026-01-01T00%3A00%3A00Z&speed=4' });
    expect(opened[0]!.closed).toBe(true);
    frame(1, 1);
    expect(seen()).toEqual([[1, false]]);
    reader.ask(QUERY);
    expect(opened.at(-1)).toMatchObject({ own: false });
    expect(asked).toHaveLength(2);
  });

  it('tells gaps, and asks anew for what they may have taken', async () => {
    answer(200, {});
    await settled();
    tell('gap', { reason: 'backlog', count: '3' });
    expect(sink.missed).toHaveBeenLastCalledWith({ reason: 'backlog', count: 3, stale: false });
    expect(asked).toHaveLength(1);
    tell('gap', { reason: 'slow', count: '1204' });
    expect(sink.missed).toHaveBeenLastCalledWith({ reason: 'slow', count: 1204, stale: true });
    expect(asked).toHaveLength(2);
  });

  it('sleeps without a connection, and wakes to the present', () => {
    reader.sleep();
    expect(opened[0]!.closed).toBe(true);
    expect(sink.status).toHaveBeenLastCalledWith({ phase: 'asleep' });
    tell('frame', { toSeq: '9' });
    expect(seen()).toEqual([]);
    reader.wake();
    expect(sink.missed).toHaveBeenLastCalledWith({ reason: 'away', count: 0, stale: true });
    expect([opened.length, asked.length]).toEqual([2, 2]);
  });
});
