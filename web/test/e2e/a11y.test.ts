import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { partsInEachMood } from '../fixtures';
import { flood } from '../flood';
import { seeded, sendPost } from '../world';
import { SIZES, spill, violations } from './examine';
import { Bench, eventually, PICTURES, state, type Visited } from './harness';

const bench = new Bench();

/** Brings the page from each state to the next; what is named behind a slash is a pane that is opened in it. */
const STATES: Record<string, (visited: Visited) => Promise<unknown>> = {
  connecting: async () => {},
  live: ({ page, stream }) => {
    const random = seeded(3);
    for (let i = 0; i < 8; i += 1) sendPost(stream, i, random, 400);
    return eventually(() => page.locator('article').count(), 8);
  },
  lagging: async ({ stream }) => stream.stats({ ...STATS, latency: { p50Ms: 9_000, p95Ms: 14_000 }, backlog: '12400' }),
  'live/countries': ({ page, stream }) => {
    stream.stats(STATS);
    return page.keyboard.press('3');
  },
  'live/table': ({ page }) => page.keyboard.press('4'),
  'live/help': async ({ page }) => {
    await page.keyboard.press('1');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
  },
  'live/replay bar': async ({ page }) => {
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByRole('slider').waitFor();
  },
  'live/menu': async ({ page }) => {
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByText('⋯').click();
  },
  paused: async ({ page }) => {
    await page.getByText('⋯').click();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('Space');
  },
  reconnecting: async ({ page, stream }) => {
    await page.keyboard.press('Space');
    stream.gap('slow', 12).bye(60_000);
  },
};
/** What the statistics say while the states are looked at. */
const STATS = { parts: partsInEachMood(), windows: [{ minutes: 1, countries: { JP: '30', BR: '12' } }, { minutes: 5, countries: { JP: '90', SG: '9' } }] };

describe.each(['dark', 'light'] as const)('in %s', (colorScheme) => {
  it.each(Object.entries(SIZES))('has no accessibility fault in any state, %s', async (name, viewport) => {
    bench.gateway.stats = STATS;
    bench.gateway.history = [3, 5, 9, 4];
    // Less motion, so that colours are not measured in the middle of a fade.
    const visited = await bench.open({ colorScheme, viewport, reducedMotion: 'reduce' });
    for (const [want, reach] of Object.entries(STATES)) {
      await reach(visited);
      await eventually(() => state(visited.page), want.split('/')[0]);
      await visited.page.screenshot({ path: join(PICTURES, `${want.replace(/\W/g, '-')}-${colorScheme}-${name}.png`) });
      expect(await violations(visited.page), want).toEqual([]);
      expect(await spill(visited.page), want).toBeLessThanOrEqual(0);
    }
  });
});

/** States of silence, which take longer than a test waits: its clock is put forward. */
const SILENCES: Record<string, (visited: Visited) => Promise<unknown>> = {
  empty: ({ page }) => page.clock.fastForward(4_000),
  down: async ({ page, stream }) => {
    stream.stats({ parts: [{ name: 'ingest.x', state: 'backoff', detail: 'network', reconnects: '7', missed: '12', gaps: '1' }] });
    await eventually(() => page.locator('.parts [data-mood=warn]').count(), 1);
    await page.clock.fastForward(6_000);
  },
  quiet: async ({ page, stream }) => {
    stream.post({ id: '1' });
    await eventually(() => page.locator('article').count(), 1);
    // Not all at once: without a word for so long the connection would be given up.
    for (let i = 0; i < 7; i += 1) {
      stream.stats({ parts: [{ name: `ingest.${i}`, state: 'live' }] });
      await eventually(() => page.locator('.parts li').textContent(), `${i}: live`);
      await page.clock.fastForward(20_000);
    }
  },
  replay: async ({ page }) => {
    await page.keyboard.press('r');
    await page.getByRole('button', { name: 'Play again' }).click();
    (await bench.gateway.stream()).hello();
  },
  offline: async ({ page }) => {
    await page.context().setOffline(true);
    bench.gateway.streams.at(-1)!.drop();
  },
};

