import type { Blip, GeoRemoval, PostType } from '../model/events';
import { isRemovedBy } from '../model/ids';
import type { MapSink } from '../model/session';
import { Traces, type Trace } from '../model/traces';
import { BaseMap, loadWorld } from './basemap';
import { CanvasBlipLayer } from './canvaslayer';
import { FrameTimes } from './frametimes';
import { Glow } from './glow';
import { ZOOM_STEP } from './gestures';
import { InkPot } from './inks';
import type { Plane } from './layer';
import { kmPerPixel, makeProjection, markScale, placeOn, UNIT, type Point, type Projection, type Size } from './projection';
import { Room } from './room';
import { svg } from './svg';
import { SvgBlipLayer } from './svglayer';
import { moved, WHOLE, zoomed, type Viewport } from './viewport';

/** What the map shows: blips and their glow, the glow alone, or countries by number. */
export type MapMode = 'blips' | 'glow' | 'countries';

/** How often the glow is repainted, in milliseconds. */
const GLOW_EVERY_MS = 1_000;
/** Most blips that a pause keeps for afterwards. */
const MAX_HELD = 1_000;
/** Below this many, the canvas gives way to the pool again. */
const SPARSE = 100;
/** What happened before the page was opened glows as if it were this old. */
const PAST_AGE_MS = 15_000;

/** What the map asks and tells. */
export interface Options {
  /** Whether the person asked for less motion. */
  calm: () => boolean;
  /** Drawing is too slow, or has room for more again. */
  pace?: (verdict: 'less' | 'more') => void;
}

/**
 * The map: a base drawn once per size and, over it, the glow and the blips,
 * moved by a single animation loop that runs only while something moves.
 */
