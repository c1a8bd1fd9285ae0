import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { world } from '../../scripts/world.mjs';
import { Bench, blips, eventually, reading, state } from './harness';

const bench = new Bench();
/** Shapes of countries and dots of what is too small for one. */
const COUNTRIES = world().countries.length + world().dots.length;

/** How many pixels of a canvas of the map are lit. */
function lit(page: Page, canvas = '.layers > .glow'): Promise<number> {
  return page.locator(canvas).evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const { data } = (element as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
    return data.reduce((sum, alpha, i) => sum + (i % 4 === 3 && alpha > 0 ? 1 : 0), 0);
  });
}

describe('the map', () => {
  it('draws coasts, and blips where they are: at 0,0 too', async () => {
    const { page, stream } = await bench.open();
    await eventually(() => page.locator('.country').count(), COUNTRIES);
    stream.blip({ id: '1', lat: 0, lon: 0 }).blip({ id: '2', lat: 0, lon: 11 });
    await eventually(() => blips(page), ['test:1', 'test:2']);
    const box = await page.locator('.canvas').boundingBox();
    const [x, y] = await page.locator('[data-key="test:2"]').evaluate((group) => {
      const matrix = (group as SVGGElement).getCTM()!;
      return [matrix.e, matrix.f];
    });
    // 11° east is the middle of the map, Greenwich is left of it, on the same line.
    expect(x).toBeCloseTo(box!.width / 2, 0);
    expect(y).toBeGreaterThan(box!.height * 0.4);
  });

  it('lets blips end by themselves and leaves a glow', async () => {
    const { page, stream } = await bench.open();
    stream.blip({ id: '1', lat: 10, lon: 10 });
    await eventually(() => blips(page), ['test:1']);
    await eventually(() => blips(page), []);
    expect(await lit(page)).toBeGreaterThan(0);
  });

  it('takes every sign of a removed post off the map', async () => {
    const { page, stream } = await bench.open();
    stream.blip({ id: '1', lat: 10, lon: 10 }).blip({ id: '2', lat: -30, lon: 20 });
    await eventually(() => blips(page), ['test:1', 'test:2']);
    stream.removePost('1');
    await eventually(async () => (await blips(page)).includes('test:1'), false);
    stream.removePost('2');
    await eventually(() => lit(page), 0);
  });

  it("takes an author's positions off the map up to an id", async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.blip({ id: '9007199254740992', userId: 'u', lat: 10, lon: 10 });
    stream.blip({ id: '9007199254740993', userId: 'u', lat: 20, lon: 20 });
    stream.blip({ id: '5', userId: 'other', lat: 30, lon: 30 });
    await eventually(async () => (await page.clock.runFor(20), page.locator('.blips > g:not([display])').count()), 3);
    stream.removeGeo('u', '9007199254740992');
    await eventually(async () => (await page.clock.runFor(20), blips(page)), ['test:5', 'test:9007199254740993']);
  });

  it('keeps blips in their place on Earth when the window changes', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.blip({ id: '1', lat: 0, lon: 11 });
    await eventually(async () => (await page.clock.runFor(20), blips(page)), ['test:1']);
    await page.setViewportSize({ width: 1_000, height: 700 });
    await eventually(async () => {
      const box = await page.locator('.canvas').boundingBox();
      const x = await page.locator('[data-key="test:1"]').evaluate((group) => (group as SVGGElement).getCTM()!.e);
      return Math.abs(x - box!.width / 2) < 1;
    }, true);
  });

  it('survives a flood with at most 250 blips as elements and the rest on a canvas', async () => {
    const { page, stream } = await bench.open();
    for (let i = 0; i < 3_000; i += 1) stream.blip({ id: String(i), lat: (i % 120) - 50, lon: (i % 340) - 170 });
    await eventually(() => page.locator('.blips > g').count(), 250);
    await eventually(async () => (await lit(page, '.dense')) > 1_000, true);
    await eventually(async () => (await lit(page, '.dense')) + (await blips(page)).length, 0);
  });

  it('shows the past as a glow, not as news', async () => {
    bench.gateway.past = { cells: [{ lat: 10, lon: 10, count: 2 }] };
    const { page } = await bench.open();
    await eventually(async () => (await lit(page)) > 0, true);
    expect(await blips(page)).toEqual([]);
  });

  it('takes a removed post out of a cell that has others', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    const posts = ['1', '2'].map((id) => ({ source: 'test', id, userId: 'u' }));
    stream.blip({ lat: 10, lon: 10, count: 2, posts });
    const live = () => page.locator('.blips > g:not([display])').count();
    await eventually(async () => (await page.clock.runFor(20), live()), 1);
    stream.removePost('1');
    await page.clock.runFor(100);
    expect(await live()).toBe(1);
    stream.removePost('2');
    await eventually(async () => (await page.clock.runFor(20), live()), 0);
  });

  it('moves nothing for a person who asked for less motion', async () => {
    const { page, stream } = await bench.open({ reducedMotion: 'reduce' });
    stream.post({ id: '1' }).blip({ id: '1', lat: 10, lon: 10 });
    await eventually(async () => (await lit(page)) > 0, true);
    await eventually(() => page.locator('article').count(), 1);
    expect(await blips(page)).toEqual([]);
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });

  it('never animates a circle by style', async () => {
    const { page, stream } = await bench.open();
    stream.blip({ id: '1', lat: 10, lon: 10 });
    await eventually(() => blips(page), ['test:1']);
    const animated = await page.evaluate(
      () => document.getAnimations().filter((it) => ((it.effect as KeyframeEffect).target as Element).closest('svg')).length,
    );
    expect(animated).toBe(0);
  });
});

