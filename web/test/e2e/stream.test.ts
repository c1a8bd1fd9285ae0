import { describe, expect, it } from 'vitest';
import { Bench, bodies, eventually, pill, setVisibility, state } from './harness';

const bench = new Bench();

describe('the connection', () => {
  it('asks for all kinds at a pace one can read, then is live', async () => {
    const { page, stream } = await bench.open();
    expect(stream.url.search).toBe('?rate=5');
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
    next.hello({ resumed: true }).post({ id: '2', body: 'after' });
    await eventually(() => bodies(page), ['after', 'before']);
    await eventually(() => state(page), 'live');
  });

  it('notices a stream that has gone silent', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.post({ id: '1' });
    await eventually(async () => (await page.clock.runFor(300), page.locator('article').count()), 1);
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
    await eventually(async () => /^Reconnecting in [23] s$/.test((await pill(page)) ?? ''), true);
    await page.clock.runFor(2_500);
    expect(bench.gateway.asked).toHaveLength(1);
    await page.clock.runFor(1_000);
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

  it('stops drawing while hidden, lets go when that lasts, and begins anew when seen', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    stream.post({ id: '1', body: 'before' });
    await eventually(async () => (await page.clock.runFor(300), bodies(page)), ['before']);
    await setVisibility(page, 'hidden');
    await page.evaluate(() => {
      const counted = globalThis as unknown as { pictures: number };
      counted.pictures = 0;
      globalThis.requestAnimationFrame = () => (counted.pictures += 1);
    });
    stream.post({ id: '2', body: 'while hidden' }).blip({ id: '2', lat: 1, lon: 1 });
    await page.clock.runFor(5_000);
    for (let i = 0; i < 5; i += 1) {
      stream.hb();
      await page.clock.runFor(11_500);
    }
    await stream.gone;
    expect(await page.evaluate(() => (globalThis as unknown as { pictures: number }).pictures)).toBe(0);
    await page.clock.runFor(60_000);
    expect(bench.gateway.asked).toHaveLength(1);
    bench.gateway.past = { posts: [{ id: '9', source: 'test', username: 'u', body: 'the present' }] };
    await setVisibility(page, 'visible');
    (await bench.gateway.stream()).hello();
    await eventually(() => bodies(page), ['the present']);
    await page.getByText('This page was away for a while.').waitFor();
  });

  it('is left in peace by a gateway that refuses, says why, and is tried again on request', async () => {
    bench.gateway.problem = { status: 401, title: 'Sign-in needed', detail: 'no token was shown' };
    bench.gateway.answers.push(401);
    const page = await bench.visit();
    await eventually(() => pill(page), 'Sign in needed');
    await page.getByText('Sign in to read this: no token was shown.').first().waitFor();
    await page.keyboard.press('Escape');
    bench.gateway.problem = undefined;
    await page.getByRole('button', { name: 'Try again' }).click();
    (await bench.gateway.stream()).hello();
    await eventually(() => state(page), 'empty');
  });

  it('lets go of the stream when the page is left', async () => {
    const { page, stream } = await bench.open();
    await page.goto('about:blank');
    await stream.gone;
  });

  it('says what is wrong: nothing yet, late, down, quiet, offline', async () => {
    const { page, stream } = await bench.open({ frozen: true });
    await page.clock.runFor(5_000);
    await eventually(() => pill(page), 'No posts yet');
    stream.post({ id: '1' }).stats({ latency: { p50Ms: 9_000, p95Ms: 14_000 }, backlog: '12400' });
    await eventually(async () => (await page.clock.runFor(1_000), pill(page)), '14.0 s behind, backlog 12,400');
    stream.stats({ parts: [{ name: 'ingest.x', state: 'backoff', detail: 'network' }] });
    await page.clock.runFor(7_000);
    await eventually(() => pill(page), 'Source down');
    await page.locator('.map-note', { hasText: 'The source is down (no connection)' }).waitFor();
    stream.stats({ parts: [{ name: 'ingest.x', state: 'live' }] });
    await eventually(() => pill(page), 'Live');
    for (let i = 0; i < 12; i += 1) {
      await page.clock.runFor(10_000);
      stream.hb();
      await page.waitForTimeout(20);
    }
    await eventually(async () => (await page.clock.runFor(1_000), pill(page)), 'Source quiet');
    await page.locator('.map-note', { hasText: /has sent nothing for 2 min; the pipeline is healthy/ }).waitFor();
    await page.context().setOffline(true);
    stream.drop();
    await eventually(() => pill(page), 'Offline');
    await page.context().setOffline(false);
  });
});
