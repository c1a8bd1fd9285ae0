import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BUDGET_JS, DIST, measure } from '../scripts/measure.mjs';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** The program's own files, without what is generated and the tests. */
function sources(): { name: string; text: string }[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('gen') && !name.includes('.test.'))
    .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));
}

describe('the source', () => {
  it.each([/innerHTML|outerHTML|insertAdjacentHTML|DOMParser|document\.write/, /\beval\(|new Function/, /style="/])(
    'nowhere says %s',
    (forbidden) => {
      expect(sources().filter(({ text }) => forbidden.test(text)).map(({ name }) => name)).toEqual([]);
    },
  );

  it('opens links with noopener', () => {
    const blank = sources().flatMap(({ text }) => text.match(/<a [^>]*target="_blank"[^>]*>/g) ?? []);
    expect(blank.length).toBeGreaterThan(0);
    for (const link of blank) expect(link).toContain('rel="noopener');
  });

  it('takes only types from the generated contracts, so that nothing of protobuf is shipped', () => {
    const uses = sources().flatMap(({ text }) => text.match(/import[^;]*\/gen\/[^;]*;/g) ?? []);
    expect(uses.length).toBeGreaterThan(0);
    for (const use of uses) expect(use).toMatch(/^import type /);
  });
});

describe('the build', () => {
  const files = measure();
  const index = readFileSync(join(DIST, 'index.html'), 'utf8');

  it('keeps JavaScript within its budget', () => {
    const bytes = files.filter(({ name }) => name.endsWith('.js')).reduce((sum, { gzip }) => sum + gzip, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(BUDGET_JS);
  });

  it('keeps the words of other languages out of it, 8 kB each at most', () => {
    const words = files.filter(({ name }) => /^assets\/[a-z]{2,3}-[\w-]{8}\.json$/.test(name));
    expect(words).toHaveLength(readdirSync(join(SRC, 'i18n')).filter((name) => name.endsWith('.json')).length);
    for (const { name, gzip } of words) expect(gzip, name).toBeLessThanOrEqual(8 * 1_024);
    const js = files.filter(({ name }) => name.endsWith('.js')).map(({ name }) => readFileSync(join(DIST, name), 'utf8'));
    expect(js.join('')).not.toContain('Beiträge');
  });

  it('has no script or style in the page, and asks nothing of another host', () => {
    expect(index).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/);
    expect(index).not.toMatch(/https?:\/\//);
    const css = files.filter(({ name }) => name.endsWith('.css')).map(({ name }) => readFileSync(join(DIST, name), 'utf8'));
    expect(css.join('')).not.toMatch(/url\((?!\/assets\/)/);
  });

  it('names every file but the page by its content', () => {
    const names = files.map(({ name }) => name).filter((name) => name !== 'index.html');
    for (const name of names) expect(name).toMatch(/^assets\/[a-zA-Z][\w-]*-[\w-]{8}\.[a-z0-9]+$/);
  });
});