export class WorldMap implements MapSink {
  readonly element = document.createElement('div');
  readonly base = new BaseMap();
  readonly #inks = new InkPot();
  readonly #svg = svg('svg', { class: 'world', 'aria-hidden': 'true', focusable: 'false' });
  readonly #over = svg('svg', { class: 'over', 'aria-hidden': 'true', focusable: 'false' });
  readonly #pool = new SvgBlipLayer();
  readonly #dense = new CanvasBlipLayer();
  readonly #glow = new Glow();
  readonly #traces = new Traces((trace) => this.#erase(trace));
  readonly #times = new FrameTimes();
  readonly #room = new Room();
  readonly #options: Options;
  /** The sorts of posts that have come. */
  readonly types = new Set<PostType>();
  #crowded = false;
  #mode: MapMode = 'blips';
  #size: Size = { width: 1, height: 1 };
  #projection: Projection | undefined;
  #viewport: Viewport = WHOLE;
  #looking = 0;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #glowAt = 0;
  #frozenAt: number | undefined;
  /** How long the map stood still so far: its clock is behind by this much. */
  #stood = 0;
  #heldBack: Blip[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.#svg.append(this.base.element);
    this.#over.append(this.#pool.element);
    // A hidden page draws nothing, and goes on when it is seen.
    document.addEventListener('visibilitychange', () => this.#wake());
    this.element.className = 'layers';
    this.element.append(this.#inks.element, this.#svg, this.#glow.element, this.#over, this.#dense.element);
  }

  /** Loads the coasts and draws them. */
  async load(): Promise<void> {
    this.base.setWorld(await loadWorld());
  }

  /** Draws for the pane's size; everything on the map moves along. */
  resize(size: Size): void {
    if (size.width < 1 || size.height < 1) return;
    this.#size = size;
    this.#projection = makeProjection(size);
    for (const layer of [this.#svg, this.#over]) layer.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
    this.#viewport = moved(this.#viewport, 0, 0, size);
    this.#dye();
    this.#look();
  }

  /** Zooms by a factor around a point, else around the middle. */
  zoom(factor: number, at: Point = [this.#size.width / 2, this.#size.height / 2]): void {
    this.#lookAt(zoomed(this.#viewport, factor, at, this.#size));
  }

  zoomIn(): void {
    this.zoom(ZOOM_STEP);
  }

  zoomOut(): void {
    this.zoom(1 / ZOOM_STEP);
  }

  move(dx: number, dy: number): void {
    this.#lookAt(moved(this.#viewport, dx, dy, this.#size));
  }

  whole(): void {
    this.#lookAt(WHOLE);
  }

  /** How far the map is zoomed in; 1 for all of the world. */
  get zoomLevel(): number {
    return this.#viewport.k;
  }

  show(mode: MapMode): void {
    this.#mode = mode;
    this.element.dataset.mode = mode;
    if (mode !== 'blips') this.#clearBlips();
  }

  add(blip: Blip, past: boolean): void {
    if (this.#frozenAt !== undefined) this.#holdBack(blip);
    else this.#show(blip, past);
  }

  remove(key: string): void {
    this.#heldBack = this.#heldBack.map((blip) => without(blip, (ref) => ref.key === key)).filter(isAny);
    this.#traces.remove(key);
  }

  removeOf(removal: GeoRemoval): void {
    this.#heldBack = this.#heldBack.map((blip) => without(blip, (ref) => isRemovedBy(ref, removal))).filter(isAny);
    this.#traces.removeOf(removal);
  }

  clear(): void {
    this.#heldBack = [];
    this.#traces.clear();
    this.#glow.clear();
    this.#clearBlips();
  }

  freeze(frozen: boolean): void {
    if (frozen === (this.#frozenAt !== undefined)) return;
    if (frozen) this.#stop();
    else this.#goOn();
  }

  /** The blips of the last minute that are known by their posts. */
  positions(): Blip[] {
    return this.#traces.blips();
  }

  /** Draws what is to be seen now, base included, for a picture of the map. */
  picture(pen: CanvasRenderingContext2D): void {
    const now = this.#now();
    this.#drawBase(pen);
    const { width, height } = this.#size;
    pen.drawImage(this.#glow.element, 0, 0, width, height);
    const copy = new CanvasBlipLayer();
    copy.dye(this.#inks.read());
    copy.project(this.#plane());
    for (const { blip, born } of this.#pool.live()) copy.add(blip, born);
    copy.frame(now);
    for (const layer of [copy.element, this.#dense.element]) pen.drawImage(layer, 0, 0, width, height);
  }

  get size(): Size {
    return this.#size;
  }

  #drawBase(pen: CanvasRenderingContext2D): void {
    const { k, x, y } = this.#viewport;
    const { x: px, y: py, scale } = this.#projection!;
    const unit = (k * scale) / UNIT;
    pen.save();
    pen.translate(px * k + x, py * k + y);
    pen.scale(unit, unit);
    for (const path of this.base.element.querySelectorAll('path')) {
      const { fill, stroke, strokeWidth, strokeLinecap, fillOpacity, strokeOpacity } = getComputedStyle(path);
      const shape = new Path2D(path.getAttribute('d') ?? '');
      pen.lineWidth = Number.parseFloat(strokeWidth) / unit;
      pen.lineCap = strokeLinecap as CanvasLineCap;
      pen.fillStyle = fill;
      pen.strokeStyle = stroke;
      pen.globalAlpha = Number(fillOpacity);
      if (fill !== 'none') pen.fill(shape);
      pen.globalAlpha = Number(strokeOpacity);
      if (stroke !== 'none') pen.stroke(shape);
    }
    pen.restore();
  }

  #lookAt(viewport: Viewport): void {
    this.#viewport = viewport;
    // A hand gives more moves than there are pictures.
    this.#looking ||= requestAnimationFrame(() => this.#look());
  }

  #look(): void {
    this.#looking = 0;
    if (!this.#projection) return;
    this.base.look(this.#projection, this.#viewport);
    const plane = this.#plane();
    this.element.classList.toggle('zoomed', this.#viewport.k > 1);
    this.#pool.project(plane);
    this.#dense.project(plane);
    this.#glow.project(plane, this.#now());
  }

  #plane(): Plane {
    const projection = this.#projection!;
    const { k, x, y } = this.#viewport;
    return {
      ...this.#size,
      place: (lat, lon) => {
        const [px, py] = placeOn(projection, lat, lon);
        return [px * k + x, py * k + y];
      },
      scale: markScale(this.#size.width) * Math.min(1.6, k ** 0.25),
      kmPerPixel: kmPerPixel(projection) / k,
    };
  }

  #show(blip: Blip, past: boolean): void {
    const now = this.#now();
    const fresh = this.#traces.add(blip, now);
    this.types.add(blip.type);
    if (fresh < 1) return;
    this.#glow.add(blip, fresh, now, past ? PAST_AGE_MS : 0);
    // What happened before the page looked is shown as a trace, not as news.
    const isNews = !past && document.visibilityState !== 'hidden';
    if (isNews && this.#mode === 'blips' && !this.#options.calm()) this.#layer().add(blip, now);
    this.#wake();
  }

  /** The pool while it has room, the canvas from then on until little is left on it. */
  #layer(): SvgBlipLayer | CanvasBlipLayer {
    if (this.#crowded) this.#crowded = this.#dense.size > SPARSE || this.#pool.size >= SPARSE;
    else this.#crowded = this.#pool.size >= this.#pool.capacity;
    return this.#crowded ? this.#dense : this.#pool;
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
    if (this.#frame || this.#frozenAt !== undefined || document.visibilityState === 'hidden') return;
    if (this.#pool.size + this.#dense.size > 0) {
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
    if (this.#frame) this.#judge();
    this.#sleep();
    const now = this.#now();
    this.#pool.frame(now);
    if (this.#dense.size > 0) this.#dense.frame(now);
    if (now - this.#glowAt >= GLOW_EVERY_MS || this.#pool.size + this.#dense.size === 0) this.#paintGlow(now);
    this.#wake();
  }

  #paintGlow(now: number): void {
    this.#glowAt = now;
    this.#dye();
    this.#traces.expire(now);
    this.#glow.frame(now);
  }

  /** Takes the colours as the theme has them now. */
  #dye(): void {
    const inks = this.#inks.read();
    this.#dense.dye(inks);
    this.#glow.dye(inks.post);
  }

  /** Draws with less effort where pictures come slowly, then fewer blips at once, and more where they come quickly again. */
  #judge(): void {
    const verdict = this.#times.note(performance.now());
    if (!verdict) return;
    if (verdict === 'more') this.#room.more();
    const isTold = verdict === 'more' || this.#room.less();
    this.#dense.capacity = this.#room.dense;
    this.#pool.capacity = this.#room.pool;
    if (isTold) this.#options.pace?.(verdict);
  }

  #clearBlips(): void {
    this.#pool.clear();
    this.#dense.clear();
  }

  /** Takes every sign of a post's position off the map. */
  #erase({ ref, blip, at }: Trace): void {
    this.#glow.remove(blip, at, this.#now());
    Object.assign(blip, without(blip, ({ key }) => key === ref.key));
    if (isAny(blip)) return;
    this.#pool.remove(blip.key);
    this.#dense.remove(blip.key);
  }
}

/** A blip without some of its posts. */
function without(blip: Blip, gone: (ref: Blip['refs'][number]) => boolean): Blip {
  const refs = blip.refs.filter((ref) => !gone(ref));
  return { ...blip, refs, count: blip.count - (blip.refs.length - refs.length) };
}

function isAny({ count }: Blip): boolean {
  return count > 0;
}
