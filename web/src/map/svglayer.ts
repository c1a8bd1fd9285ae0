import type { Blip } from '../model/events';
import type { BlipLayer, Plane } from './layer';
import { DASHES, LIFE_MS, lookAt, reachOf } from './look';
import { MARKS } from './shapes';
import { svg } from './svg';

/** Most blips at once: up to here setting attributes holds 60 frames a second. */
export const MAX_LIVE = 250;

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
  capacity = MAX_LIVE;
  readonly element = svg('g', { class: 'blips' });
  readonly #live = new Map<string, Slot>();
  #free: Slot[] = [];
  #plane: Plane | undefined;

  get size(): number {
    return this.#live.size;
  }

  add(blip: Blip, now: number): boolean {
    this.remove(blip.key);
    if (this.size >= this.capacity) return false;
    const slot = this.#free.pop() ?? this.#grow();
    slot.blip = blip;
    slot.born = now;
    slot.core.setAttribute('d', MARKS[blip.type]);
    slot.ring.setAttribute('stroke-dasharray', DASHES[blip.precision] ?? 'none');
    slot.group.setAttribute('class', `blip ${blip.type}`);
    slot.group.setAttribute('data-key', blip.key);
    this.#live.set(blip.key, slot);
    this.#place(slot);
    this.#draw(slot, 0);
    slot.group.removeAttribute('display');
    return true;
  }

  frame(now: number): boolean {
    for (const slot of this.#live.values()) {
      const age = (now - slot.born) / LIFE_MS;
      if (age >= 1) this.#release(slot);
      else this.#draw(slot, Math.max(0, age));
    }
    return this.#live.size > 0;
  }

  remove(key: string): void {
    const slot = this.#live.get(key);
    if (slot) this.#release(slot);
  }

  clear(): void {
    for (const slot of this.#live.values()) this.#release(slot);
  }

  /** What lives, each with the time of its birth. */
  *live(): Generator<{ blip: Blip; born: number }> {
    for (const { blip, born } of this.#live.values()) if (blip) yield { blip, born };
  }

  project(plane: Plane): void {
    this.#plane = plane;
    for (const slot of this.#live.values()) this.#place(slot);
  }

  #grow(): Slot {
    const group = svg('g', { display: 'none' });
    const ring = svg('circle', { class: 'ring' });
    const core = svg('path', { class: 'core' });
    group.append(ring, core);
    this.element.append(group);
    return { group, ring, core, blip: undefined, born: 0 };
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
    const look = lookAt(slot.blip.precision, age, reachOf(slot.blip, this.#plane));
    slot.ring.setAttribute('r', (look.radius * this.#plane.scale).toFixed(2));
    slot.ring.setAttribute('stroke-opacity', look.ring.toFixed(3));
    slot.ring.setAttribute('fill-opacity', look.disc.toFixed(3));
    slot.core.setAttribute('fill-opacity', look.core.toFixed(3));
  }
}
