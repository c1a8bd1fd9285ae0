import type { Point, Size } from './projection';

/** Nearest zoom; farther in, the coasts are too coarse to help. */
export const MAX_ZOOM = 24;

/** Which part of the projected world is in the pane: zoomed by k, then moved by x, y pixels. */
export interface Viewport {
  k: number;
  x: number;
  y: number;
}

/** All of the world. */
export const WHOLE: Viewport = { k: 1, x: 0, y: 0 };

/** Zooms by a factor around a point of the pane, which stays where it is. */
export function zoomed(view: Viewport, factor: number, [px, py]: Point, size: Size): Viewport {
  const k = Math.min(MAX_ZOOM, Math.max(1, view.k * factor));
  const by = k / view.k;
  return within({ k, x: px - (px - view.x) * by, y: py - (py - view.y) * by }, size);
}

/** Moves by pixels, no further than the edge of the world. */
export function moved(view: Viewport, dx: number, dy: number, size: Size): Viewport {
  return within({ k: view.k, x: view.x + dx, y: view.y + dy }, size);
}

function within({ k, x, y }: Viewport, { width, height }: Size): Viewport {
  return { k, x: clamp(x, width * (1 - k)), y: clamp(y, height * (1 - k)) };
}

/** Between low and 0. */
function clamp(value: number, low: number): number {
  return Math.min(0, Math.max(low, value));
}
