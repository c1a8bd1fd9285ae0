import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Bench, eventually, PICTURES, state } from './harness';

const bench = new Bench();

/** What the page says of the parts, each with its mood. */
function said(page: Page): Promise<string[]> {
  return page.locator('.parts li').evaluateAll((rows) =>
    rows.map((row) => `${row.getAttribute('data-mood')} ${row.textContent}`),
  );
}

describe('the parts of the line', () => {
  it('are told as they are, a second after they change', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.stats({
      parts: [
        { name: 'bridge', state: 'working', detail: 'sending twitter_raw, events' },
        { name: 'ingest.demo', state: 'live', reconnects: '2', gaps: '1' },
      ],
    });
    await eventually(() => said(page), ['ok Redis: sending twitter_raw, events', 'ok demo: live2 reconnects · 1 gap']);
    const now = await page.evaluate(() => Date.now());
    stream.stats({
      parts: [
        { name: 'bridge', state: 'away' },
        { name: 'ingest.demo', state: 'backoff', detail: 'network', retryTime: new Date(now + 31_900).toISOString() },
      ],
    });
    await eventually(async () => (await said(page))[0], 'warn Redis away');
    await eventually(() => page.locator('.notices > [role=status]').textContent(), 'Redis: away. demo: no connection');
    const left = async () => Number(/^warn demo: no connection, next try in (\d+) s$/.exec((await said(page))[1]!)?.[1]);
    const first = await left();
    expect(first).toBeGreaterThan(15);
    await eventually(async () => (await page.clock.runFor(1_000), (await left()) <= first - 3), true);
    await page.screenshot({ path: join(PICTURES, 'parts-away.png') });
    stream.stats({});
    await eventually(() => said(page), []);
  });

  it('are told as last heard once the connection is lost, and the figures as of then', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.stats({ parts: [{ name: 'ingest.demo', state: 'live' }] }).post({ id: '1' });
    await eventually(async () => (await page.clock.runFor(50), page.locator('article').count()), 1);
    await page.clock.runFor(3_000);
    const figure = () => page.locator('.throughput .figure b').textContent();
    const before = await figure();
    expect(before).toMatch(/^\d/);
    bench.gateway.answers.push(...Array<'refuse'>(20).fill('refuse'));
    stream.drop();
    await eventually(() => state(page), 'reconnecting');
    await page.clock.runFor(8_000);
    expect(await figure()).toBe(before);
    expect(await page.locator('.throughput h2').textContent()).toMatch(/^Throughput as of \d+ s ago$/);
    expect(await page.locator('.parts').textContent()).toBe('when last hearddemo: live');
    expect(await said(page)).toEqual(['ok demo: live']);
  });

  it('show on a wall only when something is wrong', async () => {
    bench.gateway.stats = { parts: [{ name: 'ingest.demo', state: 'live' }, { name: 'ingest.x', state: 'failed' }] };
    const { page } = await bench.open({ path: '/?kiosk=1' });
    await eventually(() => said(page), ['err x: failed']);
  });
});

describe('the reason on the map', () => {
  it('covers nothing that is there to be pressed, at any width', async () => {
    const { page } = await bench.open({ path: '/?country=MT' });
    await page.locator('.map-note').waitFor();
    for (const width of [1_440, 1_280, 1_100, 960, 820, 390]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await covered(page), `${width} px`).toEqual([]);
    }
  });
});

/** What the reason on the map lies over, or under. */
function covered(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const note = document.querySelector('.map-note')!.getBoundingClientRect();
    return [...document.querySelectorAll('.map-tools button, .legend button, .map .credits a')]
      .filter((element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        return left < note.right && right > note.left && top < note.bottom && bottom > note.top;
      })
      .map((element) => element.textContent);
  });
}
