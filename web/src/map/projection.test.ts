import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ROTATE_DEG as DRAWN_ROTATE, UNIT as DRAWN_UNIT, world } from '../../scripts/world.mjs';
import { kmPerPixel, makeProjection, markScale, placeOn, ROTATE_DEG, UNIT, type Point } from './projection';

const SIZE = { width: 1_200, height: 600 };
const projection = makeProjection(SIZE);
const place = (lat: number, lon: number) => placeOn(projection, lat, lon);

/** Equal Earth by its published polynomial (Šavrič, Patterson, Jenny 2018), for a unit sphere. */
function equalEarth(lat: number, lon: number): Point {
  const [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796];
  const theta = Math.asin((Math.sqrt(3) / 2) * Math.sin((lat * Math.PI) / 180));
  const slope = 9 * a4 * theta ** 8 + 7 * a3 * theta ** 6 + 3 * a2 * theta ** 2 + a1;
  const x = (2 * Math.sqrt(3) * ((lon * Math.PI) / 180) * Math.cos(theta)) / (3 * slope);
  return [x, a4 * theta ** 9 + a3 * theta ** 7 + a2 * theta ** 3 + a1 * theta];
}

describe('makeProjection', () => {
  it.each<[string, number, number]>([
    ['where the equator meets Greenwich', 0, 0],
    ['Quito', -0.18, -78.47],
    ['Suva, west of the antimeridian', -18.14, 178.44],
    ['Taveuni, east of it', -16.9, -179.9],
    ['the Chukotka coast', 66.5, -170.5],
    ['Tromsø', 69.65, 18.96],
    ['Ushuaia', -54.8, -68.3],
    ['the north pole', 90, 0],
    ['the south pole', -90, 0],
  ])('agrees with the formula at %s', (_, lat, lon) => {
    const [x0, y0] = place(0, 11);
    const scale = place(0, 12)[0] - x0;
    const turned = ((lon - 11 + 540) % 360) - 180;
    const [unitX, unitY] = equalEarth(lat, turned);
    const degree = equalEarth(0, 1)[0];
    const [x, y] = place(lat, lon);
    expect(x).toBeCloseTo(x0 + (unitX / degree) * scale, 3);
    expect(y).toBeCloseTo(y0 - (unitY / degree) * scale, 3);
  });

  it('keeps Fiji together across the antimeridian, at the right edge', () => {
    const [west] = place(-17, 179.9);
    const [east] = place(-17, -179.9);
    expect(Math.abs(east - west)).toBeLessThan(1);
    expect(west).toBeGreaterThan(SIZE.width / 2);
  });

  it('keeps Chukotka in one piece: its tip is right of the rest of Siberia', () => {
    expect(place(66, -170)[0]).toBeGreaterThan(place(66, 170)[0]);
  });

  it.each([SIZE, { width: 390, height: 195 }, { width: 1_064, height: 700 }, { width: 300, height: 900 }])(
    'shows latitudes -56 to 80 whole in %j, as large as fits',
    (size) => {
      const fitted = makeProjection(size);
      const at = (lat: number, lon: number) => placeOn(fitted, lat, lon);
      const [left, right] = [at(0, 191.01)[0], at(0, 190.99)[0]];
      const [top, bottom] = [at(80, 11)[1], at(-56, 11)[1]];
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(size.width);
      expect(bottom).toBeLessThanOrEqual(size.height);
      const filled = Math.max((right - left) / size.width, (bottom - top) / size.height);
      expect(filled).toBeGreaterThan(0.9);
    },
  );

  it('survives a pane without room', () => {
    const [x] = placeOn(makeProjection({ width: 1, height: 1 }), 0, 0);
    expect(Number.isFinite(x)).toBe(true);
  });
});

describe('world.json', () => {
  it('is what the atlas says, drawn for this projection', () => {
    expect(JSON.parse(readFileSync(new URL('./world.json', import.meta.url), 'utf8'))).toEqual(world());
    expect([DRAWN_UNIT, DRAWN_ROTATE]).toEqual([UNIT, ROTATE_DEG]);
  });

  it('knows the small countries that the coasts lack', () => {
    const codes = world().dots.map(([code]) => code);
    for (const code of ['SG', 'MT', 'MV', 'MU', 'BM', 'WS']) expect(codes).toContain(code);
    expect(codes).not.toContain('JP');
  });
});

describe('scales', () => {
  it('knows how many kilometres a pixel is', () => {
    const [x0] = place(0, 11);
    const [x1] = place(0, 21);
    expect(kmPerPixel(projection) * (x1 - x0)).toBeCloseTo(1_113.2, 0);
  });

  it('shrinks marks with the map, to 0.45 at least and never beyond 1', () => {
    expect([100, 600, 1_200, 4_000].map(markScale)).toEqual([0.45, 0.5, 1, 1]);
  });
});
