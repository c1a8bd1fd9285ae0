import type { Blip, Post } from '../src/model/events';

/** A post for a test; its key follows from source and id. */
export function aPost(fields: Partial<Post> = {}): Post {
  const { source = 's', id = '1' } = fields;
  return {
    source, id, key: `${source}:${id}`, userId: 'u', time: 0, type: 'post', country: '', simulated: false,
    username: 'ann', name: 'Ann', body: 'Hello', lang: 'en', ...fields,
  };
}

/** A blip for a test; its key follows from source and id. */
export function aBlip(fields: Partial<Blip> = {}): Blip {
  const { source = 's', id = '1' } = fields;
  return {
    source, id, key: `${source}:${id}`, userId: 'u', time: 0, type: 'post', country: '', simulated: false,
    lat: 0, lon: 0, precision: 'point', radiusKm: 0, ...fields,
  };
}

/** Parts as /api/stats tells them: well, of no concern, in trouble, and failed. */
export function partsInEachMood(): Record<string, unknown>[] {
  const time = new Date().toISOString();
  return [
    { name: 'bridge', state: 'working', detail: 'sending twitter_raw, events', time },
    { name: 'ingest.demo', state: 'live', time, itemTime: time },
    { name: 'ingest.archive', state: 'done', time },
    { name: 'ingest.x', state: 'backoff', detail: 'rate_limited', time, retryTime: new Date(Date.now() + 3_600_000).toISOString() },
    { name: 'ingest.y', state: 'failed', detail: 'fatal', time },
  ];
}
