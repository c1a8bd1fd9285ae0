import type { Blip } from '../model/events';
import { Sheet } from './canvas';
import type { Plane } from './layer';

/** Side of a cell, in degrees. */
const CELL_DEG = 1.5;
/** After this long a glow has fallen to 1/e; after three times as long it is gone. */
const FADE_MS = 20_000;
const GONE = 0.02;
/** Radius of a glow in pixels on a map 1200 px wide; most of its light is near its middle. */
const RADIUS = 8;
const MAX_OPACITY = 0.85;
/** The light of a glow from its middle to its rim: how far out, how bright. */
const LIGHT = [[0, 0.9], [0.22, 0.5], [0.55, 0.14], [1, 0]] as const;
/** Side of the picture of a glow, in pixels. */
const SPRITE = 64;

interface Cell {
  lat: number;
  lon: number;
  /** What has glowed here, as of `at`; it decays from then on. */
  weight: number;
  at: number;
}

/**
 * What blips leave behind: every cell of the map where something was posted
 * keeps a glow that fades over a minute, so that a quiet map is not an empty
 * one. It is repainted about once a second, which is also all that moves for
 * a person who asked for less motion.
 */
export class Glow {
  readonly #sheet = new Sheet('glow');
  readonly #cells = new Map<string, Cell>();
  #sprite: HTMLCanvasElement | undefined;
  #ink = '';
  #plane: Plane | undefined;

  get element(): HTMLCanvasElement {
    return this.#sheet.element;
  }

  /** How many cells glow. */
  get size(): number {
    return this.#cells.size;
  }

  /** Lights the cell of a blip, for `count` positions that came `ageMs` ago. */
  add(blip: Blip, count: number, now: number, ageMs = 0): void {
    const key = cellKey(blip);
    const cell = this.#cells.get(key) ?? { lat: blip.lat, lon: blip.lon, weight: 0, at: now };
    cell.weight = decayed(cell, now) + count * Math.exp(-ageMs / FADE_MS);
    cell.at = now;
    this.#cells.set(key, cell);
  }

  /** Takes away the light that one position of some time ago still gives. */
  remove(blip: Blip, since: number, now: number): void {
    const cell = this.#cells.get(cellKey(blip));
    if (!cell) return;
    cell.weight = decayed(cell, now) - Math.exp(-(now - since) / FADE_MS);
    cell.at = now;
    this.frame(now);
  }

  /** Paints the moment; false once nothing glows. */
  frame(now: number): boolean {
    this.#sheet.wipe();
    for (const [key, cell] of this.#cells) {
      if (decayed(cell, now) < GONE) this.#cells.delete(key);
      else this.#paint(cell, now);
    }
    this.#sheet.pen.globalAlpha = 1;
    return this.#cells.size > 0;
  }

  clear(): void {
    this.#cells.clear();
    this.#sheet.wipe();
  }

  project(plane: Plane, now: number): void {
    this.#plane = plane;
    this.#sheet.resize(plane.width, plane.height);
    this.frame(now);
  }

  /** Glows in another colour from now on. */
  dye(ink: string): void {
    if (ink && ink !== this.#ink) this.#sprite = light(ink);
    this.#ink = ink;
  }

  #paint(cell: Cell, now: number): void {
    if (!this.#plane || !this.#sprite) return;
    const { pen } = this.#sheet;
    const [x, y] = this.#plane.place(cell.lat, cell.lon);
    const r = RADIUS * this.#plane.scale;
    // A hundred posts are brighter than one, but not a hundred times as bright.
    pen.globalAlpha = MAX_OPACITY * (1 - Math.exp(-decayed(cell, now) / 1.2));
    pen.drawImage(this.#sprite, x - r, y - r, 2 * r, 2 * r);
  }
}

/** The light of every glow: bright in the middle, nothing at the rim. */
function light(ink: string): HTMLCanvasElement {
  const sprite = document.createElement('canvas');
  sprite.width = sprite.height = SPRITE;
  const pen = sprite.getContext('2d')!;
  const gradient = pen.createRadialGradient(SPRITE / 2, SPRITE / 2, 0, SPRITE / 2, SPRITE / 2, SPRITE / 2);
  for (const [offset, opacity] of LIGHT) gradient.addColorStop(offset, withAlpha(ink, opacity));
  pen.fillStyle = gradient;
  pen.fillRect(0, 0, SPRITE, SPRITE);
  return sprite;
}

/** A computed colour, "rgb(r, g, b)", made translucent. */
function withAlpha(ink: string, alpha: number): string {
  return ink.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

function cellKey({ lat, lon }: Blip): string {
  return `${Math.floor(lat / CELL_DEG)},${Math.floor(lon / CELL_DEG)}`;
}

function decayed(cell: Cell, now: number): number {
  return cell.weight * Math.exp(-(now - cell.at) / FADE_MS);
}
