/** How a post relates to others; told by colour and by shape. */
export type PostType = 'post' | 'reply' | 'repost';

/** What every event says about the post it belongs to. */
interface Common {
  /** "<source>:<id>": unique over all sources. */
  key: string;
  source: string;
  /** Id within the source, as the source spells it. */
  id: string;
  /** Author, as the source spells it; "" if unknown. */
  userId: string;
  /** When it was posted, in milliseconds since 1970 by the source's clock; NaN if unknown. */
  time: number;
  type: PostType;
  /** ISO 3166-1 alpha-2; "" if unknown. */
  country: string;
  simulated: boolean;
}

/** A post that a person can read. All text is plain text. */
export interface Post extends Common {
  username: string;
  name: string;
  body: string;
  /** BCP 47, canonical; "" if unknown. */
  lang: string;
}

/** A position on the map. Zero is a place. */
export interface Blip extends Common {
  /** Degrees north. */
  lat: number;
  /** Degrees east. */
  lon: number;
  /** "point" is exact; "place" is the centre of an area. */
  precision: 'point' | 'place';
  /** How far the true position may be, in kilometres; 0 for a point. */
  radiusKm: number;
}

/** A post that its source deleted. */
export interface PostRemoval {
  key: string;
}

/** An author's positions that must go, up to and including one post. */
export interface GeoRemoval {
  source: string;
  userId: string;
  upToId: string;
}
