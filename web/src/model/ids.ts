import type { GeoRemoval, Ref } from './events';

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

/** Reports whether a removal of an author's positions reaches this post. */
export function isRemovedBy(event: Ref, removal: GeoRemoval): boolean {
  return (
    event.source === removal.source &&
    event.userId === removal.userId &&
    upTo(event.id, removal.upToId)
  );
}
