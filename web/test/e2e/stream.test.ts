import { describe, expect, it } from 'vitest';
import { Bench, bodies, eventually, pill, state } from './harness';

const bench = new Bench();

describe('the connection', () => {
  it('asks for its kinds and two minutes back, then is live', async () => {
    const { page, stream } = await bench.open();
    expect(stream.url.searchParams.getAll('kind')).toEqual(['simple_tweet', 'geo_blip', 'post_removed', 'geo_removed']);
    expect(stream.url.searchParams.get('since')).toBe('2m');
    stream.post({ id: '1', body: 'first' });
    await eventually(() => bodies(page), ['first']);
    await eventually(() => pill(page), 'Live');
  });

  it.each([['a 503', 503], ['a refusal', 'refuse'], ['a page instead of a stream', 'html']] as const)(
    'survives %s at the start',
    async (_, answer) => {
      bench.gateway.answers.push(answer);
      const page = await bench.visit();
      const stream = await bench.gateway.stream();
      stream.hello().post({ id: '1', body: 'after all' });
      await eventually(() => bodies(page), ['after all']);
    },
  );

  it('goes on after a drop followed by a 503, with the last id it had', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'before' });
    await eventually(() => bodies(page), ['before']);
    bench.gateway.answers.push(503);
    stream.drop();
    await eventually(() => state(page), 'reconnecting');
    const next = await bench.gateway.stream();
    expect(next.url.searchParams.get('lastEventId')).toBe('e1-101');
    expect(next.url.searchParams.has('since')).toBe(false);
    next.hello({ resumed: true }).post({ id: '2', body: 'after' });
    await eventually(() => bodies(page), ['after', 'before']);
    await eventually(() => state(page), 'live');
  });

  it('notices a stream that has gone silent', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.post({ id: '1' });
    await eventually(() => page.locator('article').count(), 0);
    await page.clock.runFor(1_000);
    await eventually(() => page.locator('article').count(), 1);
    await page.clock.runFor(20_000);
    expect(bench.gateway.asked).toHaveLength(1);
    await page.clock.runFor(7_000);
    await stream.gone;
    await page.clock.runFor(2_000);
    const next = await bench.gateway.stream();
    expect(next.url.searchParams.get('lastEventId')).toBe('e1-101');
  });

  it('comes back after a bye when told, and not before', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.post({ id: '1' }).bye(3_000);
    await stream.gone;
    await eventually(() => pill(page), 'Reconnecting in 3 s');
    await page.clock.runFor(2_900);
    expect(bench.gateway.asked).toHaveLength(1);
    await page.clock.runFor(200);
    await bench.gateway.stream();
    expect(bench.gateway.asked).toHaveLength(2);
  });

  it('can be told to retry at once', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1' }).bye(60_000);
    await page.getByRole('button', { name: 'Retry now' }).click();
    (await bench.gateway.stream()).hello();
    await eventually(() => state(page), 'live');
  });

  it('tells of a gap, and drops what it can no longer vouch for', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'before the gap' });
    await eventually(() => bodies(page), ['before the gap']);
    stream.gap('slow', 1_204).post({ id: '2', body: 'after the gap' });
    await eventually(() => bodies(page), ['after the gap']);
    const notice = page.getByText('Up to 1,204 events were missed: this connection was too slow.');
    await notice.waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
    await page.getByText('1,204 events missed').waitFor();
  });

  it('lets go while hidden for long, and resumes when seen', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.post({ id: '1' });
    await page.clock.runFor(1_000);
    await eventually(() => page.locator('article').count(), 1);
    await setVisibility(page, 'hidden');
    for (let i = 0; i < 5; i += 1) {
      stream.hb();
      await page.clock.runFor(12_000);
    }
    await page.clock.runFor(1_000);
    await stream.gone;
    await page.clock.runFor(60_000);
    expect(bench.gateway.asked).toHaveLength(1);
    await setVisibility(page, 'visible');
    const next = await bench.gateway.stream();
    expect(next.url.searchParams.get('lastEventId')).toBe('e1-101');
  });

  it('lets go of the stream when the page is left', async () => {
    const { page, stream } = await bench.open();
    await page.goto('about:blank');
    await stream.gone;
  });

  it('says what is wrong: nothing yet, quiet, late, offline', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    await page.clock.runFor(5_000);
    await eventually(() => pill(page), 'No posts yet');
    stream.post({ id: '1', time: new Date(Date.now() - 14_000).toISOString() });
    await page.clock.runFor(1_000);
    await eventually(() => state(page), 'lagging');
    for (let i = 0; i < 13; i += 1) {
      await page.clock.runFor(10_000);
      stream.hb();
      await eventually(() => state(page), i < 11 ? await state(page) : 'quiet');
    }
    await eventually(() => pill(page), 'Source quiet');
    await page.context().setOffline(true);
    stream.drop();
    await eventually(() => pill(page), 'Offline');
    await page.context().setOffline(false);
  });
});

/** Headless browsers never hide a page, so the page is told that it is. */
async function setVisibility(page: import('playwright-core').Page, value: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((visibility) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visibility });
    document.dispatchEvent(new Event('visibilitychange'));
  }, value);
}
