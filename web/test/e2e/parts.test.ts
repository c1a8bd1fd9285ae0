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

  it('show on a wall only when something is wrong', async () => {
    bench.gateway.stats = { parts: [{ name: 'ingest.demo', state: 'live' }, { name: 'ingest.x', state: 'failed' }] };
    const { page } = await bench.open({ path: '/?kiosk=1' });
    await eventually(() => said(page), ['err x: failed']);
  });
});
