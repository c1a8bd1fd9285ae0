import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Bench, bodies, eventually, state } from './harness';

const bench = new Bench();
const TABS = 8;

describe.each(['worker', 'leader'] as const)('eight tabs, by %s', (sharing) => {
  it('share one connection, all get all of it, and another filter has its own', async () => {
    const { page, stream } = await bench.open({ sharing });
    const tabs = [page];
    while (tabs.length < TABS) tabs.push(await bench.page(page.context()));
    // A tab hears what is said once it has joined; nobody shows a post twice.
    const hears = (tab: Page) => eventually(async () => (stream.post({ id: '1', body: 'for all' }), bodies(tab)), ['for all']);
    for (const tab of tabs) await hears(tab);
    expect(bench.gateway.asked).toHaveLength(1);
    const other = await bench.page(page.context(), '/?country=JP');
    (await bench.gateway.stream()).hello().post({ id: '2', body: 'for one' });
    await eventually(() => bodies(other), ['for one']);
    expect(bench.gateway.asked).toHaveLength(2);
  });

  it('go on when the first is closed, and let go when the last is', async () => {
    const { page, stream } = await bench.open({ sharing });
    const other = await bench.page(page.context());
    await eventually(async () => (stream.post({ id: '1', body: 'one' }), bodies(other)), ['one']);
    await page.close();
    const next = sharing === 'worker' ? stream : (await bench.gateway.stream()).hello();
    await eventually(async () => (next.post({ id: '2', body: 'two' }), (await bodies(other))[0]), 'two');
    await eventually(() => state(other), 'live');
    await other.close();
    await next.gone;
  });
});

describe('a browser that can share nothing', () => {
  it('has a connection for each tab', async () => {
    const { page } = await bench.open({ sharing: 'none' });
    await bench.page(page.context());
    await bench.gateway.stream();
    expect(bench.gateway.asked).toHaveLength(2);
  });
});
