import worldUrl from './world.json?url';
import { project, UNIT, type Projection } from './projection';
import { svg } from './svg';
import type { Viewport } from './viewport';

/** The world as scripts/world.mjs draws it: path data in its own units. */
export interface World {
  sea: string;
  grid: string;
  borders: string;
  /** ISO 3166-1 alpha-2, "" for what has none, and path data. */
  countries: [code: string, path: string][];
  /** What is too small for a shape: code, longitude, latitude. */
  dots: [code: string, lon: number, lat: number][];
}

/** Fetches the coasts, 33 kB gzip'd, apart from the program so that the feed need not wait. */
export async function loadWorld(): Promise<World> {
  const response = await fetch(worldUrl);
  if (!response.ok) throw new Error(`map: load coasts: status ${response.status}`);
  return (await response.json()) as World;
}

/**
 * Sea, grid, countries and borders, drawn once; size, zoom and panning only
 * transform what is there. Each country is an element with its code, so that
 * the browser itself knows what the pointer is over.
 */
export class BaseMap {
  readonly element = svg('g', { class: 'base' });
  readonly #byCode = new Map<string, SVGElement[]>();
  #levels: ReadonlyMap<string, number> = new Map();

  /** Takes the coasts once they have loaded. */
  setWorld({ sea, grid, countries, dots, borders }: World): void {
    this.#draw('', sea, 'sea');
    this.#draw('', grid, 'grid');
    for (const [code, path] of countries) this.#draw(code, path, 'country');
    for (const [code, lon, lat] of dots) {
      const [x, y] = project(lat, lon);
      // A line without length has round ends: a dot whose size no zoom changes.
      this.#draw(code, `M${Math.round(x * UNIT)},${Math.round(y * UNIT)}h0`, 'country dot');
    }
    this.#draw('', borders, 'borders');
    this.fill(this.#levels);
  }

  /** Shows a part of the world in a pane. */
  look({ x, y, scale }: Projection, view: Viewport): void {
    const k = (view.k * scale) / UNIT;
    const move = `${(x * view.k + view.x).toFixed(2)},${(y * view.k + view.y).toFixed(2)}`;
    this.element.setAttribute('transform', `translate(${move})scale(${k.toFixed(6)})`);
  }

  /** Fills countries by level, 0 to 5; those without one are land as any other. */
  fill(levels: ReadonlyMap<string, number>): void {
    this.#levels = levels;
    this.#each((element, code) => {
      const level = levels.get(code);
      if (level === undefined) element.removeAttribute('data-level');
      else element.setAttribute('data-level', String(level));
    });
  }

  /** Marks the countries that the page is limited to, and the one pointed at. */
  mark(chosen: readonly string[], pointed: string): void {
    this.#each((element, code) => {
      element.classList.toggle('chosen', chosen.includes(code));
      element.classList.toggle('pointed', code === pointed);
    });
  }

  #each(run: (element: SVGElement, code: string) => void): void {
    for (const [code, elements] of this.#byCode) for (const element of elements) run(element, code);
  }

  #draw(code: string, d: string, name: string): void {
    const element = svg('path', { class: name, d });
    if (code) {
      element.setAttribute('data-code', code);
      this.#byCode.set(code, [...(this.#byCode.get(code) ?? []), element]);
    }
    this.element.append(element);
  }
}
