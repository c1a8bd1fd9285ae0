import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { partsInEachMood } from '../fixtures';
import { seeded, sendPost } from '../world';
import { SIZES, spill, violations } from './examine';
import { Bench, eventually, pill, state, type Visit, type Visited } from './harness';

const bench = new Bench();

/** The language and the direction of the page. */
function root(page: Page): Promise<string> {
  return page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dir}`);
}

/** What sticks out at any width, by how many pixels. */
async function spills(page: Page, widths: number[]): Promise<Record<number, number>> {
  const found: Record<number, number> = {};
  for (const width of widths) {
    await page.setViewportSize({ width, height: 844 });
    const pixels = await spill(page);
    if (pixels > 0) found[width] = pixels;
  }
  return found;
}

/** What can become of a request for words. */
const FAULTS: Record<string, Visit['words']> = {
  broken: (request) => request.fulfill({ status: 500, body: 'busy' }),
  'never answered': async () => {},
};

/** Brings the page from each state to the next. */
const STATES: Record<string, (visited: Visited) => Promise<unknown>> = {
  live: ({ page, stream }) => {
    const random = seeded(3);
    for (let i = 0; i < 8; i += 1) sendPost(stream, i, random, 400);
    return eventually(() => page.locator('article').count(), 8);
  },
  replay: async ({ page }) => {
    await page.keyboard.press('r');
    await page.locator('.play').click();
    (await bench.gateway.stream()).hello();
  },
  reconnecting: async () => bench.gateway.streams.at(-1)!.gap('slow', 12).bye(60_000),
};

describe.each([['dark', 'wide'], ['light', 'narrow']] as const)('Arabic, in %s and %s', (colorScheme, size) => {
  it('is written from right to left, fits, and has no accessibility fault', async () => {
    bench.gateway.stats = { parts: partsInEachMood(), windows: [{ minutes: 1, countries: { JP: '30', BR: '12' } }] };
    bench.gateway.history = [3, 5, 9, 4];
    const visited = await bench.open({ path: '/?ui=ar', colorScheme, viewport: SIZES[size], reducedMotion: 'reduce' });
    for (const [want, reach] of Object.entries(STATES)) {
      await reach(visited);
      await eventually(() => state(visited.page), want);
      expect(await violations(visited.page), want).toEqual([]);
      expect(await spills(visited.page, Object.values(SIZES).map(({ width }) => width)), want).toEqual({});
      await visited.page.setViewportSize(SIZES[size]);
    }
    expect(await root(visited.page)).toBe('ar rtl');
  });
});

describe('Arabic', () => {
  it('turns the page round, but neither the map nor time', async () => {
    bench.gateway.history = [3, 5, 9, 4];
    const { page, stream } = await bench.open({ path: '/?ui=ar', viewport: SIZES.wide });
    stream.post({ id: '1', body: 'Good morning' }).blip({ id: '1', lat: 0, lon: -100 });
    const left = async (what: string) => (await page.locator(what).first().boundingBox())!.x;
    await eventually(() => page.locator('.blips > g:not([display])').count(), 1);
    expect(await left('.feed')).toBeLessThan(await left('.map'));
    expect(await left('.tools')).toBeLessThan(await left('.brand'));
    const map = (await page.locator('.canvas').boundingBox())!;
    expect(await left('.blips > g:not([display]) .core')).toBeLessThan(map.x + map.width / 2);
    await page.keyboard.press('r');
    const slider = page.getByRole('slider');
    await slider.press('End');
    await bench.gateway.stream();
    const last = Number(await slider.getAttribute('max'));
    await slider.press('ArrowLeft');
    expect(Number(await slider.inputValue())).toBeLessThan(last);
  });

  it('leaves what people wrote in their own language and direction', async () => {
    const { page, stream } = await bench.open({ path: '/?ui=ar' });
    stream.post({ id: '1', body: 'Guten Morgen', lang: 'de' }).post({ id: '2', body: 'Hello', name: 'Ann' });
    await eventually(() => page.locator('article').count(), 2);
    const texts = page.locator('article .text');
    expect(await texts.evaluateAll((all) => all.map((text) => [text.getAttribute('lang'), getComputedStyle(text).direction]).sort())).toEqual([['', 'ltr'], ['de', 'ltr']]);
    expect(await page.locator('article .name').first().getAttribute('lang')).toBe('');
  });
});

describe('the language', () => {
  it('is the browser’s, numbers and names alike', async () => {
    bench.gateway.stats = { parts: partsInEachMood(), windows: [{ minutes: 1, countries: { DE: '1234' } }] };
    const { page, stream } = await bench.open({ locale: 'de-DE' });
    stream.post({ id: '1' });
    await eventually(() => root(page), 'de ltr');
    await page.getByRole('button', { name: 'Anhalten' }).waitFor();
    await page.getByText('1.204 an der Quelle zurückgehalten').waitFor();
    await eventually(() => page.locator('.tops li').allTextContents(), ['Deutschland1.234']);
  });

  it('is English with the browser’s own numbers where there are no such words', async () => {
    bench.gateway.stats = { parts: partsInEachMood() };
    const { page } = await bench.open({ locale: 'pt-BR' });
    await page.getByText('1.204 held back upstream').waitFor();
    expect(await root(page)).toBe('en ltr');
  });

  it('is what the address says, through filters and links', async () => {
    const { page } = await bench.open({ path: '/?ui=fr', locale: 'de-DE' });
    await page.keyboard.press('/');
    await page.keyboard.type('country:jp');
    await page.keyboard.press('Enter');
    await page.locator('.limit', { hasText: 'Japon' }).waitFor();
    expect(new URL(page.url()).searchParams.get('ui')).toBe('fr');
    await page.getByRole('link', { name: 'Carte', exact: true }).click();
    await page.waitForURL('**/step-4?ui=fr');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.getByText('⋯').click();
    await page.getByRole('link', { name: 'Pour un écran mural' }).click();
    await page.waitForURL('**/?kiosk=1&ui=fr');
    await page.locator('.kiosk').waitFor();
    expect(await root(page)).toBe('fr ltr');
  });

  it('is the address’s in a frame, too', async () => {
    const page = await bench.visit({ path: '/?embed=1&ui=ja' });
    await page.getByRole('button', { name: '一時停止' }).waitFor();
    expect(await page.getByRole('link', { name: 'Blipstream' }).getAttribute('href')).toBe('/?ui=ja');
  });

  it('is chosen in the menu, and remembered', async () => {
    const page = await bench.visit({ path: '/?ui=fr&country=JP' });
    await page.getByText('⋯').click();
    const choice = page.getByRole('combobox', { name: 'Langue' });
    expect(await choice.inputValue()).toBe('fr');
    await choice.selectOption('Deutsch');
    await page.getByRole('button', { name: 'Anhalten' }).waitFor();
    expect(new URL(page.url()).search).toBe('?country=JP');
    await page.reload();
    await page.getByRole('button', { name: 'Anhalten' }).waitFor();
    await page.getByText('⋯').click();
    await page.getByRole('combobox', { name: 'Sprache' }).selectOption('wie der Browser');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    expect(await root(page)).toBe('en ltr');
  });

  it.each(Object.entries(FAULTS))('is English if its words are %s', async (_, words) => {
    const { page } = await bench.open({ locale: 'de-DE', words });
    await eventually(() => pill(page), 'Connecting');
    expect(await root(page)).toBe('en ');
  });
});

describe.each(['ar', 'de', 'es', 'fr', 'ja'])('the words of %s', (ui) => {
  it('fit into every width', async () => {
    const { page, stream } = await bench.open({ path: `/?ui=${ui}&country=JP` });
    stream.stats({ rate: 123_456 }).post({ id: '1' });
    await eventually(() => state(page), 'live');
    const widths = [1_200, 820, 390, 320];
    expect(await spills(page, widths)).toEqual({});
    await page.keyboard.press('Space');
    expect(await spills(page, widths)).toEqual({});
    stream.bye(60_000);
    await eventually(() => state(page), 'reconnecting');
    expect(await spills(page, widths)).toEqual({});
  });
});