describe('the map under a hand', () => {
  /** Where the base lies: how far it is zoomed in, and moved. */
  const base = (page: Page) =>
    page.locator('.base').evaluate((group) => {
      const { a, e, f } = (group as SVGGElement).getCTM()!;
      return [a * 1_000, e, f].map(Math.round) as [number, number, number];
    });
  const middle = async (page: Page) => {
    const box = (await page.locator('.canvas').boundingBox())!;
    return [box.x + box.width / 2, box.y + box.height / 2] as const;
  };

  it('zooms by wheel, double click, keys and buttons, and comes back', async () => {
    const { page } = await bench.open();
    await eventually(() => page.locator('.country').count(), COUNTRIES);
    const [whole] = await base(page);
    const closer = async (act: () => Promise<unknown>) => {
      const [before] = await base(page);
      await act();
      await eventually(async () => (await base(page))[0] > before * 1.1, true);
    };
    const [x, y] = await middle(page);
    await page.mouse.move(x, y);
    await closer(() => page.mouse.wheel(0, -300));
    await closer(() => page.mouse.dblclick(x, y));
    await closer(() => page.getByRole('button', { name: 'Zoom in' }).click());
    await page.locator('.canvas').focus();
    await closer(() => page.keyboard.press('+'));
    await page.keyboard.press('0');
    await eventually(async () => (await base(page))[0], whole);
  });

  it('moves by drag and by arrow keys, and blips stay where they are on Earth', async () => {
    const { page, stream } = await bench.open();
    await eventually(() => page.locator('.country').count(), COUNTRIES);
    for (let i = 0; i < 3; i += 1) await page.getByRole('button', { name: 'Zoom in' }).click();
    stream.blip({ id: '1', lat: 0, lon: 11 });
    await eventually(() => blips(page), ['test:1']);
    const offset = () =>
      page.evaluate(() => {
        const at = (query: string) => (document.querySelector(query) as SVGGElement).getCTM()!;
        return Math.round(at('[data-key="test:1"]').e - at('.base').e);
      });
    const before = await offset();
    const from = await base(page);
    const [x, y] = await middle(page);
    await page.mouse.move(x, y + 60);
    await page.mouse.down();
    await page.mouse.move(x + 80, y + 90, { steps: 4 });
    await page.mouse.up();
    await eventually(async () => (await base(page))[1] - from[1], 80);
    expect(Math.abs((await offset()) - before)).toBeLessThanOrEqual(1);
    await page.locator('.canvas').focus();
    await page.keyboard.press('ArrowRight');
    await eventually(async () => (await base(page))[1], from[1]);
    expect(bench.gateway.asked).toHaveLength(1);
  });

  it('zooms under two fingers', async () => {
    const { page } = await bench.open({ viewport: { width: 390, height: 844 }, hasTouch: true });
    await eventually(() => page.locator('.country').count(), COUNTRIES);
    const [before] = await base(page);
    const box = (await page.locator('.canvas').boundingBox())!;
    const touch = await page.context().newCDPSession(page);
    const fingers = (type: string, apart: number) =>
      touch.send('Input.dispatchTouchEvent', {
        type: type as 'touchStart',
        touchPoints: apart ? [-apart, apart].map((dx, id) => ({ x: box.x + box.width / 2 + dx, y: box.y + box.height / 2, id })) : [],
      });
    await fingers('touchStart', 30);
    for (const apart of [40, 60, 80, 100]) await fingers('touchMove', apart);
    await fingers('touchEnd', 0);
    await eventually(async () => (await base(page))[0] > before * 1.5, true);
  });

  it('limits the page to a country that is clicked, and tells what it is beforehand', async () => {
    bench.gateway.stats = { windows: [{ minutes: 5, countries: { BR: '30', JP: '10' } }] };
    const { page } = await bench.open();
    await eventually(() => page.locator('.country').count(), COUNTRIES);
    const brazil = (await page.locator('[data-code="BR"]').boundingBox())!;
    await page.mouse.move(brazil.x + brazil.width / 2, brazil.y + brazil.height / 3);
    await eventually(() => page.locator('.readout').textContent(), 'Brazil30 in 5 min · 75%Click to see only this');
    await page.mouse.click(brazil.x + brazil.width / 2, brazil.y + brazil.height / 3);
    const limited = await bench.gateway.stream();
    expect(limited.url.searchParams.get('country')).toBe('BR');
    await eventually(() => new URL(page.url()).search, '?country=BR');
    await page.getByRole('button', { name: 'Remove filter Brazil' }).click();
    await reading(bench.gateway, '?rate=5');
    expect(new URL(page.url()).search).toBe('');
  });

  it('takes a double click on a country for a zoom, and for no choice', async () => {
    const { page } = await bench.open();
    await eventually(() => page.locator('.country').count(), COUNTRIES);
    const press = (clicks: number) =>
      page.locator('[data-code="BR"]').evaluate((country, times) => {
        const at = { bubbles: true, button: 0, clientX: 300, clientY: 300 };
        for (let i = 0; i < times; i += 1) {
          for (const name of ['pointerdown', 'pointerup']) country.dispatchEvent(new PointerEvent(name, { ...at, pointerId: 1 }));
        }
        if (times === 2) country.dispatchEvent(new MouseEvent('dblclick', at));
      }, clicks);
    const [before] = await base(page);
    await press(2);
    await eventually(async () => (await base(page))[0] > before * 1.1, true);
    await press(1);
    await reading(bench.gateway, '?country=BR&rate=5');
    expect(bench.gateway.asked).toHaveLength(2);
  });

  it('shows countries by number, and the numbers as a table', async () => {
    const windows = [1, 5, 60].map((minutes) => ({ minutes, countries: { BR: String(30 * minutes), SG: String(minutes) } }));
    bench.gateway.stats = { windows };
    const { page, stream } = await bench.open();
    await page.keyboard.press('3');
    await eventually(() => page.locator('[data-code="BR"]').getAttribute('data-level'), '5');
    expect(await page.locator('.legend .scale').textContent()).toBe('fewer  more, last 5 min');
    expect(await page.locator('[data-code="SG"]').getAttribute('data-level')).not.toBeNull();
    expect(await page.locator('[data-code="JP"]').getAttribute('data-level')).toBeNull();
    await page.keyboard.press('m');
    const rows = await page.locator('.map-table tbody tr').allTextContents();
    expect(rows).toEqual(['Brazil301501,800', 'Singapore1560']);
    expect(new URL(page.url()).search).toBe('?map=table');
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`A${String.fromCharCode(65 + i)}`, '9']));
    stream.stats({ windows: [{ minutes: 1, countries: many }, { minutes: 5, countries: { SG: '7' } }, { minutes: 60, countries: { SG: '8' } }] });
    await eventually(() => page.locator('.map-table tbody tr').first().textContent(), 'Singapore–78');
    await page.reload();
    await page.getByRole('region', { name: 'Positions by country' }).waitFor();
    for (const width of [1_400, 1_280, 900]) {
      await page.setViewportSize({ width, height: 700 });
      const [table, credits] = await Promise.all(['.map-table', '.map .credits'].map((what) => page.locator(what).boundingBox()));
      expect(table!.y + table!.height, `at ${width}`).toBeLessThanOrEqual(credits!.y);
    }
  });
});

