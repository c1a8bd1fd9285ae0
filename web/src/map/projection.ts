/** Degrees the map is turned east, which keeps Chukotka in one piece. */
export const ROTATE_DEG = 11;
/** Units of the drawing in world.json per unit of the projection; scripts/world.mjs makes it with the same. */
export const UNIT = 2_200;
/** The latitudes that must be in view: beyond them hardly anybody posts. */
const SOUTH = -56;
const NORTH = 80;
/** The part of the pane's shorter side that is left free around the map. */
const PAD = 0.03;
/** The polynomial of Equal Earth (Šavrič, Patterson, Jenny 2018). */
const [A1, A2, A3, A4] = [1.340264, -0.081106, 0.000893, 0.003796];
const M = Math.sqrt(3) / 2;
const RADIANS = Math.PI / 180;
/** Length of one degree along the equator. */
const KM_PER_DEGREE = 111.32;

/** Size of the map's pane, in CSS pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Where a position lies in the pane, in CSS pixels. */
export type Point = readonly [x: number, y: number];

/** How the world lies in a pane: x and y are where its middle is, in CSS pixels. */
export interface Projection {
  x: number;
  y: number;
  /** CSS pixels per unit of the projection. */
  scale: number;
}

/** Equal Earth on a unit sphere, turned east; y grows to the south, as on a screen. */
export function project(lat: number, lon: number): Point {
  const turned = ((((lon - ROTATE_DEG + 180) % 360) + 360) % 360) - 180;
  const theta = Math.asin(M * Math.sin(lat * RADIANS));
  const t2 = theta * theta;
  const t6 = t2 * t2 * t2;
  const slope = A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2);
  return [(turned * RADIANS * Math.cos(theta)) / (M * slope), -theta * (A1 + A2 * t2 + t6 * (A3 + A4 * t2))];
}

/** Fits the inhabited latitudes into a pane, as large as it allows. */
export function makeProjection({ width, height }: Size): Projection {
  const pad = Math.min(width, height) * PAD;
  const [west] = project(0, ROTATE_DEG - 180);
  const [, north] = project(NORTH, ROTATE_DEG);
  const [, south] = project(SOUTH, ROTATE_DEG);
  const scale = Math.max(1e-6, Math.min((width - 2 * pad) / (-2 * west), (height - 2 * pad) / (south - north)));
  return { x: width / 2, y: height / 2 - ((north + south) / 2) * scale, scale };
}

/** Where a position lies in the pane of a projection. */
export function placeOn({ x, y, scale }: Projection, lat: number, lon: number): Point {
  const [px, py] = project(lat, lon);
  return [x + px * scale, y + py * scale];
}

/** Kilometres on the ground per pixel at the middle of the map. */
export function kmPerPixel({ scale }: Projection): number {
  return KM_PER_DEGREE / (project(0, ROTATE_DEG + 1)[0] * scale);
}

/** Marks are drawn for a map 1200 px wide; on a smaller one they shrink with it, to this share at least. */
export function markScale(width: number): number {
  return Math.min(1, Math.max(0.45, width / 1_200));
}
