// Writes src/map/dots.json: the countries and territories that are too small for the coasts the map
// draws, each as a point. Run it when world-atlas changes; a test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { geoCentroid } from 'd3-geo';
import { feature } from 'topojson-client';

const require = createRequire(import.meta.url);
const read = (name) => JSON.parse(readFileSync(require.resolve(`world-atlas/${name}.json`), 'utf8'));

/** Lists code, longitude and latitude of what only the finer atlas has, in order of code. */
export function dots() {
  const coarse = new Set(read('countries-110m').objects.countries.geometries.map(({ id }) => id));
  const fine = read('countries-50m');
  return feature(fine, fine.objects.countries)
    .features.filter(({ id }) => id && !coarse.has(id))
    .map((shape) => [new Intl.Locale(`und-${shape.id}`).region, ...geoCentroid(shape).map((degrees) => Number(degrees.toFixed(2)))])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = dots().map((dot) => `  ${JSON.stringify(dot)}`);
  writeFileSync(new URL('../src/map/dots.json', import.meta.url), `[\n${rows.join(',\n')}\n]\n`);
}
