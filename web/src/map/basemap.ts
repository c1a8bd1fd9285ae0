import { geoGraticule, geoPath, type GeoProjection } from 'd3-geo';
import { feature, mesh } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import worldUrl from 'world-atlas/countries-110m.json?url';
import { svg } from './svg';

/** The world's coasts and borders, as world-atlas packs them. */
export type World = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

/** Fetches the coasts, 38 kB gzip'd, apart from the program so that the feed need not wait. */
export async function loadWorld(): Promise<World> {
  const response = await fetch(worldUrl);
  if (!response.ok) throw new Error(`map: load coasts: status ${response.status}`);
  return (await response.json()) as World;
}

/** Draws sea, grid, land and borders: four paths that change only with the size. */
export class BaseMap {
  readonly element = svg('g', { class: 'base' });
  readonly #sea = svg('path', { class: 'sea' });
  readonly #grid = svg('path', { class: 'grid' });
  readonly #land = svg('path', { class: 'land' });
  readonly #borders = svg('path', { class: 'borders' });
  #world: World | undefined;
  #projection: GeoProjection | undefined;

  constructor() {
    this.element.append(this.#sea, this.#grid, this.#land, this.#borders);
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

  #drawLand(): void {
    if (!this.#world || !this.#projection) return;
    const { countries, land } = this.#world.objects;
    const path = geoPath(this.#projection).digits(1);
    this.#land.setAttribute('d', path(feature(this.#world, land)) ?? '');
    // A border is where two countries meet; coasts are drawn by the land itself.
    const inner = mesh(this.#world, countries, (a, b) => a !== b);
    this.#borders.setAttribute('d', path(inner) ?? '');
  }
}
