import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Where the build lands. */
export const DIST = fileURLToPath(new URL('../../services/gateway/web/dist', import.meta.url));

/** Most bytes of gzip'd JavaScript the page may load, map data apart. */
export const BUDGET_JS = 40 * 1024;

/** Lists every file of the build with its size, raw and gzip'd, in bytes. */
export function measure(folder = DIST) {
  return walk(folder).map((path) => {
    const bytes = readFileSync(path);
    return { name: relative(folder, path), raw: bytes.length, gzip: gzipSync(bytes).length };
  });
}

function walk(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? walk(path) : [path]));
}
