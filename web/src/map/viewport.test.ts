import { describe, expect, it } from 'vitest';
import { FrameTimes } from './frametimes';
import { MAX_ZOOM, moved, WHOLE, zoomed } from './viewport';

const SIZE = { width: 1_000, height: 500 };

describe('the viewport', () => {
  it('zooms around the point that is pointed at', () => {
    const view = zoomed(WHOLE, 4, [250, 100], SIZE);
    expect(view).toEqual({ k: 4, x: -750, y: -300 });
    expect([(250 - view.x) / view.k, (100 - view.y) / view.k]).toEqual([250, 100]);
  });

  it('stays within the world', () => {
    expect(moved(WHOLE, 50, -50, SIZE)).toEqual({ k: 1, x: 0, y: 0 });
    expect(moved({ k: 2, x: -10, y: -10 }, -5_000, 5_000, SIZE)).toEqual({ k: 2, x: -1_000, y: 0 });
  });

  it('zooms no further than the coasts are good for, and never out of the world', () => {
    expect(zoomed(WHOLE, 1_000, [0, 0], SIZE).k).toBe(MAX_ZOOM);
    expect(zoomed({ k: 3, x: -900, y: -400 }, 0.001, [10, 10], SIZE)).toEqual(WHOLE);
  });
});

describe('FrameTimes', () => {
  /** The verdicts over pictures of one pace, for so many seconds. */
  const run = (times: FrameTimes, everyMs: number, seconds: number, from = 0) =>
    Array.from({ length: (seconds * 1_000) / everyMs }, (_, i) => times.note(from + i * everyMs)).filter(Boolean);

  it('asks for less after three seconds of slow pictures, but not while the page starts', () => {
    const times = new FrameTimes();
    expect(run(times, 50, 3, 1)).toEqual([]);
    expect(run(times, 50, 4, 3_001)).toEqual(['less']);
  });

  it('asks for more again after half a minute of quick ones', () => {
    expect(run(new FrameTimes(), 16, 40, 1)).toEqual(['more']);
  });

  it('takes a pause for no slow picture', () => {
    expect(run(new FrameTimes(), 5_000, 60, 1)).toEqual([]);
  });
});
