import { describe, expect, it } from 'vitest';
import { partsInEachMood } from '../../test/fixtures';
import { moodOf, type Part } from '../model/parts';
import { detail, line, losses } from '../ui/partwords';
import { decodeStats } from './decodestats';

const NOW = Date.UTC(2026, 0, 1, 12);
const part = (fields: Partial<Part>): Part => ({ name: 'ingest.x', state: 'live', detail: '', retryAt: 0, itemAt: 0, reconnects: 0, missed: 0, gaps: 0, ...fields });

describe('decodeStats', () => {
  it('reads what the gateway says of the parts', () => {
    const { parts } = decodeStats({ parts: partsInEachMood() });
    expect(parts.map(moodOf)).toEqual(['ok', 'ok', 'calm', 'warn', 'err']);
    expect(parts[3]!.retryAt).toBeGreaterThan(Date.now());
    expect(parts[3]).toMatchObject({ reconnects: 3, missed: 1_204, gaps: 1 });
    expect(parts[1]).toMatchObject({ reconnects: 0, missed: 0, gaps: 0 });
  });

  it('ranks what is frequent, ties by name, tags as they come', () => {
    const windows = [
      { minutes: 1, countries: { JP: '3', BR: '12', AR: '3' }, langs: { pt: '2' }, tags: [{ name: 'rain', count: '4' }] },
      { minutes: 7, countries: { XX: '1' } },
    ];
    expect(decodeStats({ windows }).windows).toEqual({
      1: {
        countries: [{ name: 'BR', count: 12 }, { name: 'AR', count: 3 }, { name: 'JP', count: 3 }],
        langs: [{ name: 'pt', count: 2 }],
        tags: [{ name: 'rain', count: 4 }],
      },
    });
  });

  it('tells unknown from none', () => {
    expect(decodeStats({})).toMatchObject({ backlog: undefined, latency: undefined });
    expect(decodeStats({ backlog: '0', latency: { p50Ms: 2 } })).toMatchObject({ backlog: 0, latency: { p50: 2, p95: 0 } });
  });

  it.each([[undefined], ['x'], [[null, 1, {}, { name: 'x' }, { name: 1, state: {} }]]])(
    'takes no parts from %j',
    (parts) => expect(decodeStats({ parts }).parts).toEqual([]),
  );

  it('bounds what it takes', () => {
    const { parts } = decodeStats({ parts: Array(500).fill({ name: 'x'.repeat(9_999), state: 's', retryTime: 'soon' }) });
    expect(parts).toHaveLength(20);
    expect(parts[0]!.name).toHaveLength(120);
    expect(parts[0]!.retryAt).toBe(0);
  });
});

describe('line', () => {
  it.each<[string, Partial<Part>]>([
    ['Redis: sending twitter_raw, events', { name: 'bridge', state: 'working', detail: 'sending twitter_raw, events' }],
    ['Redis away', { name: 'bridge', state: 'away', detail: 'sending events' }],
    ['Redis: connecting', { name: 'bridge', state: 'connecting', detail: 'sending events' }],
    ['x: live', { itemAt: NOW - 1_000 }],
    ['x: live, last item 5 min ago', { itemAt: NOW - 300_000 }],
    ['x: rate limited, next try in 12 s', { state: 'backoff', detail: 'rate_limited', retryAt: NOW + 11_500 }],
    ['x: backing off, next try in 6 min', { state: 'backoff', detail: 'of a later version', retryAt: NOW + 320_000 }],
    ['x: no connection, trying again', { state: 'backoff', detail: 'network', retryAt: NOW - 1 }],
    ['x: silent, connecting again', { state: 'stalled' }],
    ['x: failed', { state: 'failed', detail: 'fatal' }],
    ['x: ended', { state: 'done' }],
    ['newcomer: dancing', { name: 'newcomer', state: 'dancing' }],
  ])('says %j', (want, fields) => {
    expect(line(part(fields), NOW)).toBe(want);
  });
});

describe('losses', () => {
  it.each<[string, Partial<Part>]>([
    ['', {}],
    ['1 reconnect', { reconnects: 1 }],
    ['12 reconnects · 2 gaps', { reconnects: 12, gaps: 2 }],
    ['1,204 held back upstream · 1 gap', { missed: 1_204, gaps: 1 }],
  ])('says %j', (want, fields) => {
    expect(losses(part(fields))).toBe(want);
  });

  it('are told beside the last item to whoever points at a source, nothing of what is none', () => {
    const want = 'Last item 2.00 s ago. Since it was started: reconnects 3, held back upstream 0, gaps 0.';
    expect(detail(part({ itemAt: NOW - 2_000, reconnects: 3 }), NOW)).toBe(want);
    expect(detail(part({ itemAt: NOW + 50 }), NOW)).toMatch(/^Last item 0\.00 s ago/);
    expect(detail(part({}), NOW)).toMatch(/^No item yet\./);
    expect(detail(part({ name: 'bridge' }), NOW)).toBe('');
  });
});
