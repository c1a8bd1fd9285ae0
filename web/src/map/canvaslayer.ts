import type { Blip, Precision } from '../model/events';
import { Sheet } from './canvas';
import type { Inks } from './inks';
import type { BlipLayer, Plane } from './layer';
import { DASHES, LIFE_MS, lookAt, reachOf, RING_TO, type Look } from './look';
import { MARKS } from './shapes';

/** Most blips at once: up to here drawing sprites holds 50 frames a second without a graphics card. */
export const MAX_DENSE = 1_200;
/** Moments of a blip's life that are drawn in advance. */
const STEPS = 32;
/** What a ring's line adds to its radius, in pixels. */
const LINE = 2;
/** Half the side of a sprite on a map 1200 px wide, in pixels: the ring and its line. */
const HALF = RING_TO + LINE;

/** A moment of a blip's life, drawn no further than it reaches from its middle. In pixels of the screen. */
interface Moment {
  picture: ImageBitmap;
  reach: number;
}

/** Places are in pixels of the screen. */
interface Live {
  blip: Blip;
  born: number;
  moments: Moment[];
  x: number;
  y: number;
  /** Size beside that of the sprite: 1 for one post at a point. */
  zoom: number;
}

/**
 * The blip layer for many at once: each moment of each kind is drawn once in
 * advance, and every frame copies one picture per blip. Most are copied whole,
 * in their own size and to whole pixels: without a graphics card that takes a
 * third of the time of a part of a larger picture that is scaled.
 */
export class CanvasBlipLayer implements BlipLayer {
  capacity = MAX_DENSE;
  readonly #sheet = new Sheet('dense', 'screen');
  readonly #live = new Map<string, Live>();
  readonly #sprites = new Map<string, Moment[]>();
  #half = 0;
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
    const live = { blip, born: now, moments: this.#sprite(blip), x: 0, y: 0, zoom: 1 };
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
    this.#cut(Math.round(HALF * plane.scale * Sheet.density));
    for (const live of this.#live.values()) this.#place(live);
    if (this.size > 0) this.frame(this.#now);
  }

  /** Draws in other colours from now on. */
  dye(inks: Inks): void {
    if (JSON.stringify(inks) === JSON.stringify(this.#inks)) return;
    this.#inks = inks;
    this.#renew();
  }

  /** Draws with sprites of another size from now on. */
  #cut(half: number): void {
    if (half === this.#half) return;
    this.#half = half;
    this.#renew();
  }

  #renew(): void {
    for (const moments of this.#sprites.values()) for (const { picture } of moments) picture.close();
    this.#sprites.clear();
    for (const live of this.#live.values()) live.moments = this.#sprite(live.blip);
  }

  #place(live: Live): void {
    if (!this.#plane) return;
    const density = Sheet.density;
    const [x, y] = this.#plane.place(live.blip.lat, live.blip.lon);
    live.x = Math.round(x * density);
    live.y = Math.round(y * density);
    live.zoom = reachOf(live.blip, this.#plane) / RING_TO;
  }

  #draw({ moments, x, y, zoom }: Live, age: number): void {
    const moment = moments[Math.min(STEPS - 1, Math.floor(age * STEPS))];
    if (!moment) return;
    const { picture, reach } = moment;
    if (zoom === 1) this.#sheet.pen.drawImage(picture, x - reach, y - reach);
    else this.#sheet.pen.drawImage(picture, x - reach * zoom, y - reach * zoom, 2 * reach * zoom, 2 * reach * zoom);
  }

  /** The life of a kind of blip, moment by moment; nothing while there is no plane to draw for. */
  #sprite({ type, precision }: Blip): Moment[] {
    if (this.#half === 0) return [];
    const name = `${type} ${precision}`;
    const sprite = this.#sprites.get(name) ?? makeSprite(MARKS[type], precision, this.#inks?.[type] ?? '', this.#half);
    this.#sprites.set(name, sprite);
    return sprite;
  }
}

function makeSprite(mark: string, precision: Precision, ink: string, half: number): Moment[] {
  const unit = half / HALF;
  return Array.from({ length: STEPS }, (_, step) => {
    const look = lookAt(precision, step / STEPS, RING_TO);
    const reach = Math.min(half, Math.ceil((look.radius + LINE) * unit));
    const sheet = new OffscreenCanvas(2 * reach, 2 * reach);
    const pen = sheet.getContext('2d')!;
    pen.setTransform(unit, 0, 0, unit, reach, reach);
    pen.fillStyle = ink;
    pen.strokeStyle = ink;
    pen.lineWidth = 1.1;
    pen.setLineDash((DASHES[precision] ?? '').split(' ').filter(Boolean).map(Number));
    drawMoment(pen, mark, look);
    return { picture: sheet.transferToImageBitmap(), reach };
  });
}

/** Draws a blip around 0,0 as it looks at a moment. */
function drawMoment(pen: OffscreenCanvasRenderingContext2D, mark: string, look: Look): void {
  const ring = new Path2D();
  ring.arc(0, 0, look.radius, 0, 2 * Math.PI);
  pen.globalAlpha = look.disc;
  pen.fill(ring);
  pen.globalAlpha = look.ring;
  pen.stroke(ring);
  pen.globalAlpha = look.core;
  pen.fill(new Path2D(mark));
}
