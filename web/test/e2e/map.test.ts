import { describe, expect, it } from 'vitest';
import { Bench, blips, eventually } from './harness';

const bench = new Bench();

describe('the map', () => {
  it('draws coasts, and blips where they are: at 0,0 too', async () => {
    const { page, stream } = await bench.open();
    await eventually(async () => ((await page.locator('.land').getAttribute('d')) ?? '').length > 10_000, true);
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
    expect(await page.locator('.glow circle').count()).toBe(1);
  });

  it('takes every sign of a removed post off the map', async () => {
    const { page, stream } = await bench.open();
    stream.blip({ id: '1', lat: 10, lon: 10 }).blip({ id: '2', lat: -30, lon: 20 });
    await eventually(() => blips(page), ['test:1', 'test:2']);
    stream.removePost('1');
    await eventually(() => page.locator('.glow circle').count(), 1);
    expect(await blips(page)).not.toContain('test:1');
  });

  it("takes an author's positions off the map up to an id", async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.blip({ id: '9007199254740992', userId: 'u', lat: 10, lon: 10 });
    stream.blip({ id: '9007199254740993', userId: 'u', lat: 20, lon: 20 });
    stream.blip({ id: '5', userId: 'other', lat: 30, lon: 30 });
    await eventually(() => page.locator('.blips > g:not([display])').count(), 3);
    stream.removeGeo('u', '9007199254740992');
    await eventually(() => blips(page), ['test:5', 'test:9007199254740993']);
  });

  it('keeps blips in their place on Earth when the window changes', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.blip({ id: '1', lat: 0, lon: 11 });
    await eventually(() => blips(page), ['test:1']);
    await page.setViewportSize({ width: 1_000, height: 700 });
    await eventually(async () => {
      const box = await page.locator('.canvas').boundingBox();
      const x = await page.locator('[data-key="test:1"]').evaluate((group) => (group as SVGGElement).getCTM()!.e);
      return Math.abs(x - box!.width / 2) < 1;
    }, true);
  });

  it('survives a flood with at most 250 blips', async () => {
    const { page, stream } = await bench.open();
    for (let i = 0; i < 3_000; i += 1) stream.blip({ id: String(i), lat: (i % 120) - 50, lon: (i % 340) - 170 });
    await eventually(() => page.locator('.blips > g').count(), 250);
    stream.blip({ id: 'last', lat: 0, lon: 0 });
    await eventually(async () => (await blips(page)).includes('test:last'), true);
  });

  it('shows the past as a glow, not as news', async () => {
    const page = await bench.visit();
    const stream = await bench.gateway.stream();
    stream.hello({ lastSeq: String(bench.gateway.seq + 1) }).blip({ id: '1', lat: 10, lon: 10 });
    await eventually(() => page.locator('.glow circle').count(), 1);
    expect(await blips(page)).toEqual([]);
  });

  it('moves nothing for a person who asked for less motion', async () => {
    const { page, stream } = await bench.open({ reducedMotion: 'reduce' });
    stream.post({ id: '1' }).blip({ id: '1', lat: 10, lon: 10 });
    await eventually(() => page.locator('.glow circle').count(), 1);
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

describe('the addresses', () => {
  it('opens the feed alone at /step-3', async () => {
    const { page, stream } = await bench.open({ path: '/step-3' });
    expect(stream.url.searchParams.getAll('kind')).not.toContain('geo_blip');
    await page.getByRole('heading', { name: 'Feed' }).waitFor();
    expect(await page.locator('.map').count()).toBe(0);
  });

  it('opens the map alone at /step-4', async () => {
    const { page, stream } = await bench.open({ path: '/step-4' });
    expect(stream.url.searchParams.getAll('kind')).not.toContain('simple_tweet');
    await page.getByRole('img', { name: /^World map/ }).waitFor();
    expect(await page.locator('.feed').count()).toBe(0);
  });

  it('hides everything to operate on a wall', async () => {
    const { page } = await bench.open({ path: '/?kiosk=1' });
    await page.locator('.world').waitFor();
    expect(await page.locator('button').count()).toBe(0);
    expect(await page.locator('.feed, .stats').count()).toBe(0);
  });
});
