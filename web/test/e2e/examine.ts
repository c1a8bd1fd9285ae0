import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** The sizes at which every state of the page is looked at. */
export const SIZES = { wide: { width: 1_440, height: 900 }, middle: { width: 960, height: 720 }, narrow: { width: 390, height: 844 } };

/** The broken rules, each with the elements that break it. */
export async function violations(page: Page): Promise<string[]> {
  // The page's policy would refuse a script element; evaluating is not bound by it.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  return page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe;
    const { violations: found } = await axe.run();
    return found.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(' | ')}`);
  });
}

/** By how many pixels something sticks out of the page or its bar, at either side, which would have to be scrolled to. */
export function spill(page: Page): Promise<number> {
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll('.bar *')].map((element) => element.getBoundingClientRect());
    const right = Math.max(document.documentElement.scrollWidth, ...boxes.map((box) => box.right));
    return Math.max(right - innerWidth, ...boxes.map((box) => -box.left));
  });
}
