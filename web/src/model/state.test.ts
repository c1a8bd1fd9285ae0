import { describe, expect, it } from 'vitest';
import { NO_STATS } from './stats';
import { pageState, QUIET_MS, type Facts } from './state';

const NOW = 1_000_000;
const state = (facts: Partial<Facts>) =>
  pageState({
    status: { phase: 'open' }, online: true, paused: false, statusAt: NOW - 60_000, eventAt: NOW - 500,
    stats: NO_STATS, replay: false, now: NOW, ...facts,
  });

const NOTHING = { detail: '', retryAt: 0, itemAt: 0, reconnects: 0, missed: 0, gaps: 0 };
const withSource = (state: string) => ({
  ...NO_STATS,
  parts: [
    { name: 'ingest.x', state, ...NOTHING },
    { name: 'bridge', state: 'working', ...NOTHING },
  ],
});

describe('pageState', () => {
  it.each<[string, Partial<Facts>]>([
    ['live', {}],
    ['connecting', { status: { phase: 'connecting' }, eventAt: 0 }],
    ['connecting', { eventAt: 0, statusAt: NOW - 500 }],
    ['empty', { eventAt: 0, statusAt: NOW - 5_000 }],
    ['quiet', { eventAt: NOW - QUIET_MS - 1 }],
    ['lagging', { stats: { ...NO_STATS, latency: { p50: 14_000, p95: 20_000 } } }],
    ['live', { stats: { ...NO_STATS, latency: { p50: 4e11, p95: 4e11 } } }],
    ['down', { eventAt: NOW - 6_000, stats: withSource('backoff') }],
    ['live', { eventAt: NOW - 4_000, stats: withSource('backoff') }],
    ['live', { eventAt: NOW - 6_000, stats: withSource('live') }],
    ['down', { eventAt: 0, statusAt: NOW - 6_000, stats: withSource('failed') }],
    ['replay', { replay: true }],
    ['paused', { replay: true, paused: true }],
    ['signin', { status: { phase: 'refused', code: 401, detail: '' } }],
    ['refused', { status: { phase: 'refused', code: 400, detail: '' } }],
    ['paused', { paused: true }],
    ['reconnecting', { status: { phase: 'waiting', until: NOW + 4_000, attempt: 2 } }],
    ['reconnecting', { status: { phase: 'connecting' } }],
    ['reconnecting', { status: { phase: 'waiting', until: NOW, attempt: 1 }, paused: true }],
    ['offline', { status: { phase: 'waiting', until: NOW, attempt: 1 }, online: false }],
    ['live', { online: false }],
  ])('is %s for %j', (want, facts) => expect(state(facts)).toBe(want));
});
