import type { Blip, Precision } from '../model/events';
import { Sheet } from './canvas';
import type { Inks } from './inks';
import type { BlipLayer, Plane } from './layer';
import { DASHES, LIFE_MS, lookAt, reachOf, RING_TO } from './look';
import { MARKS } from './shapes';

/** Most blips at once: up to here drawing sprites holds 50 frames a second without a graphics card. */
export const MAX_DENSE = 1_200;
/** Moments of a blip's life that are drawn in advance. */
const STEPS = 32;
/** Half the side of a sprite, in pixels: the ring and its line. */
const HALF = RING_TO + 2;

interface Live {
  blip: Blip;
  born: number;
  strip: HTMLCanvasElement;
  x: number;
  y: number;
  half: number;
}

/**
 * The blip layer for many at once: each moment of each kind is drawn once in
 * advance, and every frame copies one picture per blip.
 */
export class CanvasBlipLayer implements BlipLayer {
  capacity = MAX_DENSE;
  readonly #sheet = new Sheet('dense');
  readonly #live = new Map<string, Live>();
  readonly #strips = new Map<string, HTMLCanvasElement>();
  #inks: Inks | undefined;
  #plane: Plane | undefined;
  #now = 0;

  get element(): HTMLCanvasElement {
    return this.#sheet.element;
  }

  get size(): number {
    return this.#live.size;
  }

  add(blip: Blip, now: number): boolean {
    this.#live.delete(blip.key);
    if (this.size >= this.capacity) return false;
    const live = { blip, born: now, strip: this.#strip(blip), x: 0, y: 0, half: 0 };
    this.#live.set(blip.key, live);
    this.#place(live);
    return true;
  }

  frame(now: number): boolean {
    this.#now = now;
    this.#sheet.wipe();
    for (const live of this.#live.values()) {
      const age = (now - live.born) / LIFE_MS;
      if (age >= 1) this.#live.delete(live.blip.key);
      else this.#draw(live, Math.max(0, age));
    }
    return this.#live.size > 0;
  }

  remove(key: string): void {
    if (this.#live.delete(key)) this.frame(this.#now);
  }

  clear(): void {
    this.#live.clear();
    this.#sheet.wipe();
  }

  project(plane: Plane): void {
    this.#plane = plane;
    this.#sheet.resize(plane.width, plane.height);
    for (const live of this.#live.values()) this.#place(live);
    if (this.size > 0) this.frame(this.#now);
  }

  /** Draws in other colours from now on. */
  dye(inks: Inks): void {
    if (JSON.stringify(inks) === JSON.stringify(this.#inks)) return;
    this.#inks = inks;
    this.#strips.clear();
    for (const live of this.#live.values()) live.strip = this.#strip(live.blip);
  }

  #place(live: Live): void {
    if (!this.#plane) return;
    [live.x, live.y] = this.#plane.place(live.blip.lat, live.blip.lon);
    live.half = HALF * this.#plane.scale * (reachOf(live.blip, this.#plane) / RING_TO);
  }

  #draw({ strip, x, y, half }: Live, age: number): void {
    const side = strip.height;
    const step = Math.min(STEPS - 1, Math.floor(age * STEPS));
    this.#sheet.pen.drawImage(strip, step * side, 0, side, side, x - half, y - half, 2 * half, 2 * half);
  }

  /** The life of a kind of blip, moment beside moment. */
  #strip({ type, precision }: Blip): HTMLCanvasElement {
    const name = `${type} ${precision}`;
    const strip = this.#strips.get(name) ?? makeStrip(MARKS[type], precision, this.#inks?.[type] ?? '');
    this.#strips.set(name, strip);
    return strip;
  }
}

function makeStrip(mark: string, precision: Precision, ink: string): HTMLCanvasElement {
  const strip = document.createElement('canvas');
  const density = Sheet.density;
  const side = Math.ceil(2 * HALF * density);
  strip.width = side * STEPS;
  strip.height = side;
  const pen = strip.getContext('2d')!;
  pen.fillStyle = ink;
  pen.strokeStyle = ink;
  pen.lineWidth = 1.1;
  pen.setLineDash((DASHES[precision] ?? '').split(' ').filter(Boolean).map(Number));
  for (let step = 0; step < STEPS; step += 1) {
    pen.setTransform(density, 0, 0, density, side * (step + 0.5), side / 2);
    drawMoment(pen, mark, precision, step / STEPS);
  }
  return strip;
}

/** Draws a blip of a precision around 0,0 as it is at an age from 0 to 1. */
function drawMoment(pen: CanvasRenderingContext2D, mark: string, precision: Precision, age: number): void {
  const look = lookAt(precision, age, RING_TO);
  const ring = new Path2D();
  ring.arc(0, 0, look.radius, 0, 2 * Math.PI);
  pen.globalAlpha = look.disc;
  pen.fill(ring);
  pen.globalAlpha = look.ring;
  pen.stroke(ring);
  pen.globalAlpha = look.core;
  pen.fill(new Path2D(mark));
}
