import type { Blip } from '../model/events';
import type { Plane } from './layer';
import { svg } from './svg';

/** Side of a cell, in degrees. */
const CELL_DEG = 1.5;
/** After this long a glow has fallen to 1/e; after three times as long it is gone. */
const FADE_MS = 20_000;
const GONE = 0.02;
/** Radius of a glow in pixels on a map 1200 px wide; most of its light is near its middle. */
const RADIUS = 8;
const MAX_OPACITY = 0.85;
const GRADIENT_ID = 'glow-light';

interface Cell {
  lat: number;
  lon: number;
  /** What has glowed here, as of `at`; it decays from then on. */
  weight: number;
  at: number;
  dot: SVGCircleElement;
}

/**
 * What blips leave behind: every cell of the map where something was posted
 * keeps a glow that fades over a minute, so that a quiet map is not an empty
 * one. It is repainted about once a second, which is also all that moves for
 * a person who asked for less motion.
 */
export class Glow {
  readonly element = svg('g', { class: 'glow' });
  readonly #cells = new Map<string, Cell>();
  #plane: Plane | undefined;

  constructor() {
    this.element.append(light());
  }

  /** How many cells glow. */
  get size(): number {
    return this.#cells.size;
  }

  /** Lights the cell of a blip. */
  add(blip: Blip, now: number): void {
    const key = cellKey(blip);
    const cell = this.#cells.get(key) ?? this.#make(key, blip, now);
    cell.weight = decayed(cell, now) + 1;
    cell.at = now;
  }

  /** Takes away exactly the light that a blip of some time ago still gives. */
  remove(blip: Blip, since: number, now: number): void {
    const key = cellKey(blip);
    const cell = this.#cells.get(key);
    if (!cell) return;
    cell.weight = decayed(cell, now) - Math.exp(-(now - since) / FADE_MS);
    cell.at = now;
    this.#paint(key, cell, now);
  }

  /** Paints the moment; false once nothing glows. */
  frame(now: number): boolean {
    for (const [key, cell] of this.#cells) this.#paint(key, cell, now);
    return this.#cells.size > 0;
  }

  clear(): void {
    for (const cell of this.#cells.values()) cell.dot.remove();
    this.#cells.clear();
  }

  project(plane: Plane): void {
    this.#plane = plane;
    for (const cell of this.#cells.values()) this.#place(cell);
  }

  #make(key: string, blip: Blip, now: number): Cell {
    const dot = svg('circle', { opacity: 0, fill: `url(#${GRADIENT_ID})` });
    const cell = { lat: blip.lat, lon: blip.lon, weight: 0, at: now, dot };
    this.#cells.set(key, cell);
    this.element.append(dot);
    this.#place(cell);
    return cell;
  }

  #paint(key: string, cell: Cell, now: number): void {
    const weight = decayed(cell, now);
    if (weight < GONE) {
      cell.dot.remove();
      this.#cells.delete(key);
      return;
    }
    // A hundred posts are brighter than one, but not a hundred times as bright.
    const opacity = MAX_OPACITY * (1 - Math.exp(-weight / 1.2));
    cell.dot.setAttribute('opacity', opacity.toFixed(3));
  }

  #place(cell: Cell): void {
    if (!this.#plane) return;
    const [x, y] = this.#plane.place(cell.lat, cell.lon);
    cell.dot.setAttribute('cx', x.toFixed(1));
    cell.dot.setAttribute('cy', y.toFixed(1));
    cell.dot.setAttribute('r', (RADIUS * this.#plane.scale).toFixed(2));
  }
}

/** The light of every glow: bright in the middle, nothing at the rim. */
function light(): SVGElement {
  const defs = svg('defs');
  const gradient = svg('radialGradient', { id: GRADIENT_ID });
  for (const [offset, opacity] of [[0, 0.9], [0.22, 0.5], [0.55, 0.14], [1, 0]]) {
    gradient.append(svg('stop', { offset: offset!, 'stop-opacity': opacity! }));
  }
  defs.append(gradient);
  return defs;
}

function cellKey({ lat, lon }: Blip): string {
  return `${Math.floor(lat / CELL_DEG)},${Math.floor(lon / CELL_DEG)}`;
}

function decayed(cell: Cell, now: number): number {
  return cell.weight * Math.exp(-(now - cell.at) / FADE_MS);
}
