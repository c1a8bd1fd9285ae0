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
