// Writes src/map/world.json: the coasts and borders of world-atlas, projected for the map's own
// projection, so that the page needs neither the atlas nor what reads it. Run it when world-atlas or
// the projection changes; a test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { geoCentroid, geoEqualEarth, geoGraticule, geoPath } from 'd3-geo';
import { feature, mesh } from 'topojson-client';

/** Units of the drawing per unit of the projection; a tenth of a pixel on a map 1200 px wide. */
export const UNIT = 2_200;
/** Degrees the map is turned east. */
export const ROTATE_DEG = 11;

const require = createRequire(import.meta.url);
const read = (name) => JSON.parse(readFileSync(require.resolve(`world-atlas/${name}.json`), 'utf8'));

/** Collects what d3-geo draws as path data in whole, relative steps, which compress well. */
class Pen {
  data = '';
  #x = 0;
  #y = 0;

  moveTo(x, y) {
    [this.#x, this.#y] = [Math.round(x), Math.round(y)];
    this.data += `M${this.#x},${this.#y}l`;
  }

  lineTo(x, y) {
    const [dx, dy] = [Math.round(x) - this.#x, Math.round(y) - this.#y];
    if (dx === 0 && dy === 0) return;
    this.data += `${/[\dl]$/.test(this.data) && !this.data.endsWith('l') && dx >= 0 ? ' ' : ''}${dx}${dy >= 0 ? ' ' : ''}${dy}`;
    this.#x += dx;
    this.#y += dy;
  }

  closePath() {
    this.data += 'z';
  }
}

/** The whole world as the page fetches it. */
export function world() {
  const projection = geoEqualEarth().rotate([-ROTATE_DEG, 0]).scale(UNIT).translate([0, 0]).precision(2);
  const draw = (shape) => {
    const pen = new Pen();
    geoPath(projection, pen)(shape);
    // A ring too small for a whole step has no line.
    return pen.data.replace(/M-?\d+,-?\d+l(z|(?=M)|$)/g, '');
  };
  const coarse = read('countries-110m');
  const { countries } = coarse.objects;
  return {
    sea: draw({ type: 'Sphere' }),
    grid: draw(geoGraticule().step([10, 10])()),
    borders: draw(mesh(coarse, countries, (a, b) => a !== b)),
    countries: feature(coarse, countries).features.map((shape) => [codeOf(shape), draw(shape)]),
    dots: dots(new Set(countries.geometries.map(({ id }) => id))),
  };
}

/** Code, longitude and latitude of what only the finer atlas has, in order of code. */
function dots(coarse) {
  const fine = read('countries-50m');
  return feature(fine, fine.objects.countries)
    .features.filter(({ id }) => id && !coarse.has(id))
    .map((shape) => [codeOf(shape), ...geoCentroid(shape).map((degrees) => Number(degrees.toFixed(2)))])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The two letters for the number by which the atlas names a country; Kosovo has none, but a name. */
function codeOf({ id, properties }) {
  if (id) return new Intl.Locale(`und-${id}`).region;
  return properties.name === 'Kosovo' ? 'XK' : '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = Object.entries(world()).map(([name, value]) => `"${name}":${JSON.stringify(value).replaceAll('],[', '],\n[')}`);
  writeFileSync(new URL('../src/map/world.json', import.meta.url), `{${lines.join(',\n')}}\n`);
}
