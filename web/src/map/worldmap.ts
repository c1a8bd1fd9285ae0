import type { GeoProjection } from 'd3-geo';
import type { Blip, GeoRemoval } from '../model/events';
import type { MapSink } from '../model/session';
import { isRemovedBy } from '../model/ids';
import { Traces, type Trace } from '../model/traces';
import { BaseMap, loadWorld } from './basemap';
import { Glow } from './glow';
import type { BlipLayer, Plane } from './layer';
import { kmPerPixel, makeProjection, markScale, type Size } from './projection';
import { svg } from './svg';
import { SvgBlipLayer } from './svglayer';

/** How often the glow is repainted, in milliseconds. */
const GLOW_EVERY_MS = 1_000;
/** Most positions that a pause keeps for afterwards. */
const MAX_HELD = 1_000;

/**
 * The map: a base drawn once per size and, over it, the glow and the blips,
 * moved by a single animation loop that runs only while something moves.
 */
export class WorldMap implements MapSink {
  readonly element = svg('svg', { class: 'world', 'aria-hidden': 'true', focusable: 'false' });
  readonly #base = new BaseMap();
  readonly #glow = new Glow();
  readonly #blips: BlipLayer & { element: SVGElement } = new SvgBlipLayer();
  readonly #traces = new Traces((trace) => this.#erase(trace));
  readonly #calm: () => boolean;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #glowAt = 0;
  #frozenAt: number | undefined;
  /** How long the map stood still so far: its clock is behind by this much. */
  #stood = 0;
  #heldBack: Blip[] = [];

  /** `calm` tells whether the person asked for less motion. */
  constructor(calm: () => boolean) {
    this.#calm = calm;
    this.element.append(this.#base.element, this.#glow.element, this.#blips.element);
  }

  /** Loads the coasts and draws them. */
  async load(): Promise<void> {
    this.#base.setWorld(await loadWorld());
  }

  /** Draws for the pane's size; everything on the map moves along. */
  resize(size: Size): void {
    if (size.width < 1 || size.height < 1) return;
    const projection = makeProjection(size);
    this.element.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
    this.#base.project(projection);
    const plane = makePlane(projection, size);
    this.#glow.project(plane);
    this.#blips.project(plane);
  }

  add(blip: Blip, past: boolean): void {
    if (this.#frozenAt !== undefined) this.#holdBack(blip);
    else this.#show(blip, past);
  }

  remove(key: string): void {
    this.#heldBack = this.#heldBack.filter((blip) => blip.key !== key);
    this.#traces.remove(key);
  }

  removeOf(removal: GeoRemoval): void {
    this.#heldBack = this.#heldBack.filter((blip) => !isRemovedBy(blip, removal));
    this.#traces.removeOf(removal);
  }

  clear(): void {
    this.#heldBack = [];
    this.#traces.clear();
    this.#glow.clear();
    this.#blips.clear();
  }

  freeze(frozen: boolean): void {
    if (frozen === (this.#frozenAt !== undefined)) return;
    if (frozen) this.#stop();
    else this.#goOn();
  }

  #show(blip: Blip, past: boolean): void {
    const now = this.#now();
    if (!this.#traces.add(blip, now)) return;
    this.#glow.add(blip, now);
    // What happened before the page looked is shown as a trace, not as news.
    if (!past && !this.#calm()) this.#blips.add(blip, now);
    this.#wake();
  }

  #holdBack(blip: Blip): void {
    this.#heldBack.push(blip);
    if (this.#heldBack.length > MAX_HELD) this.#heldBack.shift();
  }

  #stop(): void {
    this.#frozenAt = performance.now();
    this.#sleep();
  }

  #goOn(): void {
    this.#stood += performance.now() - (this.#frozenAt ?? 0);
    this.#frozenAt = undefined;
    const held = this.#heldBack;
    this.#heldBack = [];
    for (const blip of held) this.#show(blip, true);
    this.#wake();
  }

  /** The map's clock: it stands still while the map does. */
  #now(): number {
    return (this.#frozenAt ?? performance.now()) - this.#stood;
  }

  /** Runs every frame while blips live, and once a second while only a glow is left. */
  #wake(): void {
    if (this.#frame || this.#frozenAt !== undefined) return;
    if (this.#blips.size > 0) {
      this.#sleep();
      this.#frame = requestAnimationFrame(() => this.#tick());
    } else if (!this.#timer && this.#glow.size > 0) {
      this.#timer = setTimeout(() => this.#tick(), GLOW_EVERY_MS);
    }
  }

  #sleep(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = undefined;
  }

  #tick(): void {
    this.#sleep();
    const now = this.#now();
    this.#blips.frame(now);
    if (now - this.#glowAt >= GLOW_EVERY_MS || this.#blips.size === 0) {
      this.#glowAt = now;
      this.#traces.expire(now);
      this.#glow.frame(now);
    }
    this.#wake();
  }

  /** Takes every sign of a position off the map. */
  #erase({ blip, at }: Trace): void {
    this.#blips.remove(blip.key);
    this.#glow.remove(blip, at, this.#now());
  }
}

function makePlane(projection: GeoProjection, { width }: Size): Plane {
  return {
    place: (lat, lon) => projection([lon, lat]) ?? [0, 0],
    scale: markScale(width),
    kmPerPixel: kmPerPixel(projection),
  };
}
