import { geoEqualEarth, type GeoProjection } from 'd3-geo';

/** Degrees the map is turned east, which keeps Chukotka in one piece. */
export const ROTATE_DEG = 11;
/** The latitudes that must be in view: beyond them hardly anybody posts. */
const SOUTH = -56;
const NORTH = 80;
/** The map's edge: half the way round from the middle. */
const EDGE = 179.999;

/** Size of the map's pane, in CSS pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Where a position lies in the pane, in CSS pixels. */
export type Point = readonly [x: number, y: number];

/** Equal Earth, fitted so that the inhabited latitudes fill the pane. */
export function makeProjection({ width, height }: Size): GeoProjection {
  const pad = Math.min(width, height) * 0.03;
  return geoEqualEarth()
    .rotate([-ROTATE_DEG, 0])
    .fitExtent(
      [
        [pad, pad],
        [Math.max(width - pad, pad + 1), Math.max(height - pad, pad + 1)],
      ],
      { type: 'MultiPoint', coordinates: frame() },
    );
}

/** Points whose bounds are the part of the world that must be in view. */
function frame(): [number, number][] {
  const west = ROTATE_DEG - EDGE;
  const east = ROTATE_DEG + EDGE;
  return [
    [west, 0],
    [east, 0],
    [ROTATE_DEG, SOUTH],
    [ROTATE_DEG, NORTH],
  ];
}

/** Kilometres on the ground per pixel at the middle of the map. */
export function kmPerPixel(projection: GeoProjection): number {
  const [x0] = projection([ROTATE_DEG, 0]) ?? [0];
  const [x1] = projection([ROTATE_DEG + 1, 0]) ?? [1];
  return KM_PER_DEGREE / Math.max(1e-6, Math.abs(x1 - x0));
}

/** Length of one degree along the equator. */
const KM_PER_DEGREE = 111.32;

/** Marks are drawn for a map 1200 px wide; on a smaller one they shrink with it, to this share at least. */
export function markScale(width: number): number {
  return Math.min(1, Math.max(0.45, width / 1_200));
}
