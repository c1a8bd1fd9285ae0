import { geoGraticule, geoPath, type GeoProjection } from 'd3-geo';
import { feature, mesh } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import worldUrl from 'world-atlas/countries-110m.json?url';
import dotsUrl from './dots.json?url';
import { svg } from './svg';
import type { Viewport } from './viewport';

/** A country's or territory's name and place: ISO 3166-1 alpha-2, longitude, latitude. */
type Dot = [code: string, lon: number, lat: number];

/** The world's coasts and borders, as world-atlas packs them, and what is too small for them. */
export interface World {
  atlas: Topology<{ countries: GeometryCollection; land: GeometryCollection }>;
  dots: Dot[];
}

/** Fetches the coasts, 38 kB gzip'd, apart from the program so that the feed need not wait. */
export async function loadWorld(): Promise<World> {
  const [atlas, dots] = await Promise.all([fetchData(worldUrl), fetchData(dotsUrl)]);
  return { atlas, dots } as World;
}

async function fetchData(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`map: load coasts: status ${response.status}`);
  return response.json();
}

/**
 * Draws sea, grid, land, countries and borders, once per size; zooming and
 * panning only transform what is there. Each country is an element with its
 * code, so that the browser itself knows what the pointer is over.
 */
export class BaseMap {
  readonly element = svg('g', { class: 'base' });
  readonly #sea = svg('path', { class: 'sea' });
  readonly #grid = svg('path', { class: 'grid' });
  readonly #land = svg('path', { class: 'land' });
  readonly #countries = svg('g', { class: 'lands' });
  readonly #borders = svg('path', { class: 'borders' });
  readonly #byCode = new Map<string, SVGElement[]>();
  #world: World | undefined;
  #projection: GeoProjection | undefined;
  #levels: ReadonlyMap<string, number> = new Map();

  constructor() {
    this.element.append(this.#sea, this.#grid, this.#land, this.#countries, this.#borders);
  }

  /** Takes the coasts once they have loaded. */
  setWorld(world: World): void {
    this.#world = world;
    this.#drawLand();
  }

  /** Draws anew for another size. */
  project(projection: GeoProjection): void {
    this.#projection = projection;
    const path = geoPath(projection).digits(1);
    this.#sea.setAttribute('d', path({ type: 'Sphere' }) ?? '');
    this.#grid.setAttribute('d', path(geoGraticule().step([10, 10])()) ?? '');
    this.#drawLand();
  }

  /** Shows another part of the world. */
  look({ k, x, y }: Viewport): void {
    this.element.setAttribute('transform', `translate(${x.toFixed(1)},${y.toFixed(1)})scale(${k.toFixed(4)})`);
  }

  /** Fills countries by level, 0 to 5; those without one are land as any other. */
  fill(levels: ReadonlyMap<string, number>): void {
    this.#levels = levels;
    for (const [code, elements] of this.#byCode) {
      for (const element of elements) element.setAttribute('data-level', String(levels.get(code) ?? ''));
    }
  }

  /** Marks the countries that the page is limited to, and the one pointed at. */
  mark(chosen: readonly string[], pointed: string): void {
    for (const [code, elements] of this.#byCode) {
      for (const element of elements) {
        element.classList.toggle('chosen', chosen.includes(code));
        element.classList.toggle('pointed', code === pointed);
      }
    }
  }

  #drawLand(): void {
    if (!this.#world || !this.#projection) return;
    const { atlas, dots } = this.#world;
    const { countries, land } = atlas.objects;
    const path = geoPath(this.#projection).digits(1);
    this.#land.setAttribute('d', path(feature(atlas, land)) ?? '');
    // A border is where two countries meet; coasts are drawn by the land itself.
    this.#borders.setAttribute('d', path(mesh(atlas, countries, (a, b) => a !== b)) ?? '');
    this.#countries.replaceChildren();
    this.#byCode.clear();
    for (const shape of feature(atlas, countries).features) this.#draw(codeOf(shape.id), path(shape) ?? '', 'country');
    for (const dot of dots) this.#drawDot(dot);
    this.fill(this.#levels);
  }

  #drawDot([code, lon, lat]: Dot): void {
    const [x, y] = this.#projection?.([lon, lat]) ?? [0, 0];
    // A line without length has round ends: a dot whose size no zoom changes.
    this.#draw(code, `M${x.toFixed(1)},${y.toFixed(1)}h0`, 'country dot');
  }

  #draw(code: string, d: string, name: string): void {
    const element = svg('path', { class: name, d });
    if (code) {
      element.setAttribute('data-code', code);
      this.#byCode.set(code, [...(this.#byCode.get(code) ?? []), element]);
    }
    this.#countries.append(element);
  }
}

/** The two letters of a country that the atlas names by number; the browser knows which is which. */
export function codeOf(id: unknown): string {
  try {
    const { region = '' } = new Intl.Locale(`und-${String(id).padStart(3, '0')}`);
    return /^[A-Z]{2}$/.test(region) ? region : '';
  } catch {
    return '';
  }
}
