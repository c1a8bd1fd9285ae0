import type {
  GeoBlipJson,
  GeoRemovedJson,
  PostRemovedJson,
  SimpleTweetJson,
} from '../gen/blipstream/feed/v1/event_pb';
import type { Blip, GeoRemoval, Post, PostRemoval, PostType } from '../model/events';

/** Longest text kept of one post; a card shows four lines of it. */
const MAX_BODY = 2_000;
const MAX_NAME = 100;

/** Any of the events before it is looked at: every field may be absent. */
type Raw = SimpleTweetJson & GeoBlipJson & PostRemovedJson & GeoRemovedJson;

/** Parses a payload; undefined unless it is a JSON object. */
export function parseObject(json: string): Raw | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Raw) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a simple_tweet; undefined if there is nothing to show. */
export function decodePost(json: string): Post | undefined {
  const raw = parseObject(json);
  const username = clip(raw?.username, MAX_NAME);
  if (!raw || !text(raw.id) || !username) return undefined;
  return {
    ...common(raw),
    username,
    name: clip(raw.name, MAX_NAME) || username,
    body: clip(raw.body, MAX_BODY),
    lang: language(raw.lang),
  };
}

/** Reads a geo_blip; undefined if it has no position on Earth. */
export function decodeBlip(json: string): Blip | undefined {
  const raw = parseObject(json);
  if (!raw || !text(raw.id)) return undefined;
  const { lat, lon } = raw;
  // Absent is unknown, zero is the equator or Greenwich.
  if (!within(lat, 90) || !within(lon, 180)) return undefined;
  const precision = raw.precision === 'place' ? 'place' : 'point';
  const radius = precision === 'place' && within(raw.radiusKm, HALF_EARTH_KM) ? raw.radiusKm : 0;
  return { ...common(raw), lat, lon, precision, radiusKm: Math.max(0, radius) };
}

/** Half the way round the Earth: no position can be further off, in km. */
const HALF_EARTH_KM = 20_038;

/** Reads a post_removed. */
export function decodePostRemoved(json: string): PostRemoval | undefined {
  const raw = parseObject(json);
  return raw && text(raw.id) ? { key: keyOf(raw) } : undefined;
}

/** Reads a geo_removed. */
export function decodeGeoRemoved(json: string): GeoRemoval | undefined {
  const raw = parseObject(json);
  if (!raw || !text(raw.userId) || !text(raw.upToId)) return undefined;
  return { source: text(raw.source), userId: text(raw.userId), upToId: text(raw.upToId) };
}

function common(raw: Raw) {
  return {
    key: keyOf(raw),
    source: text(raw.source),
    id: text(raw.id),
    userId: text(raw.userId),
    time: typeof raw.time === 'string' ? Date.parse(raw.time) : Number.NaN,
    type: postType(raw.type),
    country: /^[A-Z]{2}$/.test(text(raw.country)) ? text(raw.country) : '',
    simulated: raw.simulated === true,
  };
}

function keyOf(raw: Raw): string {
  return `${text(raw.source)}:${text(raw.id)}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function clip(value: unknown, max: number): string {
  const whole = text(value).trim();
  if (whole.length <= max) return whole;
  // Cutting between the halves of a surrogate pair would leave half a character.
  const end = /[\uD800-\uDBFF]/.test(whole.charAt(max - 1)) ? max - 1 : max;
  return `${whole.slice(0, end)}…`;
}

function within(value: unknown, limit: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= limit;
}

function postType(value: unknown): PostType {
  return value === 'reply' || value === 'repost' ? value : 'post';
}

/**
 * The canonical form of a language tag: a browser picks fonts and voices by
 * it, so a tag it would not understand ("und", "zxx", free text) is dropped.
 */
function language(value: unknown): string {
  const tag = text(value);
  if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(tag) || /^(und|zxx|mul|mis|q..)/i.test(tag)) return '';
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? '';
  } catch {
    return '';
  }
}
