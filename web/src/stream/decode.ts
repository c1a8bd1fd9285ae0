import type { GeoRemovedJson, PostRemovedJson, SimpleTweetJson } from '../gen/blipstream/feed/v1/event_pb';
import type { CellJson, CellPostJson, FrameJson } from '../gen/blipstream/feed/v1/gateway_pb';
import type { Blip, Frame, GeoRemoval, Post, PostRemoval, PostType, Precision, Ref } from '../model/events';
import { safeHref } from '../ui/linkify';

/** Longest text kept of one post; a card shows four lines of it. */
const MAX_BODY = 2_000;
const MAX_NAME = 100;
const TYPES: readonly unknown[] = ['post', 'reply', 'repost', 'edit', 'quake'];
const PRECISIONS: readonly unknown[] = ['point', 'place', 'profile', 'mention'];

/** Anything that was parsed, before it is looked at: every field may be absent, or something else. */
export type Raw = Record<string, unknown>;

/** Parses a payload; undefined unless it is a JSON object. */
export function parseObject(json: string): Raw | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads every element that can be read; those that cannot are left out. */
export function list<T>(value: unknown, read: (raw: Raw, index: number) => T | undefined): T[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map(read).filter((one): one is T & {} => one !== undefined);
}

/** Reads a frame; of a payload that is none, an empty one. */
export function decodeFrame(raw: Raw): Frame {
  const frame: FrameJson = raw;
  const totals = isObject(frame.totals) ? frame.totals : {};
  const toSeq = whole(frame.toSeq);
  return {
    toSeq,
    time: time(frame.time),
    posts: list(frame.posts, decodePost),
    blips: list(frame.cells, (cell, i) => decodeCell(cell, `${toSeq}.${i}`)),
    totals: {
      posts: whole(totals.simple_tweet),
      blips: whole(totals.geo_blip),
      events: Object.entries(totals).reduce((sum, [kind, n]) => sum + (/_removed$/.test(kind) ? 0 : whole(n)), 0),
    },
    postsRemoved: list(frame.postsRemoved, decodePostRemoved),
    geoRemoved: list(frame.geoRemoved, decodeGeoRemoved),
  };
}

/** Reads a simple_tweet; undefined if there is nothing to show. */
export function decodePost(raw: Raw): Post | undefined {
  const post: SimpleTweetJson = raw;
  const username = clip(post.username, MAX_NAME);
  if (!text(post.id) || !username) return undefined;
  return {
    ...decodeRef(raw),
    time: time(post.time),
    type: postType(post.type),
    country: /^[A-Z]{2}$/.test(text(post.country)) ? text(post.country) : '',
    city: clip(post.city, MAX_NAME),
    simulated: post.simulated === true,
    username,
    name: clip(post.name, MAX_NAME) || username,
    body: clip(post.body, MAX_BODY),
    lang: language(post.lang),
    url: safeHref(text(post.url)) ?? '',
  };
}

/** Reads a cell of positions; undefined if it is nowhere on Earth. A lone one is named by its post. */
export function decodeCell(raw: Raw, name: string): Blip | undefined {
  const cell: CellJson = raw;
  const { lat, lon } = cell;
  // Absent is unknown, zero is the equator or Greenwich.
  if (!within(lat, 90) || !within(lon, 180)) return undefined;
  const refs = list(cell.posts, decodeRef);
  const count = Math.max(1, whole(cell.count));
  const precision = (PRECISIONS.includes(cell.precision) ? cell.precision : 'point') as Precision;
  const radius = within(cell.radiusKm, HALF_EARTH_KM) ? cell.radiusKm : 0;
  return {
    key: count === 1 && refs.length === 1 ? refs[0]!.key : name,
    refs,
    count,
    lat,
    lon,
    type: postType(cell.type),
    precision,
    radiusKm: precision === 'point' ? 0 : Math.max(0, radius),
    magnitude: within(cell.magnitude, MAX_MAGNITUDE) ? Math.max(0, cell.magnitude) : 0,
  };
}

/** Half the way round the Earth: no position can be further off, in km. */
const HALF_EARTH_KM = 20_038;
/** The strongest earthquake ever measured had 9.5. */
const MAX_MAGNITUDE = 10;

/** Reads a post_removed. */
export function decodePostRemoved(raw: Raw): PostRemoval | undefined {
  const removal: PostRemovedJson = raw;
  return text(removal.id) ? { key: decodeRef(raw).key } : undefined;
}

/** Reads a geo_removed. */
export function decodeGeoRemoved(raw: Raw): GeoRemoval | undefined {
  const removal: GeoRemovedJson = raw;
  if (!text(removal.userId) || !text(removal.upToId)) return undefined;
  return { source: text(removal.source), userId: text(removal.userId), upToId: text(removal.upToId) };
}

function decodeRef(raw: Raw): Ref {
  const ref: CellPostJson = raw;
  const source = text(ref.source);
  const id = text(ref.id);
  return { key: `${source}:${id}`, source, id, userId: text(ref.userId) };
}

/** The value if it is a text, else none. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A count; 64-bit ones come as strings. Zero for anything else. */
export function whole(value: unknown): number {
  const n = Number(value);
  return n > 0 && Number.isFinite(n) ? Math.floor(n) : 0;
}

/** A time in milliseconds since 1970; NaN if there is none. */
export function time(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : Number.NaN;
}

function clip(value: unknown, max: number): string {
  const all = text(value).trim();
  if (all.length <= max) return all;
  // Cutting between the halves of a surrogate pair would leave half a character.
  const end = /[\uD800-\uDBFF]/.test(all.charAt(max - 1)) ? max - 1 : max;
  return `${all.slice(0, end)}…`;
}

function within(value: unknown, limit: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= limit;
}

function postType(value: unknown): PostType {
  return (TYPES.includes(value) ? value : 'post') as PostType;
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
