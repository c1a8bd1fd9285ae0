import type { CDPSession, Page } from 'playwright-core';
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
  posts: number;
  nodes: number;
  /** In bytes, after collecting garbage. */
  heap: number;
}

async function measure(page: Page, session: CDPSession): Promise<Size> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = (name: string) => metrics.find((each) => each.name === name)!.value;
  return { posts: await page.locator('article').count(), nodes: metric('Nodes'), heap: metric('JSHeapUsedSize') };
}

describe(`${SECONDS} seconds at ${RATE} posts a second`, () => {
  it('leave the page as large as it was', { timeout: (SECONDS + 60) * 1_000 }, async () => {
    const { page } = await bench.open();
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    await session.send('HeapProfiler.enable');
    const stop = flood(() => bench.gateway.streams.findLast((stream) => stream.isOpen), RATE);
    void greetAll();
    await page.waitForTimeout(WARM_S * 1_000);
    const before = await measure(page, session);
    await page.waitForTimeout((SECONDS - WARM_S) * 1_000);
    const after = await measure(page, session);
    stop();
    const opened = bench.gateway.streams.length;
    console.log(`soak: ${said(before)} after ${WARM_S} s; ${said(after)} after ${SECONDS} s, ${opened} streams opened`);
    // An empty page would be as flat.
    expect(before.posts).toBeGreaterThan(50);
    expect(after.posts).toBeGreaterThan(50);
    expect(after.posts).toBeLessThanOrEqual(200);
    expect(await page.locator('.blips > g').count()).toBeLessThanOrEqual(250);
    // Cards have one node more or less each; a leak of one an event would be thousands.
    expect(after.nodes).toBeLessThan(before.nodes * 1.1 + 200 * 25);
    expect(after.heap).toBeLessThan(before.heap * 1.25 + 6e6);
  });
});

/** Greets whatever the page opens after its first stream, should a busy machine have it connect again. */
async function greetAll(): Promise<never> {
  for (;;) (await bench.gateway.stream()).hello();
}

function said({ posts, nodes, heap }: Size): string {
  return `${posts} posts, ${nodes} nodes, ${(heap / 1e6).toFixed(1)} MB`;
}
