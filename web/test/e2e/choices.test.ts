import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Bench, bodies, eventually, pill, reading, setVisibility, state } from './harness';

const bench = new Bench();

/** The limits of the newest stream, as it was asked for. */
const asked = () => Object.fromEntries([...bench.gateway.asked.at(-1)!.searchParams].filter(([name]) => name !== 'rate'));

describe('the filter', () => {
  it('is typed, asked of the gateway, written into the address, and survives a reload', async () => {
    const { page } = await bench.open();
    await page.keyboard.press('/');
    await page.keyboard.type('rain @Ann country:jp lang:ja type:reply source:demo');
    await page.keyboard.press('Enter');
    await bench.gateway.stream();
    const want = { q: 'rain', user: 'ann', country: 'JP', lang: 'ja', type: 'reply', source: 'demo' };
    expect(asked()).toEqual(want);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual(want);
    await page.reload();
    (await bench.gateway.stream()).hello();
    expect(asked()).toEqual(want);
    expect(await page.locator('.limit').allTextContents()).toEqual(['@ann×', 'Japan×', 'Japanese×', 'type reply×', 'source demo×', '“rain”×']);
  });

  it('says that nothing matches, and how to get out of it', async () => {
    const { page } = await bench.open({ path: '/?country=MT' });
    await eventually(() => pill(page), 'No posts match');
    await page.locator('.nothing', { hasText: 'No posts match this filter' }).getByRole('button', { name: 'Clear filters' }).click();
    await reading(bench.gateway, '?rate=5');
    expect(new URL(page.url()).search).toBe('');
  });

  it('is told when the gateway does not understand it', async () => {
    bench.gateway.problem = { status: 400, title: 'Bad parameter', detail: '"country" is a country code of two letters' };
    bench.gateway.answers.push(400);
    const page = await bench.visit({ path: '/?country=XXX' });
    await eventually(() => pill(page), 'Filter not understood');
    await page.locator('.nothing').getByText('"country" is a country code of two letters').waitFor();
  });

  it('takes what is clicked: a row of the tops, an author, a country of a card, a sort of post', async () => {
    const windows = [{ minutes: 1, countries: { JP: '9' }, langs: { pt: '4' }, tags: [{ name: 'rain', count: '3' }] }];
    bench.gateway.stats = { windows };
    bench.gateway.past = { posts: [{ id: '1', source: 'test', username: 'Ann', country: 'BR', body: 'x' }] };
    const { page } = await bench.open();
    const choose = async (name: string, want: object) => {
      await page.getByTitle(name, { exact: true }).first().click();
      await eventually(() => Object.fromEntries(new URL(page.url()).searchParams), want);
      await eventually(asked, want);
    };
    await choose('Only @Ann', { user: 'ann' });
    await choose('Only Brazil', { user: 'ann', country: 'BR' });
    await page.keyboard.press('Escape');
    await eventually(() => new URL(page.url()).search, '');
    await choose('Only Japan', { country: 'JP' });
    await choose('Only reply', { country: 'JP', type: 'reply' });
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.getByRole('button', { name: 'Languages' }).click();
    await choose('Only Portuguese', { lang: 'pt' });
    await page.getByRole('button', { name: 'Tags' }).click();
    await choose('Only #rain', { lang: 'pt', q: '#rain' });
  });

  it('is not read anew when nothing changes', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: 'still here' });
    await eventually(() => bodies(page), ['still here']);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'reply', exact: true }).click();
    await reading(bench.gateway, '?rate=5&type=reply');
    expect(bench.gateway.asked).toHaveLength(2);
  });

  it('shows its share of all there is', async () => {
    const { page, stream } = await bench.open({ path: '/?country=JP' });
    stream.stats({ rate: 412.6 }).post({ id: '1' });
    await eventually(async () => /^\d[\d.]* of 412\.6 events\/s/.test((await page.locator('.pulse').textContent()) ?? ''), true);
  });
});

