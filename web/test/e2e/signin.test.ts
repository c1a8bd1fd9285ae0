import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchOptions } from '../../scripts/browser.mjs';
import { HAS_PROGRAM, Line, makeToken } from '../live';
import { eventually, pill, state } from './harness';

const SECRET = 'correct horse battery staple, twice';

/** The real program, that shows its posts to none but who has signed in. */
describe.skipIf(!HAS_PROGRAM)('a program that asks for a sign-in', () => {
  let line: Line | undefined;
  let browser: Browser | undefined;
  let around: Server | undefined;
  const faults: string[] = [];
  const context = () => browser!.newContext({ locale: 'en-US', viewport: { width: 1_280, height: 800 } });
  const visit = async (at: BrowserContext, address: string): Promise<Page> => {
    const page = await at.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && !/401|EventSource/.test(message.text()) && faults.push(message.text()));
    await page.goto(address, { timeout: 30_000 });
    return page;
  };
  const cards = (page: Page) => page.locator('article').count();
  const panel = (page: Page) => page.getByRole('dialog', { name: 'Sign in' });
  const signIn = async (page: Page, token: string) => {
    await panel(page).getByLabel('Token').fill(token);
    await panel(page).getByRole('button', { name: 'Sign in' }).click();
  };

  beforeAll(async () => {
    around = createServer((request, response) => {
      const address = new URL(request.url!, 'http://localhost').searchParams.get('page');
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<iframe width="900" height="600" src="${address}"></iframe>`);
    });
    await new Promise<void>((ready) => around!.listen(0, '127.0.0.1', ready));
    const origin = `http://127.0.0.1:${(around.address() as AddressInfo).port}`;
    line = await Line.start('demo:?rate=60&seed=7', { BLIPSTREAM_SECRET_SIGN_IN: SECRET, BLIPSTREAM_FRAME_ORIGIN: origin });
    browser = await chromium.launch(launchOptions());
  });
  afterAll(async () => {
    await browser?.close();
    await line?.stop();
    around?.close();
    expect(faults).toEqual([]);
  });

  it('asks for a token, tells what is wrong with one, and goes on with a good one until one signs out', async () => {
    const here = await context();
    const page = await visit(here, `${line!.url}/?lang=en`);
    const other = await visit(here, line!.url);
    await panel(page).waitFor();
    await page.keyboard.press('Escape');
    await eventually(() => panel(page).count(), 0);
    await eventually(() => pill(page), 'Sign in needed');
    await page.getByRole('region', { name: 'Sign-in' }).getByRole('button', { name: 'Sign in' }).click();
    await signIn(page, `${makeToken(SECRET).slice(0, -4)}AAAA`);
    await page.getByRole('alert').filter({ hasText: 'Not signed in: the token is not valid.' }).waitFor();
    await page.keyboard.press('Control+A');
    await page.keyboard.type(makeToken(SECRET));
    await page.keyboard.press('Enter');
    for (const one of [page, other]) {
      await eventually(async () => (await cards(one)) > 0, true);
      await eventually(() => panel(one).count(), 0);
    }
    expect(page.url()).toBe(`${line!.url}/?lang=en`);
    expect(await page.evaluate(() => document.cookie + JSON.stringify(localStorage))).not.toContain('eyJ');
    const [cookie] = await here.cookies();
    expect(cookie).toMatchObject({ name: 'blipstream', httpOnly: true, sameSite: 'Lax', path: '/' });
    await page.reload();
    await eventually(async () => (await cards(page)) > 0, true);
    await page.getByLabel('More').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    for (const one of [page, other]) await panel(one).waitFor();
    expect(await here.cookies()).toEqual([]);
  });

  it('asks anew when the token has expired under way', async () => {
    const page = await visit(await context(), line!.url);
    await panel(page).waitFor();
    await signIn(page, makeToken(SECRET, '4s'));
    await eventually(async () => (await cards(page)) > 0, true);
    await panel(page).waitFor();
    await signIn(page, makeToken(SECRET));
    await eventually(() => state(page), 'live');
  });

  it('is shown within another page by tickets, none of which stays in an address', async () => {
    const ticket = async () => {
      const answer = await fetch(`${line!.url}/api/ticket`, { method: 'POST', headers: { Authorization: `Bearer ${makeToken(SECRET)}` } });
      return ((await answer.json()) as { ticket: string }).ticket;
    };
    const first = await ticket();
    const address = `${line!.url}/?embed=1&ticket=${first}`;
    const page = await (await context()).newPage();
    await page.exposeFunction('ticket', ticket);
    await page.addInitScript(() => {
      const tell = globalThis as unknown as { ticket: () => Promise<string>; wanted: number };
      tell.wanted = 0;
      addEventListener('message', async ({ data, source }) => {
        if (data?.blipstream !== 'ticket-wanted') return;
        tell.wanted += 1;
        (source as Window).postMessage({ ticket: await tell.ticket() }, '*');
      });
    });
    await page.goto(`http://127.0.0.1:${(around!.address() as AddressInfo).port}/?page=${encodeURIComponent(address)}`);
    const frame = page.frameLocator('iframe');
    await frame.locator('article').first().waitFor();
    const inner = page.frames().find((one) => one !== page.mainFrame())!;
    expect(await inner.evaluate(() => location.search)).toBe('?embed=1&ticket=');
    expect(await page.evaluate(() => (globalThis as unknown as { wanted: number }).wanted)).toBe(0);
    // Its address holds none any more, so the page around is asked.
    await page.reload();
    await frame.locator('article').first().waitFor();
    expect(await page.evaluate(() => (globalThis as unknown as { wanted: number }).wanted)).toBeGreaterThan(0);
  });
});
