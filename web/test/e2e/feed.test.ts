import { describe, expect, it } from 'vitest';
import { seeded, sendPost } from '../world';
import { Bench, bodies, eventually, pill } from './harness';

const bench = new Bench();
const WIDE_FROM = 820;

describe('the feed', () => {
  it('shows who, where, what and how long ago', async () => {
    const { page, stream } = await bench.open();
    stream.post({
      id: '1', username: 'haru', name: '春', body: 'おはよう https://example.com/a', lang: 'ja', country: 'JP', type: 'reply',
      time: new Date(Date.now() - 5.5 * 60_000).toISOString(),
    });
    const card = page.getByRole('article', { name: '春' });
    await card.waitFor();
    expect(await card.locator('.handle').textContent()).toBe('@haru');
    expect(await card.getByTitle('Only Japan').textContent()).toBe('JP');
    expect(await card.locator('.text').getAttribute('lang')).toBe('ja');
    expect(await card.locator('.text').getAttribute('dir')).toBe('auto');
    expect(await card.locator('time').textContent()).toBe('5 min');
    expect(await card.locator('.mark').getAttribute('class')).toContain('reply');
    const link = card.getByRole('link');
    expect(await link.getAttribute('href')).toBe('https://example.com/a');
    expect(await link.getAttribute('rel')).toContain('noopener');
  });

  it('keeps hostile posts text, and inside their cards', async () => {
    const { page, stream } = await bench.open();
    const hostile = [
      '<script>window.owned = true</script><img src=x onerror="window.owned = true">',
      '\u202Egnirts desrever a \u2066 <b>bold</b>',
      'x'.repeat(10_000),
      `Z${'\u0300\u0301\u0316\u0317'.repeat(300)}algo`,
      'javascript:window.owned=true https://user@evil.example data:text/html,<i>',
    ];
    hostile.forEach((text, i) => stream.post({ id: String(i), url: text, city: text, name: text, username: text, body: text, lang: '"><b>' }));
    await eventually(() => page.locator('article').count(), hostile.length);
    expect(await page.evaluate(() => 'owned' in window)).toBe(false);
    expect(await page.locator('article :is(script, img, b, i, a)').count()).toBe(0);
    await eventually(() => page.locator('article').count(), hostile.length);
    expect((await bodies(page)).at(-1)).toBe(hostile[0]);
    const spill = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(spill).toBeLessThanOrEqual(0);
    const heights = await page.locator('article').evaluateAll((cards) => cards.map((card) => card.clientHeight));
    for (const height of heights) expect(height).toBeLessThan(160);
  });

  it('lets a removed post vanish, wherever it is', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'stays' }).post({ id: '2', body: 'goes' });
    await eventually(() => bodies(page), ['goes', 'stays']);
    stream.removePost('2').removePost('3').post({ id: '3', body: 'was removed before it came' });
    await eventually(() => bodies(page), ['stays']);
    stream.post({ id: '4', body: 'later' });
    await eventually(() => bodies(page), ['later', 'stays']);
  });

  it('takes the place off a card when positions are removed', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '9007199254740992', userId: 'u', country: 'JP' });
    stream.post({ id: '9007199254740993', userId: 'u', country: 'BR' });
    await eventually(() => page.locator('article .chip').allTextContents(), ['BR', 'JP']);
    stream.removeGeo('u', '9007199254740992');
    await eventually(() => page.locator('article .chip').allTextContents(), ['BR']);
  });

  it('stands still under the mouse and shows what came meanwhile on request', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'one' });
    await eventually(() => bodies(page), ['one']);
    await page.locator('article').hover();
    stream.post({ id: '2', body: 'two' }).post({ id: '3', body: 'three' });
    const button = page.getByRole('button', { name: '2 new posts' });
    await button.waitFor();
    expect(await bodies(page)).toEqual(['one']);
    await button.click();
    await eventually(() => bodies(page), ['three', 'two', 'one']);
    await page.mouse.move(5, 5);
    stream.post({ id: '4', body: 'four' });
    await eventually(async () => (await bodies(page))[0], 'four');
  });

  it.each([1_280, 390])('stands still when scrolled, %i px wide', async (width) => {
    bench.gateway.past = { posts: Array.from({ length: 30 }, (_, i) => ({ id: String(i), source: 'test', username: 'u', body: `number ${i}` })) };
    const { page, stream } = await bench.open({ viewport: { width, height: 600 } });
    await eventually(() => page.locator('article').count(), 30);
    const scroller = width < WIDE_FROM ? 'html' : '.list';
    await page.locator(scroller).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    const before = await bodies(page);
    stream.post({ id: '99', body: 'new' });
    await page.getByRole('button', { name: /new posts?$/ }).waitFor();
    expect(await bodies(page)).toEqual(before);
    await page.getByRole('button', { name: /new posts?$/ }).click();
    await eventually(async () => (await bodies(page))[0], 'new');
  });

  it('pauses by key and by button, counts what is held, and goes on', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'one' });
    await eventually(() => bodies(page), ['one']);
    await page.keyboard.press('Space');
    stream.post({ id: '2', body: 'two' }).blip({ id: '2', lat: 1, lon: 1 });
    await eventually(() => pill(page), 'Paused · 2 held');
    expect(await bodies(page)).toEqual(['one']);
    expect(await page.locator('.blips > g:not([display])').count()).toBe(0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await eventually(() => bodies(page), ['two', 'one']);
    await eventually(() => pill(page), 'Live');
  });

  it('shows a sample of a burst, says so, and keeps its size', async () => {
    const { page, stream } = await bench.open();
    const random = seeded(1);
    const began = Date.now();
    for (let burst = 0; burst < 30; burst += 1) {
      for (let i = 0; i < 100; i += 1) sendPost(stream, burst * 100 + i, random);
      await page.waitForTimeout(100);
    }
    await eventually(async () => /1 in \d{2,}/.test((await page.locator('.sampling').textContent()) ?? ''), true);
    // Four a second are shown, however long this took, and the few that waited.
    const shown = await page.locator('article').count();
    expect(shown).toBeLessThan(20 + (4 * (Date.now() - began)) / 1_000);
    expect(await page.locator('.blips > g').count()).toBeLessThanOrEqual(250);
    expect(await page.getByText('Simulated data').count()).toBe(1);
  });

  it('fills a fresh page from the past at once, newest first', async () => {
    bench.gateway.past = { posts: Array.from({ length: 300 }, (_, i) => ({ id: String(i), source: 'test', username: 'u', body: String(i) })) };
    const { page } = await bench.open();
    await eventually(async () => (await bodies(page))[0], '299');
    expect(await page.locator('article').count()).toBe(200);
  });

  it('is throttled by a switch and a rate, and tells what there is beside what it shows', async () => {
    const { page, stream } = await bench.open();
    for (let i = 0; i < 40; i += 1) stream.post({ id: String(i) });
    await page.waitForTimeout(1_200);
    expect(await page.locator('article').count()).toBeLessThan(12);
    await page.getByLabel('Posts a second to show').fill('20');
    await page.getByLabel('Posts a second to show').press('Tab');
    const faster = await bench.gateway.stream();
    expect(faster.url.searchParams.get('rate')).toBe('21');
    await page.getByRole('checkbox', { name: 'Throttle to' }).uncheck();
    const all = await bench.gateway.stream();
    expect(all.url.searchParams.has('rate')).toBe(false);
    all.hello();
    await page.mouse.move(5, 5);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    for (let i = 0; i < 150; i += 1) all.post({ id: `n${i}` });
    await eventually(() => page.locator('article').count(), 150);
    await eventually(async () => /^\d[\d.]* of \d[\d.]* posts\/s$/.test((await page.locator('.rates').textContent()) ?? ''), true);
  });

  it('is walked with j and k', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'one', name: 'A' }).post({ id: '2', body: 'two', name: 'B' });
    await eventually(() => bodies(page), ['two', 'one']);
    await page.getByRole('feed').focus();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    const focused = () => page.evaluate(() => document.activeElement?.querySelector('.name')?.textContent);
    expect(await focused()).toBe('A');
    await page.keyboard.press('k');
    expect(await focused()).toBe('B');
  });
});
