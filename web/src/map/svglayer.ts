import type { Blip } from '../model/events';
import type { BlipLayer, Plane } from './layer';
import { MARKS } from './shapes';
import { svg } from './svg';

/** Most blips at once: up to here setting attributes holds 60 frames a second. */
export const MAX_LIVE = 250;
/** How long a blip lives, in milliseconds. */
export const LIFE_MS = 2_400;
/** Radii of the ring in pixels on a map 1200 px wide: at birth, at the end, and at the most. */
const RING_FROM = 3;
const RING_TO = 16;
const RING_MAX = 48;
/** How visible ring and disc are at birth. A place is less sure than a point, and looks it. */
const LOOK = {
  point: { ring: 0.75, disc: 0.16, core: 1 },
  place: { ring: 0.38, disc: 0.2, core: 0.7 },
};

interface Slot {
  group: SVGGElement;
  ring: SVGCircleElement;
  core: SVGPathElement;
  blip: Blip | undefined;
  born: number;
}

/**
 * The blip layer for up to 250 at once: SVG elements from a pool, moved by one
 * loop that sets attributes. Animating circles with CSS instead gives a
 * twelfth of the frames at 500 blips a second.
 */
export class SvgBlipLayer implements BlipLayer {
  readonly element = svg('g', { class: 'blips' });
  readonly #slots: Slot[] = [];
  readonly #live = new Map<string, Slot>();
  #free: Slot[] = [];
  #plane: Plane | undefined;

  get size(): number {
    return this.#live.size;
  }

  add(blip: Blip, now: number): void {
    this.remove(blip.key);
    const slot = this.#take();
    slot.blip = blip;
    slot.born = now;
    slot.core.setAttribute('d', MARKS[blip.type]);
    slot.group.setAttribute('class', `blip ${blip.type}`);
    slot.group.setAttribute('data-key', blip.key);
    this.#live.set(blip.key, slot);
    this.#place(slot);
    this.#draw(slot, 0);
    slot.group.removeAttribute('display');
  }

  frame(now: number): boolean {
    for (const slot of this.#live.values()) {
      const age = (now - slot.born) / LIFE_MS;
      if (age >= 1) this.#release(slot);
      else this.#draw(slot, Math.max(0, age));
    }
    return this.#live.size > 0;
  }

  remove(id: string): void {
    const slot = this.#live.get(id);
    if (slot) this.#release(slot);
  }

  clear(): void {
    for (const slot of this.#live.values()) this.#release(slot);
  }

  project(plane: Plane): void {
    this.#plane = plane;
    for (const slot of this.#live.values()) this.#place(slot);
  }

  /** A slot to draw with: a free one, a new one, or at the cap the oldest blip's. */
  #take(): Slot {
    if (this.#free.length === 0 && this.#slots.length >= MAX_LIVE) this.#releaseOldest();
    return this.#free.pop() ?? this.#grow();
  }

  #releaseOldest(): void {
    for (const slot of this.#live.values()) {
      this.#release(slot);
      return;
    }
  }

  #grow(): Slot {
    const group = svg('g', { display: 'none' });
    const ring = svg('circle', { class: 'ring' });
    const core = svg('path', { class: 'core' });
    group.append(ring, core);
    this.element.append(group);
    const slot = { group, ring, core, blip: undefined, born: 0 };
    this.#slots.push(slot);
    return slot;
  }

  #release(slot: Slot): void {
    if (slot.blip) this.#live.delete(slot.blip.key);
    slot.blip = undefined;
    slot.group.setAttribute('display', 'none');
    slot.group.removeAttribute('data-key');
    this.#free.push(slot);
  }

  #place(slot: Slot): void {
    if (!slot.blip || !this.#plane) return;
    const [x, y] = this.#plane.place(slot.blip.lat, slot.blip.lon);
    slot.group.setAttribute('transform', `translate(${x.toFixed(1)},${y.toFixed(1)})`);
    slot.core.setAttribute('transform', `scale(${this.#plane.scale.toFixed(3)})`);
  }

  #draw(slot: Slot, age: number): void {
    if (!slot.blip || !this.#plane) return;
    const look = LOOK[slot.blip.precision];
    const grown = 1 - (1 - age) ** 3;
    const radius = RING_FROM + (this.#reach(slot.blip, this.#plane) - RING_FROM) * grown;
    slot.ring.setAttribute('r', (radius * this.#plane.scale).toFixed(2));
    slot.ring.setAttribute('stroke-opacity', (look.ring * (1 - age)).toFixed(3));
    slot.ring.setAttribute('fill-opacity', (look.disc * (1 - age)).toFixed(3));
    slot.core.setAttribute('fill-opacity', (look.core * Math.min(1, 2 * (1 - age))).toFixed(3));
  }

  /** How far the ring grows: over the whole area that a place may mean, within reason. */
  #reach(blip: Blip, plane: Plane): number {
    const area = blip.radiusKm / plane.kmPerPixel / plane.scale;
    return Math.min(RING_MAX, Math.max(RING_TO, area));
  }
}
