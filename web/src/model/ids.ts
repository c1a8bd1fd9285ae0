import type { Blip, GeoRemoval, Post } from './events';

const NUMERIC = /^\d{1,40}$/;

/**
 * Reports whether id is at or before upTo. Ids of sources that remove
 * positions grow with time and do not fit a double, so they are compared as
 * big integers; ids that are not numbers match only themselves.
 */
export function upTo(id: string, limit: string): boolean {
  if (NUMERIC.test(id) && NUMERIC.test(limit)) return BigInt(id) <= BigInt(limit);
  return id === limit;
}

/** The sequence at the end of an event id "<epoch>-<sequence>"; NaN if there is none. */
export function sequenceOf(eventId: string): number {
  const digits = eventId.slice(eventId.lastIndexOf('-') + 1);
  // A stream's sequence stays far below 2^53, so a double holds it exactly.
  return NUMERIC.test(digits) ? Number(digits) : Number.NaN;
}

/** Reports whether a removal of an author's positions reaches this post. */
export function isRemovedBy(event: Post | Blip, removal: GeoRemoval): boolean {
  return (
    event.source === removal.source &&
    event.userId === removal.userId &&
    upTo(event.id, removal.upToId)
  );
}
