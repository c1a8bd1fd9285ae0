import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff';

const waits = (random: number, n: number) => {
  const backoff = new Backoff(1_000, 30_000, () => random);
  return Array.from({ length: n }, () => backoff.next());
};

describe('Backoff', () => {
  it('doubles its ceiling from 1 s to 30 s', () => {
    expect(waits(1, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('spreads waits over the whole range below the ceiling, but not to nothing', () => {
    expect(waits(0, 3)).toEqual([250, 250, 250]);
    expect(waits(0.5, 3)).toEqual([625, 1_125, 2_125]);
  });

  it('stays at the cap however long the gateway is away', () => {
    expect(waits(1, 2_000).at(-1)).toBe(30_000);
  });

  it('starts again after a reset', () => {
    const backoff = new Backoff(1_000, 30_000, () => 1);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.attempt).toBe(0);
    expect(backoff.next()).toBe(1_000);
  });
});
