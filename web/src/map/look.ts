import type { Blip, Precision } from '../model/events';
import type { Plane } from './layer';

/** How long a blip lives, in milliseconds. */
export const LIFE_MS = 2_400;
/** Radii of the ring in pixels on a map 1200 px wide: at birth, at the end, and at the most. */
const RING_FROM = 3;
export const RING_TO = 16;
const RING_MAX = 48;
/** Many posts at once reach further, but not without bound. */
const WEIGHT_MAX = 28;

/** How visible ring, disc and core are at birth. What is less sure looks it. */
const VISIBLE: Record<Precision, { ring: number; disc: number; core: number }> = {
  point: { ring: 0.75, disc: 0.16, core: 1 },
  place: { ring: 0.38, disc: 0.2, core: 0.7 },
  profile: { ring: 0.26, disc: 0.06, core: 0.5 },
  mention: { ring: 0.5, disc: 0.03, core: 0.5 },
};

/** The dashes of a ring whose post is about a place, not from it; in pixels. */
export const DASHES: Partial<Record<Precision, string>> = { mention: '2.5 2.5' };

/** What a blip looks like at an age from 0 to 1; the radius is for a map 1200 px wide. */
export interface Look {
  radius: number;
  ring: number;
  disc: number;
  core: number;
}

/** The look of a precision at an age, with a ring that grows to `reach`. */
export function lookAt(precision: Precision, age: number, reach: number): Look {
  const visible = VISIBLE[precision];
  const left = 1 - age;
  return {
    radius: RING_FROM + (reach - RING_FROM) * (1 - left ** 3),
    ring: visible.ring * left,
    disc: visible.disc * left,
    core: visible.core * Math.min(1, 2 * left),
  };
}

/**
 * How far a blip's ring grows: over the whole area that a place may mean, with
 * the root of how many posts it stands for, with an earthquake's strength;
 * within reason.
 */
export function reachOf(blip: Blip, plane: Plane): number {
  if (blip.magnitude > 0) return Math.min(RING_MAX, 6 + blip.magnitude ** 2);
  const weight = Math.min(WEIGHT_MAX, RING_TO * Math.sqrt(blip.count));
  // A city that was named is a point of interest, not an area of doubt.
  const area = blip.precision === 'place' ? blip.radiusKm / plane.kmPerPixel / plane.scale : 0;
  return Math.min(RING_MAX, Math.max(weight, area));
}
