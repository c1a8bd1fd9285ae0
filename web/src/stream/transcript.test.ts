import { readFileSync } from 'node:fs';
import { beforeAll, expect, it, vi } from 'vitest';
import { NO_FILTER } from './query';
import { Reader } from './reader';
import type { Channel, Listener, Sink } from './transport';

/** What the gateway says, as its own tests hold it to be. */
const TRANSCRIPT = readFileSync(new URL('../../../services/gateway/testdata/live.sse', import.meta.url), 'utf8');
const NOON = Date.UTC(2026, 10, 23, 12);

const sink = { status: vi.fn(), clock: vi.fn(), frame: vi.fn(), stats: vi.fn(), missed: vi.fn() };

/** Reads events as a browser does: fields a line each, an empty line between events. */
function events(text: string): { name: string; data: string; id: string }[] {
  return text.split('\n\n').filter(Boolean).map((block) => {
    const fields = new Map(block.split('\n').map((line) => /^(\w+): ?(.*)$/s.exec(line)!.slice(1) as [string, string]));
    return { name: fields.get('event') ?? 'message', data: fields.get('data') ?? '', id: fields.get('id') ?? '' };
  });
}

beforeAll(() => {
  let listen: Listener | undefined;
  let turn = 0;
  const channel: Channel = { open: (_, at) => (turn = at), close: () => {}, retry: () => {} };
  const take = (to: Listener) => ((listen = to), channel);
  new Reader(sink as Sink, { shared: take, own: take, bare: true }).ask({ filter: NO_FILTER, kinds: [], rate: 0 });
  for (const event of events(TRANSCRIPT)) listen!(event, turn);
});

it('is of every event that the page listens to', () => {
  expect(events(TRANSCRIPT).map(({ name }) => name)).toEqual(['hello', 'frame', 'stats', 'hb', 'gap', 'bye']);
});

it('holds a frame: posts with their text as it is, positions at zero and merged ones, exact totals, removals', () => {
  expect(sink.frame).toHaveBeenCalledTimes(1);
  const [frame, past] = sink.frame.mock.calls[0]!;
  expect(past).toBe(false);
  expect(frame).toMatchObject({ toSeq: 13, time: NOON, totals: { posts: 1, blips: 3, events: 5 } });
  expect(frame.posts).toMatchObject([
    { key: 'demo:9007199254740993', time: NOON - 500, name: 'A\u202enn', body: '<b>1</b>\n\u2028 & done', country: 'JP', type: 'reply', userId: '7' },
  ]);
  expect(frame.blips).toMatchObject([
    { lat: -18.15, lon: 178.4, count: 2, type: 'repost', precision: 'place', radiusKm: 20, refs: [{ key: 'demo:2' }, { key: 'demo:3' }] },
    { key: 'demo:1', lat: 0, lon: 0, count: 1, type: 'post', precision: 'point', radiusKm: 0 },
  ]);
  expect(frame.postsRemoved).toEqual([{ key: 'demo:99' }]);
  expect(frame.geoRemoved).toEqual([{ source: 'demo', userId: '7', upToId: '98' }]);
});

it('holds statistics: none waiting is not unknown', () => {
  expect(sink.stats).toHaveBeenCalledWith({
    rate: 41.2,
    simulated: true,
    windows: {
      5: {
        countries: [{ name: 'BR', count: 12 }, { name: 'JP', count: 4 }],
        langs: [{ name: 'en', count: 9 }],
        tags: [{ name: 'Rain', count: 2 }],
      },
    },
    latency: { p50: 3.5, p95: 8 },
    backlog: 0,
    sources: ['demo'],
    parts: [{ name: 'ingest.demo', state: 'live', detail: '', retryAt: 0, itemAt: NOON, reconnects: 0, missed: 1_204, gaps: 0 }],
  });
});

it('tells of what is missing, and the time', () => {
  expect(sink.missed).toHaveBeenCalledWith({ reason: 'slow', count: 27, stale: true });
  expect(sink.clock).toHaveBeenCalledWith(NOON);
  expect(sink.clock).toHaveBeenCalledWith(NOON + 10_000);
});
