import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Bench, eventually, PICTURES } from './harness';

const bench = new Bench();

/** What the page says of the parts, each with its mood. */
function said(page: Page): Promise<string[]> {
  return page.locator('.parts li').evaluateAll((rows) =>
    rows.map((row) => `${row.getAttribute('data-mood')} ${row.textContent}`),
  );
}

describe('the parts of the line', () => {
  it('are told as they are, and told anew every ten seconds', async () => {
    bench.gateway.parts = [
      { name: 'bridge', state: 'working', detail: 'sending twitter_raw, events' },
      { name: 'ingest.demo', state: 'live' },
    ];
    const { page } = await bench.open({ frozen: true });
    await eventually(() => said(page), ['ok Redis: sending twitter_raw, events', 'ok demo: live']);
    const now = await page.evaluate(() => Date.now());
    bench.gateway.parts = [
      { name: 'bridge', state: 'away' },
      { name: 'ingest.demo', state: 'backoff', detail: 'network', retryTime: new Date(now + 31_900).toISOString() },
    ];
    await page.clock.runFor(10_100);
    await eventually(async () => (await said(page))[0], 'warn Redis away');
    await eventually(() => page.locator('.notices [role=status]').textContent(), 'Redis: away. demo: no connection');
    const left = async () => Number(/^warn demo: no connection, next try in (\d+) s$/.exec((await said(page))[1]!)?.[1]);
    const first = await left();
    expect(first).toBeGreaterThan(15);
    await page.clock.runFor(3_000);
    await eventually(left, first - 3);
    await page.screenshot({ path: join(PICTURES, 'parts-away.png') });
    bench.gateway.parts = undefined;
    await page.clock.runFor(10_000);
    await eventually(() => said(page), []);
  });

  it('are not asked for while nobody looks', async () => {
    const { page } = await bench.open({ frozen: true });
    const hide = (hidden: boolean) =>
      page.evaluate((state) => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden ? 'hidden' : 'visible');
    await eventually(() => bench.gateway.statsAsked, 1);
    await hide(true);
    await page.clock.runFor(40_000);
    expect(bench.gateway.statsAsked).toBe(1);
    await hide(false);
    await eventually(() => bench.gateway.statsAsked, 2);
  });

  it('show on a wall only when something is wrong', async () => {
    bench.gateway.parts = [
      { name: 'ingest.demo', state: 'live' },
      { name: 'ingest.x', state: 'failed' },
    ];
    const { page } = await bench.open({ path: '/?kiosk=1' });
    await eventually(() => said(page), ['err x: failed']);
  });
});
