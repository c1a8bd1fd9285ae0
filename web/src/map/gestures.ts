import type { Point } from './projection';

/** What a person does to the map. Points and distances are pixels of the pane. */
export interface Gestures {
  zoom(factor: number, at?: Point): void;
  move(dx: number, dy: number): void;
  whole(): void;
  /** A click or a tap that was no drag. */
  pick(target: Element): void;
  /** The pointer is over something else. */
  over(target: Element | undefined): void;
}

/** How far a key moves the map, in pixels, and how much a key or a double click zooms. */
const STEP = 80;
export const ZOOM_STEP = 1.6;
/** Movement below this is a click with an unsteady hand. */
const SLACK = 4;
/** A click waits so long, in milliseconds, whether it becomes a double one: that zooms, and picks nothing. */
const SECOND_CLICK_MS = 300;

const KEYS: Record<string, (to: Gestures) => void> = {
  ArrowLeft: (to) => to.move(STEP, 0),
  ArrowRight: (to) => to.move(-STEP, 0),
  ArrowUp: (to) => to.move(0, STEP),
  ArrowDown: (to) => to.move(0, -STEP),
  '+': (to) => to.zoom(ZOOM_STEP),
  '=': (to) => to.zoom(ZOOM_STEP),
  '-': (to) => to.zoom(1 / ZOOM_STEP),
  '0': (to) => to.whole(),
};

/** Follows wheel, mouse, fingers and keys on the map's pane; returns what stops it. */
export function followGestures(pane: HTMLElement, to: Gestures): () => void {
  const stop = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(name: K, run: (event: HTMLElementEventMap[K]) => void) =>
    pane.addEventListener(name, run, { signal: stop.signal, passive: false });
  const at = ({ clientX, clientY }: MouseEvent): Point => {
    const box = pane.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  const fingers = new Fingers(to);
  const clicks = new Clicks(to);
  on('wheel', (event) => {
    // On a page that scrolls, the wheel is the page's.
    if (pageScrolls() && !event.ctrlKey) return;
    event.preventDefault();
    to.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), at(event));
  });
  on('dblclick', (event) => {
    clicks.drop();
    to.zoom(event.shiftKey ? 1 / ZOOM_STEP : ZOOM_STEP, at(event));
  });
  on('pointerdown', (event) => event.button === 0 && fingers.down(event.pointerId, at(event)));
  on('pointermove', (event) => {
    // Held only once it is a drag: a captured pointer clicks nothing but the pane.
    if (fingers.move(event.pointerId, at(event))) pane.setPointerCapture(event.pointerId);
  });
  on('pointerup', (event) => fingers.up(event.pointerId) && clicks.add(event.target as Element));
  on('pointercancel', (event) => fingers.up(event.pointerId));
  on('pointerover', (event) => to.over(event.target as Element));
  on('pointerleave', () => to.over(undefined));
  on('keydown', (event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(to);
  });
  return () => {
    clicks.drop();
    stop.abort();
  };
}

/** Clicks that may turn out to be the first of two. */
class Clicks {
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly to: Gestures) {}

  /** Takes a click; a second one soon after it takes it back. */
  add(target: Element): void {
    if (this.#waiting !== undefined) return this.drop();
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      this.to.pick(target);
    }, SECOND_CLICK_MS);
  }

  drop(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }
}

function pageScrolls(): boolean {
  return document.documentElement.scrollHeight > innerHeight + 1;
}

/** The fingers on the map, or the mouse's one: one drags, two pinch. */
class Fingers {
  readonly #down = new Map<number, Point>();
  #dragged = false;
  #far = 0;

  constructor(private readonly to: Gestures) {}

  down(id: number, point: Point): void {
    if (this.#down.size === 0) {
      this.#dragged = false;
      this.#far = 0;
    }
    this.#down.set(id, point);
  }

  /** True if this is part of a drag. */
  move(id: number, point: Point): boolean {
    const before = this.#down.get(id);
    if (!before) return false;
    const [dx, dy] = [point[0] - before[0], point[1] - before[1]];
    this.#far += Math.hypot(dx, dy);
    if (this.#far < SLACK) return false;
    this.#dragged = true;
    const other = [...this.#down].find(([key]) => key !== id)?.[1];
    this.#down.set(id, point);
    if (other) this.#pinch(before, point, other);
    else this.to.move(dx, dy);
    return true;
  }

  /** True if the finger clicked and did not drag. */
  up(id: number): boolean {
    return this.#down.delete(id) && !this.#dragged && this.#down.size === 0;
  }

  #pinch(before: Point, after: Point, other: Point): void {
    const apart = (point: Point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
    const middle: Point = [(after[0] + other[0]) / 2, (after[1] + other[1]) / 2];
    this.to.move((after[0] - before[0]) / 2, (after[1] - before[1]) / 2);
    this.to.zoom(apart(after) / apart(before), middle);
  }
}
