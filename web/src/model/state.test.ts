import { describe, expect, it } from 'vitest';
import { pageState, QUIET_MS, type Facts } from './state';

const NOW = 1_000_000;
const state = (facts: Partial<Facts>) =>
  pageState({
    status: { phase: 'open' }, online: true, paused: false, statusAt: NOW - 60_000, eventAt: NOW - 500,
    latency: { p50: 300, p95: 900 }, now: NOW, ...facts,
  });

describe('pageState', () => {
  it.each<[string, Partial<Facts>]>([
    ['live', {}],
    ['live', { latency: undefined }],
    ['connecting', { status: { phase: 'connecting' }, eventAt: 0 }],
    ['connecting', { eventAt: 0, statusAt: NOW - 500 }],
    ['empty', { eventAt: 0, statusAt: NOW - 5_000 }],
    ['quiet', { eventAt: NOW - QUIET_MS - 1 }],
    ['lagging', { latency: { p50: 14_000, p95: 20_000 } }],
    ['live', { latency: { p50: 400_000_000_000, p95: 400_000_000_000 } }],
    ['live', { latency: { p50: 300, p95: 90_000 } }],
    ['paused', { paused: true }],
    ['reconnecting', { status: { phase: 'waiting', until: NOW + 4_000, attempt: 2 } }],
    ['reconnecting', { status: { phase: 'connecting' } }],
    ['reconnecting', { status: { phase: 'waiting', until: NOW, attempt: 1 }, paused: true }],
    ['offline', { status: { phase: 'waiting', until: NOW, attempt: 1 }, online: false }],
    ['live', { online: false }],
  ])('is %s for %j', (want, facts) => expect(state(facts)).toBe(want));
});
