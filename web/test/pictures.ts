import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Page } from 'playwright-core';

/** How coarse pictures are compared: a point is so many pixels wide and high, so that letters are but grey. */
const POINT = 12;
/** Points that differ by less in each colour, of 255, are the same: another machine smooths edges in another way. */
const TOLERANCE = 14;

/** Red, green, blue and opacity. */
const CHANNELS = 4;

/** Writes pictures anew instead of comparing with them. */
const RENEWS = process.env.PAGE_PICTURES === 'renew';

/**
 * The share of a page's picture, from 0 to 1, that is not as in the file. Both
 * are compared as blurred as one sees them from far away: what stands where,
 * in which colour, but not the shapes of letters, which differ with the fonts.
 */
export async function difference(page: Page, file: string): Promise<number> {
  const now = await draw(page, await page.screenshot(), POINT);
  if (RENEWS) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.from(now.png, 'base64'));
  }
  if (!existsSync(file)) throw new Error(`pictures: compare ${file}: there is none; make it with PAGE_PICTURES=renew`);
  const before = await draw(page, readFileSync(file), 1);
  if (before.bytes.length !== now.bytes.length) return 1;
  const far = now.bytes.map((value, i) => Math.abs(value - before.bytes[i]!) > TOLERANCE);
  const points = far.length / CHANNELS;
  return Array.from({ length: points }, (_, i) => far.slice(CHANNELS * i, CHANNELS * (i + 1)).includes(true)).filter(Boolean).length / points;
}

/** Draws a picture in a browser, which can read and write it; each point is the mean of its pixels. */
async function draw(page: Page, png: Buffer, point: number): Promise<{ png: string; bytes: number[] }> {
  const blank = await page.context().newPage();
  try {
    return await blank.evaluate(meanOf, { png: png.toString('base64'), point });
  } finally {
    await blank.close();
  }
}

/** Runs in the browser. */
async function meanOf({ png, point }: { png: string; point: number }): Promise<{ png: string; bytes: number[] }> {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const sheet = document.createElement('canvas');
  [sheet.width, sheet.height] = [Math.floor(picture.width / point), Math.floor(picture.height / point)];
  const pen = sheet.getContext('2d', { willReadFrequently: true })!;
  const whole = new OffscreenCanvas(picture.width, picture.height).getContext('2d', { willReadFrequently: true })!;
  whole.drawImage(picture, 0, 0);
  const from = whole.getImageData(0, 0, picture.width, picture.height).data;
  const to = pen.createImageData(sheet.width, sheet.height);
  for (let i = 0; i < to.data.length; i += 1) {
    const [x, y] = [((i >> 2) % sheet.width) * point, Math.floor((i >> 2) / sheet.width) * point];
    let sum = 0;
    for (let n = 0; n < point * point; n += 1) sum += from[4 * ((y + Math.floor(n / point)) * picture.width + x + (n % point)) + (i & 3)]!;
    to.data[i] = sum / (point * point);
  }
  pen.putImageData(to, 0, 0);
  return { png: sheet.toDataURL().replace(/^.*,/, ''), bytes: [...to.data] };
}
