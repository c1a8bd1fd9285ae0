import type { Blip, GeoRemoval, Ref } from './events';
import { isRemovedBy } from './ids';

/** How long a position stays visible on the map, glow included. */
export const TRACE_MS = 60_000;
const MAX_TRACES = 30_000;
const MAX_BARRED = 4_000;

/** A post's share in a blip that the map still shows in some way. */
export interface Trace {
  ref: Ref;
  blip: Blip;
  /** When it arrived, on the map's clock in milliseconds. */
  at: number;
}

/**
 * Remembers which posts' positions the map still shows, so that every trace of
 * one can be taken away when its source removes it. `erase` is called for what
 * is removed; what is too old to be seen is forgotten without a word.
 */
export class Traces {
  readonly #byKey = new Map<string, Trace>();
  readonly #removed = new Set<string>();

  constructor(private readonly erase: (trace: Trace) => void) {}

  get size(): number {
    return this.#byKey.size;
  }

  /** Notes a blip; returns how many of its positions are news: neither known nor removed before they came. */
  add(blip: Blip, at: number): number {
    let fresh = blip.count;
    for (const ref of blip.refs) {
      if (this.#byKey.has(ref.key) || this.#removed.has(ref.key)) fresh -= 1;
      else this.#byKey.set(ref.key, { ref, blip, at });
    }
    this.expire(at);
    return fresh;
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
      if (!isRemovedBy(trace.ref, removal)) continue;
      this.#bar(trace.ref.key);
      this.#drop(trace);
    }
  }

  /** The blips that are remembered, each once. */
  blips(): Blip[] {
    return [...new Set([...this.#byKey.values()].map(({ blip }) => blip))];
  }

  clear(): void {
    this.#byKey.clear();
  }

  /** Lets go of what is older than a trace lasts. Arrival order is age order. */
  expire(now: number): void {
    for (const [key, trace] of this.#byKey) {
      if (trace.at > now - TRACE_MS && this.#byKey.size <= MAX_TRACES) return;
      this.#byKey.delete(key);
    }
  }

  #drop(trace: Trace): void {
    this.#byKey.delete(trace.ref.key);
    this.erase(trace);
  }

  /** Keeps a removed position away should it come after its removal. */
  #bar(key: string): void {
    if (this.#removed.size >= MAX_BARRED) this.#removed.clear();
    this.#removed.add(key);
  }
}