describe('the replay', () => {
  it('begins where one points, at a pace, and ends with one click', async () => {
    // Nothing happened in the first half of the ten minutes: it is passed over.
    bench.gateway.history = [...Array<number>(60).fill(0), ...Array<number>(60).fill(7)];
    const { page, stream } = await bench.open();
    const countries = () => page.locator('.tops li').allTextContents();
    stream.post({ id: '1', body: 'the present' }).stats({ windows: [{ minutes: 1, countries: { JP: '9' } }] });
    await eventually(() => bodies(page), ['the present']);
    await eventually(countries, ['Japan9']);
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('slider', { name: 'Replay from' }).waitFor();
    await page.getByRole('button', { name: 'Play again' }).click();
    const past = await bench.gateway.stream();
    const since = Date.parse(past.url.searchParams.get('since')!);
    expect(Math.abs(Date.now() - 300_000 - since)).toBeLessThan(20_000);
    expect(past.url.searchParams.get('speed')).toBe('1');
    past.hello().send('frame', {
      toSeq: '7', time: new Date(since + 5_000).toISOString(), totals: { simple_tweet: '1' },
      posts: [{ id: 'old', source: 'test', username: 'u', body: 'the past', time: new Date(since + 4_000).toISOString() }],
    });
    past.stats({ windows: [{ minutes: 1, countries: { MT: '3' } }] });
    await eventually(() => bodies(page), ['the past']);
    await eventually(() => state(page), 'replay');
    await eventually(countries, ['Malta3']);
    expect(await page.locator('.tops > .aside').count()).toBe(0);
    await page.getByRole('group', { name: 'Speed' }).getByRole('button', { name: '16×' }).click();
    const faster = await bench.gateway.stream();
    expect(faster.url.searchParams.get('speed')).toBe('16');
    expect(Date.parse(faster.url.searchParams.get('since')!)).toBeGreaterThanOrEqual(since);
    await page.getByRole('button', { name: 'Back to live' }).first().click();
    (await reading(bench.gateway, '?rate=5')).post({ id: '2', body: 'live again' }).stats({ windows: [{ minutes: 1, countries: { JP: '9' } }] });
    await eventually(() => bodies(page), ['live again']);
    await eventually(countries, ['Japan9']);
    await eventually(() => state(page), 'live');
  });
});

describe('a replay that nobody looks at for a while', () => {
  it('goes on where it was', async () => {
    bench.gateway.history = [7];
    const { page } = await bench.open({ frozen: true });
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('button', { name: 'Play again' }).click();
    const past = await bench.gateway.stream();
    const reached = new Date(Date.parse(past.url.searchParams.get('since')!) + 240_000).toISOString();
    past.hello().send('frame', { toSeq: '7', time: reached, totals: { simple_tweet: '1' } });
    await eventually(async () => (await page.clock.runFor(1_000), pill(page)), `Replay ${clockOf(reached)}, 1×`);
    await setVisibility(page, 'hidden');
    for (let i = 0; i < 6; i += 1) {
      past.hb();
      await page.clock.runFor(11_000);
    }
    await past.gone;
    await setVisibility(page, 'visible');
    expect((await bench.gateway.stream()).url.searchParams.get('since')).toBe(reached);
    expect(await page.getByText('This page was away').count()).toBe(0);
  });

  const clockOf = (time: string) => new Intl.DateTimeFormat('en-US', { timeStyle: 'medium' }).format(new Date(time));
});

describe('what one takes along', () => {
  const saved = async (page: Page, name: string) => {
    await page.getByText('⋯').click();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
    await page.getByText('⋯').click();
    return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
  };

  it('is the posts and positions in view, and a picture of the map', async () => {
    const { page, stream } = await bench.open();
    stream.post({ id: '1', body: '=1+1', country: 'JP' }).blip({ id: '1', lat: 35.5, lon: 139.5 });
    await eventually(() => bodies(page), ['=1+1']);
    const csv = await saved(page, 'Posts as CSV');
    expect(csv.name).toMatch(/^blipstream-.*\.csv$/);
    expect(csv.bytes.toString()).toContain("1,test,");
    expect(csv.bytes.toString()).toContain(",'=1+1,post,");
    expect(JSON.parse((await saved(page, 'Posts as NDJSON')).bytes.toString())).toMatchObject({ id: '1', body: '=1+1' });
    expect((await saved(page, 'Positions as CSV')).bytes.toString()).toContain('35.5,139.5,1,post,point');
    const png = await saved(page, 'Map as PNG');
    expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(png.bytes.length).toBeGreaterThan(30_000);
  });
});

describe('the menu', () => {
  it('takes a click on the words beside a box for one on the box, and closes with one elsewhere', async () => {
    const { page } = await bench.open();
    await page.getByText('⋯').click();
    await page.getByText('Less motion').click();
    expect(await page.evaluate(() => document.documentElement.dataset.motion)).toBe('less');
    expect(await page.getByRole('checkbox', { name: 'Less motion' }).isChecked()).toBe(true);
    await page.getByRole('heading', { name: 'Feed' }).click();
    await page.getByText('Less motion').waitFor({ state: 'hidden' });
  });
});

describe('help', () => {
  it('opens with a question mark and closes with Escape, which clears no filter then', async () => {
    const { page } = await bench.open({ path: '/?country=JP' });
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(new URL(page.url()).search).toBe('?country=JP');
  });

  it.each([1_440, 960, 390])('leaves the keys to the page once it is closed, %i px wide', async (width) => {
    bench.gateway.history = [3, 9, 4, 0];
    const { page } = await bench.open({ viewport: { width, height: 720 }, path: '/?country=JP' });
    const dialog = page.getByRole('dialog', { name: 'Keyboard' });
    await page.keyboard.press('?');
    await dialog.waitFor();
    // A click into its text takes the focus out of it, but the keys stay its own.
    await dialog.getByText('Pause and resume everything').click();
    await page.keyboard.press('r');
    expect(await page.locator('.replay').count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.keyboard.press('r');
    await page.getByRole('region', { name: 'Replay' }).waitFor();
    expect(new URL(page.url()).search).toBe('?country=JP');
  });
});
