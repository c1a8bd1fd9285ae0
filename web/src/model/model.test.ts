import { describe, expect, it } from 'vitest';
import { upTo } from './ids';
import { Ages } from './latency';
import { Seconds } from './seconds';

describe('Seconds', () => {
  it('sums whole seconds only: the present one is not over', () => {
    const seconds = new Seconds(10);
    seconds.add(100, 3);
    seconds.add(101, 4);
    seconds.add(102, 5);
    expect(seconds.sum(102, 2)).toBe(7);
    expect(seconds.last(102, 3)).toEqual([0, 3, 4]);
  });

  it('forgets what leaves the window, also over a long silence', () => {
    const seconds = new Seconds(10);
    seconds.add(100, 3);
    seconds.add(109, 1);
    expect(seconds.sum(110, 10)).toBe(1);
    seconds.add(5_000, 2);
    expect(seconds.last(5_001, 10)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
  });

  it('counts late arrivals inside the window and ignores them outside', () => {
    const seconds = new Seconds(10);
    seconds.add(100);
    seconds.add(95, 2);
    seconds.add(90, 9);
    expect(seconds.sum(101, 10)).toBe(3);
  });
});

describe('Ages', () => {
  it('tells median and 95th percentile of the last minute', () => {
    const ages = new Ages();
    for (let ms = 1; ms <= 100; ms += 1) ages.add(ms, 1_000);
    expect(ages.at(1_000)).toEqual({ p50: 51, p95: 96 });
    expect(ages.at(61_001)).toBeUndefined();
  });

  it('keeps the newest 512 and takes a clock that runs ahead for no delay', () => {
    const ages = new Ages();
    for (let i = 0; i < 600; i += 1) ages.add(i < 88 ? 9_999 : -5, 0);
    expect(ages.at(0)).toEqual({ p50: 0, p95: 0 });
  });

  it('ignores an unknown time', () => {
    const ages = new Ages();
    ages.add(Number.NaN, 0);
    expect(ages.at(0)).toBeUndefined();
  });
});

describe('ids', () => {
  it('compares ids beyond 2^53 exactly', () => {
    expect(upTo('9007199254740993', '9007199254740992')).toBe(false);
    expect(upTo('9007199254740992', '9007199254740993')).toBe(true);
    expect(upTo('99', '100')).toBe(true);
  });

  it('lets an id that is no number match itself alone', () => {
    expect(upTo('3kabc', '3kabc')).toBe(true);
    expect(upTo('3kabb', '3kabc')).toBe(false);
  });
});
