import type { Blip, GeoRemoval } from './events';
import { isRemovedBy } from './ids';

/** How long a position stays visible on the map, glow included. */
export const TRACE_MS = 60_000;
const MAX_TRACES = 30_000;
const MAX_BARRED = 4_000;

/** A position that the map still shows in some way. */
export interface Trace {
  blip: Blip;
  /** When it arrived, on the map's clock in milliseconds. */
  at: number;
}

/**
 * Remembers which positions the map still shows, so that every trace of one
 * can be taken away when its source removes it. `forget` is called for what
 * leaves, whether by age, by removal or for want of room.
 */
export class Traces {
  readonly #byKey = new Map<string, Trace>();
  readonly #removed = new Set<string>();

  constructor(private readonly forget: (trace: Trace) => void) {}

  get size(): number {
    return this.#byKey.size;
  }

  /** Notes a position; false for one that is known or was removed before it came. */
  add(blip: Blip, at: number): boolean {
    if (this.#byKey.has(blip.key) || this.#removed.has(blip.key)) return false;
    this.#byKey.set(blip.key, { blip, at });
    this.expire(at);
    return true;
  }

  /** Removes one post's position. */
  remove(key: string): void {
    this.#bar(key);
    const trace = this.#byKey.get(key);
    if (trace) this.#drop(trace);
  }

  /** Removes an author's positions up to and including one post. */
  removeOf(removal: GeoRemoval): void {
    for (const trace of this.#byKey.values()) {
      if (!isRemovedBy(trace.blip, removal)) continue;
      this.#bar(trace.blip.key);
      this.#drop(trace);
    }
  }

  clear(): void {
    this.#byKey.clear();
  }

  /** Lets go of what is older than a trace lasts. Arrival order is age order. */
  expire(now: number): void {
    for (const trace of this.#byKey.values()) {
      if (trace.at > now - TRACE_MS && this.#byKey.size <= MAX_TRACES) return;
      this.#drop(trace);
    }
  }

  #drop(trace: Trace): void {
    this.#byKey.delete(trace.blip.key);
    this.forget(trace);
  }

  /** Keeps a removed position away should it come after its removal. */
  #bar(key: string): void {
    if (this.#removed.size >= MAX_BARRED) this.#removed.clear();
    this.#removed.add(key);
  }
}
