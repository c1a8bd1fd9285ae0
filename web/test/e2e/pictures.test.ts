import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { difference } from '../pictures';
import { Bench, eventually, PICTURES, state, type Visited } from './harness';

const bench = new Bench();
const FOLDER = fileURLToPath(new URL('../pictures', import.meta.url));
/** Most of a picture that may differ: a line that wraps elsewhere, or a figure that moves on. */
const MOST = 0.02;
const VIEWPORTS = { wide: { width: 1_296, height: 792 }, narrow: { width: 384, height: 840 } };

const WINDOWS = [1, 5].map((minutes) => ({ minutes, countries: { US: '60', BR: '40', JP: '30', NG: '12' } }));
const PLACES = [[40.7, -74], [-23.5, -46.6], [35.7, 139.7], [6.5, 3.4], [51.5, -0.1], [-33.9, 151.2]] as const;
const WORDS = ['Night train, window seat.', 'First light on the harbour.', 'One song per cloud, and then another one.'];

/** Brings the page, whose clock stands, into each state. */
const STATES: Record<string, (visited: Visited) => Promise<unknown>> = {
  connecting: ({ page }) => eventually(() => page.locator('.country').count().then((n) => n > 100), true),
  live: async ({ page, stream }) => {
    stream.stats({ rate: 40, windows: WINDOWS, parts: [{ name: 'ingest.demo', state: 'live' }] });
    WORDS.forEach((body, i) => stream.post({ id: String(i), username: `ann${i}`, name: `Ann ${i}`, body, country: 'US' }));
    PLACES.forEach(([lat, lon], i) => stream.blip({ id: `b${i}`, lat, lon }));
    const shown = async () => (await page.locator('.blips > g:not([display])').count()) + (await page.locator('article').count());
    await eventually(async () => (await page.clock.runFor(50), shown()), WORDS.length + PLACES.length);
    await page.clock.runFor(600);
  },
  reconnecting: async ({ page, stream }) => {
    stream.drop();
    await eventually(() => state(page), 'reconnecting');
    await page.clock.runFor(1_000);
  },
};

describe.each(['dark', 'light'] as const)('in %s', (colorScheme) => {
  it.each(Object.entries(VIEWPORTS))('looks as it did, %s', async (name, viewport) => {
    const visited = await bench.open({ colorScheme, viewport, frozen: true });
    for (const [want, reach] of Object.entries(STATES)) {
      await reach(visited);
      const file = join(FOLDER, `${want}-${colorScheme}-${name}.png`);
      const share = await difference(visited.page, file);
      if (share > MOST) await visited.page.screenshot({ path: join(PICTURES, `differs-${want}-${colorScheme}-${name}.png`) });
      expect(share, `${file} and ${PICTURES}`).toBeLessThanOrEqual(MOST);
    }
  });
});
