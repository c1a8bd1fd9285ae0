import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page, type Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launchOptions } from '../../scripts/browser.mjs';
import { ScriptedGateway, type Stream } from '../gateway';

/** Where pictures of failed and of noteworthy states go. */
export const PICTURES = join(tmpdir(), 'blipstream-web');

/** What a test opens a page with. */
export interface Visit extends BrowserContextOptions {
  path?: string;
  /** True if the test moves the page's clock by hand. */
  frozen?: boolean;
  /** How pages share a connection; frozen ones do not, as a worker has a clock of its own. */
  sharing?: 'worker' | 'leader' | 'none';
  /** What becomes of the request for the words of a language, if not an answer. */
  words?: (request: Route) => Promise<void>;
}

/** A page, and the first stream that it opened. */
export interface Visited {
  page: Page;
  stream: Stream;
}

/** One browser per file, one gateway per test; a page that logs an error fails its test. */
export class Bench {
  gateway!: ScriptedGateway;
  #browser!: Browser;
  #errors: string[] = [];

  constructor() {
    beforeAll(async () => {
      mkdirSync(PICTURES, { recursive: true });
      this.#browser = await chromium.launch(launchOptions());
    });
    afterAll(() => this.#browser.close());
    beforeEach(async () => {
      this.#errors = [];
      this.gateway = await ScriptedGateway.start();
    });
    afterEach(() => this.#tearDown());
  }

  /** Opens the page in a browser context of its own, without waiting for its stream. */
  async visit({ path = '/', frozen = false, sharing = frozen ? 'none' : 'worker', words, ...options }: Visit = {}): Promise<Page> {
    const context = await this.#browser.newContext({ locale: 'en-US', viewport: { width: 1_280, height: 800 }, ...options });
    await context.addInitScript(limitSharing, sharing);
    if (words) await context.route(/\/assets\/[a-z]{2}-[^/]*\.json$/, words);
    return this.page(context, path, frozen);
  }

  /** A page at no address yet, in a browser context of its own. */
  async blank(): Promise<Page> {
    return (await this.#browser.newContext({ viewport: { width: 1_280, height: 800 } })).newPage();
  }

  /** Opens another page of a browser that has one already. */
  async page(context: BrowserContext, path = '/', frozen = false): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => this.#errors.push(error.message));
    page.on('console', (message) => this.#note(message.type(), message.text()));
    if (frozen) await page.clock.install();
    await page.goto(this.gateway.url + path, { timeout: 30_000 });
    if (frozen) await pause(page);
    return page;
  }

  /** Opens the page and greets it on its first stream. */
  async open(options: Visit = {}): Promise<Visited> {
    const page = await this.visit(options);
    const stream = await this.gateway.stream();
    stream.hello();
    return { page, stream };
  }

  /** A refused policy or a broken script is a bug; a stream that fails on purpose is not. */
  #note(type: string, text: string): void {
    if (type === 'error' && !/Failed to load resource|EventSource's response|preload/.test(text)) this.#errors.push(text);
  }

  async #tearDown(): Promise<void> {
    await Promise.all(this.#browser.contexts().map((context) => context.close()));
    await this.gateway.stop();
    expect(this.#errors).toEqual([]);
  }
}

/** Stops a page's clock a second ahead, or further where the machine takes longer than that to do it. */
async function pause(page: Page, ahead = 1_000): Promise<void> {
  try {
    await page.clock.pauseAt(Date.now() + ahead);
  } catch (error) {
    if (ahead > 8_000 || !/to the past/.test(String(error))) throw error;
    await pause(page, 2 * ahead);
  }
}

/** Takes from a page what it would share its connection by. */
function limitSharing(sharing: string): void {
  if (sharing === 'worker') return;
  delete (globalThis as { SharedWorker?: unknown }).SharedWorker;
  if (sharing === 'none') delete (Navigator.prototype as { locks?: unknown }).locks;
}

/** Asks again and again until the answer is the expected one, 30 s at most: machines differ. */
export async function eventually<T>(ask: () => Promise<T> | T, want: T): Promise<void> {
  await expect.poll(ask, { timeout: 30_000, interval: 50 }).toEqual(want);
}

/** The stream that a page reads by now, greeted. */
export async function reading(gateway: ScriptedGateway, search: string): Promise<Stream> {
  await eventually(() => gateway.reading(search) !== undefined, true);
  return gateway.reading(search)!.hello();
}

/** What the pill says. */
export function pill(page: Page): Promise<string | null> {
  return page.locator('.pill').textContent();
}

/** The state behind the pill. */
export function state(page: Page): Promise<string | null> {
  return page.locator('.pill').getAttribute('data-state');
}

/** The texts of the cards, newest first. */
export function bodies(page: Page): Promise<string[]> {
  return page.locator('article .text').allTextContents();
}

/** The keys of the blips that live on the map, in no order. */
export function blips(page: Page): Promise<string[]> {
  return page.locator('.blips > g:not([display])').evaluateAll((groups) =>
    groups.map((group) => group.getAttribute('data-key') ?? '').sort(),
  );
}

/** Headless browsers never hide a page, so the page is told that it is. */
export async function setVisibility(page: Page, value: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((visibility) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visibility });
    document.dispatchEvent(new Event('visibilitychange'));
  }, value);
}
