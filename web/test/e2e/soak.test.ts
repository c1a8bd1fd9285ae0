import type { CDPSession } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { flood } from '../flood';
import { Bench } from './harness';

const bench = new Bench();
/** How long the page is flooded, and how long it may take to fill up before that counts. */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 80);
/** The map remembers a minute, and as long takes the feed to fill. */
const WARM_S = Math.min(70, 0.8 * SECONDS);
const RATE = 500;

interface Size {
  nodes: number;
  /** In bytes, after collecting garbage. */
  heap: number;
}

async function measure(session: CDPSession): Promise<Size> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = (name: string) => metrics.find((each) => each.name === name)!.value;
  return { nodes: metric('Nodes'), heap: metric('JSHeapUsedSize') };
}

describe(`${SECONDS} seconds at ${RATE} posts a second`, () => {
  it('leave the page as large as it was', { timeout: (SECONDS + 60) * 1_000 }, async () => {
    const { page, stream } = await bench.open();
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    await session.send('HeapProfiler.enable');
    const stop = flood(stream, RATE);
    await page.waitForTimeout(WARM_S * 1_000);
    const before = await measure(session);
    await page.waitForTimeout((SECONDS - WARM_S) * 1_000);
    const after = await measure(session);
    stop();
    console.log(`soak: ${before.nodes} nodes, ${mb(before)} MB after ${WARM_S} s; ${after.nodes} nodes, ${mb(after)} MB after ${SECONDS} s`);
    expect(await page.locator('article').count()).toBeLessThanOrEqual(200);
    expect(await page.locator('.blips > g').count()).toBeLessThanOrEqual(250);
    // Cards have one node more or less each; a leak of one an event would be thousands.
    expect(after.nodes).toBeLessThan(before.nodes * 1.1 + 200 * 25);
    expect(after.heap).toBeLessThan(before.heap * 1.25 + 6e6);
  });
});

function mb({ heap }: Size): string {
  return (heap / 1e6).toFixed(1);
}
