import type { Blip } from '../model/events';
import type { Point } from './projection';

/** How positions become pixels at the present size and zoom. */
export interface Plane {
  /** Where a position lies, in CSS pixels. */
  place(lat: number, lon: number): Point;
  /** Scale of marks: 1 on a map 1200 px wide. */
  scale: number;
  /** Kilometres on the ground per pixel. */
  kmPerPixel: number;
  width: number;
  height: number;
}

/**
 * Draws positions that were just told. Positions are kept as latitude and
 * longitude, so that a layer can be drawn for another plane at any moment.
 * Times are the map's clock in milliseconds, which stands still while frozen.
 */
export interface BlipLayer {
  /** Most blips at once; those that live go on when it is lowered. */
  capacity: number;
  /** Shows a blip; false if there is no room for it. */
  add(blip: Blip, now: number): boolean;
  /** Draws the moment; false once nothing is left to draw. */
  frame(now: number): boolean;
  /** Removes one blip at once. */
  remove(key: string): void;
  clear(): void;
  /** Draws from now on for another plane. */
  project(plane: Plane): void;
  /** How many blips are live. */
  readonly size: number;
}
