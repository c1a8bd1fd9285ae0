// Takes a picture of a running Blipstream: npm run screenshot -- URL FILE [theme] [WIDTHxHEIGHT] [seconds]
import { chromium } from 'playwright-core';
import { launchOptions } from './browser.mjs';

const [url, file, theme = 'dark', size = '1440x900', seconds = '8'] = process.argv.slice(2);
if (!url || !file) {
  console.error('usage: npm run screenshot -- URL FILE [dark|light] [WIDTHxHEIGHT] [seconds to wait]');
  process.exit(2);
}

const [width, height] = size.split('x').map(Number);
const browser = await chromium.launch(launchOptions());
try {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
  await page.goto(url, { timeout: 10_000 });
  await page.waitForSelector('article, .blip:not([display])', { timeout: 15_000 });
  await page.waitForTimeout(Number(seconds) * 1_000);
  await page.screenshot({ path: file });
} finally {
  await browser.close();
}
