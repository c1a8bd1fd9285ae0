import type { Blip, Frame, Post } from '../src/model/events';

/** A post for a test; its key follows from source and id. */
export function aPost(fields: Partial<Post> = {}): Post {
  const { source = 's', id = '1' } = fields;
  return {
    source, id, key: `${source}:${id}`, userId: 'u', time: 0, type: 'post', country: '', city: '', simulated: false,
    username: 'ann', name: 'Ann', body: 'Hello', lang: 'en', url: '', ...fields,
  };
}

/** A blip of one post for a test; its key is that of the post. */
export function aBlip({ id = '1', source = 's', userId = 'u', ...fields }: Partial<Blip & Post> = {}): Blip {
  const key = `${source}:${id}`;
  return {
    key, refs: [{ key, source, id, userId }], count: 1, lat: 0, lon: 0, type: 'post', precision: 'point', radiusKm: 0,
    magnitude: 0, ...fields,
  };
}

/** A frame for a test; its totals follow from what is in it. */
export function aFrame(fields: Partial<Frame> = {}): Frame {
  const posts = fields.posts?.length ?? 0;
  const blips = fields.blips?.length ?? 0;
  return {
    toSeq: 1, time: Date.now(), posts: [], blips: [], totals: { posts, blips, events: posts + blips },
    postsRemoved: [], geoRemoved: [], ...fields,
  };
}

/** Parts as the statistics tell them: well, of no concern, in trouble, and failed. */
export function partsInEachMood(): Record<string, unknown>[] {
  const time = new Date().toISOString();
  return [
    { name: 'bridge', state: 'working', detail: 'sending twitter_raw, events', time },
    { name: 'ingest.demo', state: 'live', time, itemTime: time },
    { name: 'ingest.archive', state: 'done', time },
    { name: 'ingest.x', state: 'backoff', detail: 'rate_limited', time, retryTime: new Date(Date.now() + 3_600_000).toISOString(), reconnects: '3', missed: '1204', gaps: '1' },
    { name: 'ingest.y', state: 'failed', detail: 'fatal', time },
  ];
}