describe.each(['dark', 'light'] as const)('silent, in %s', (colorScheme) => {
  it.each(Object.entries(SIZES))('has no accessibility fault, %s', async (name, viewport) => {
    bench.gateway.history = [3, 5, 9, 4];
    const visited = await bench.open({ colorScheme, viewport, reducedMotion: 'reduce', frozen: true });
    await visited.page.clock.resume();
    for (const [want, reach] of Object.entries(SILENCES)) {
      await reach(visited);
      await eventually(() => state(visited.page), want);
      await visited.page.screenshot({ path: join(PICTURES, `${want}-${colorScheme}-${name}.png`) });
      expect(await violations(visited.page), want).toEqual([]);
      expect(await spill(visited.page), want).toBeLessThanOrEqual(0);
    }
  });
});

/** States that a page is in from the start, each with the answer that leads to it. */
const REFUSALS = { signin: 401, refused: 400 };

describe.each(['dark', 'light'] as const)('refused, in %s', (colorScheme) => {
  it.each(Object.entries(SIZES))('has no accessibility fault, %s', async (_, viewport) => {
    for (const [want, status] of Object.entries(REFUSALS)) {
      bench.gateway.problem = { status, title: 'Refused', detail: 'for a reason that is told' };
      bench.gateway.answers.push(status);
      const page = await bench.visit({ path: '/?country=JP', colorScheme, viewport, reducedMotion: 'reduce' });
      await eventually(() => state(page), want);
      expect(await violations(page), want).toEqual([]);
      expect(await spill(page), want).toBeLessThanOrEqual(0);
    }
  });
});

describe('much to tell', () => {
  it('fits into every width, what matters most first', async () => {
    const { page, stream } = await bench.open({ path: '/?country=JP' });
    stream.stats({ rate: 123_456 });
    const stop = flood(() => stream, 2_000);
    await eventually(() => page.locator('.sampling').count(), 1);
    for (const width of [1_440, 1_200, 1_100, 960, 820, 390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await spill(page), `${width} px`).toBeLessThanOrEqual(0);
    }
    stop();
  });
});

describe('by keyboard alone', () => {
  it('goes bar, map, figures, feed', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'one' });
    await eventually(() => page.locator('article').count(), 1);
    const stops: string[] = [];
    for (let i = 0; i < 60 && stops.at(-1) !== 'feed'; i += 1) {
      await page.keyboard.press('Tab');
      stops.push(await page.evaluate(() => document.activeElement?.closest('.bar, .map, .stats, .feed')?.classList[0] ?? ''));
    }
    expect([...new Set(stops)]).toEqual(['bar', 'map', 'stats', 'feed']);
  });

  it('has targets of 24 px at least', async () => {
    const { page, stream } = await bench.open({ viewport: SIZES.narrow });
    sendPost(stream, 0, seeded(1));
    await eventually(() => page.locator('article').count(), 1);
    const small = await page.locator('button, nav a, .credits a').evaluateAll((targets) =>
      targets
        .map((target) => ({ html: target.outerHTML, box: target.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
        .map(({ html }) => html),
    );
    expect(small).toEqual([]);
  });
});

describe('the theme', () => {
  it('follows the system, then the choice, and remembers it', async () => {
    const { page } = await bench.open({ colorScheme: 'dark' });
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await background()).toBe('rgb(11, 15, 23)');
    await page.getByRole('button', { name: /^Theme: system/ }).click();
    expect(await background()).toBe('rgb(244, 246, 250)');
    await page.reload();
    expect(await background()).toBe('rgb(244, 246, 250)');
    await page.getByRole('button', { name: /^Theme: light/ }).click();
    expect(await background()).toBe('rgb(11, 15, 23)');
  });
});