describe('the addresses', () => {
  it('opens the feed alone at /step-3', async () => {
    const { page, stream } = await bench.open({ path: '/step-3' });
    expect(stream.url.searchParams.getAll('kind')).toEqual(['simple_tweet']);
    await page.getByRole('heading', { name: 'Feed' }).waitFor();
    expect(await page.locator('.map').count()).toBe(0);
  });

  it('opens the map alone at /step-4', async () => {
    const { page, stream } = await bench.open({ path: '/step-4' });
    expect(stream.url.searchParams.getAll('kind')).toEqual(['geo_blip']);
    await page.getByRole('img', { name: /^World map/ }).waitFor();
    expect(await page.locator('.feed').count()).toBe(0);
  });

  it('hides everything to operate on a wall', async () => {
    const { page } = await bench.open({ path: '/?kiosk=1' });
    await page.locator('.world').waitFor();
    expect(await page.locator('button:visible').count()).toBe(0);
    expect(await page.locator('.feed, .stats').count()).toBe(0);
  });

  it('fills the frame that it is given within another page, and names whose map it is in every one', async () => {
    const { page } = await bench.open({ path: '/?embed=1' });
    await page.locator('.world').waitFor();
    for (const [width, height] of [[1_000, 500], [800, 450], [600, 340], [420, 500]] as const) {
      await page.setViewportSize({ width, height });
      const { bottom, scrolls } = await page.evaluate(() => ({
        bottom: document.querySelector('.map .credits')!.getBoundingClientRect().bottom,
        scrolls: document.documentElement.scrollHeight > innerHeight,
      }));
      expect(scrolls, `${width} px`).toBe(false);
      expect(bottom, `${width} px`).toBeLessThanOrEqual(height);
      expect(bottom, `${width} px`).toBeGreaterThan(0);
    }
  });

  it('puts the feed below the map on an upright tablet, beside it on one that lies', async () => {
    const { page } = await bench.open({ viewport: { width: 900, height: 1_100 } });
    const box = async (name: string) => (await page.locator(name).boundingBox())!;
    expect((await box('.map')).width).toBe(900);
    expect((await box('.feed')).y).toBeGreaterThan((await box('.map')).y + (await box('.map')).height);
    await page.setViewportSize({ width: 1_024, height: 768 });
    expect((await box('.feed')).y).toBe((await box('.map')).y);
  });

  it('keeps to itself within another page: what was asked for, the state and pause', async () => {
    const { page } = await bench.open({ path: '/step-4?embed=1' });
    await page.locator('.world').waitFor();
    expect(await page.locator('.stats, .views, .filter').count()).toBe(0);
    await page.getByRole('button', { name: 'Pause' }).click();
    await eventually(() => state(page), 'paused');
    const link = page.getByRole('link', { name: 'Blipstream' });
    expect([await link.getAttribute('href'), await link.getAttribute('rel')]).toEqual(['/step-4', 'noopener']);
  });
});
