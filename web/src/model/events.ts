/** What sort of post it is; told by colour and by shape. */
export type PostType = 'post' | 'reply' | 'repost' | 'edit' | 'quake';

/** How a position is known, from the surest to the least. */
export type Precision = 'point' | 'place' | 'profile' | 'mention';

/** What names a post: removals refer to it. */
export interface Ref {
  /** "<source>:<id>": unique over all sources. */
  key: string;
  source: string;
  /** Id within the source, as the source spells it. */
  id: string;
  /** Author, as the source spells it; "" if unknown. */
  userId: string;
}

/** A post that a person can read. All text is plain text. */
export interface Post extends Ref {
  /** When it was posted, in milliseconds since 1970 by the source's clock; NaN if unknown. */
  time: number;
  type: PostType;
  /** ISO 3166-1 alpha-2; "" if unknown. */
  country: string;
  /** In Latin letters; "" if unknown. */
  city: string;
  simulated: boolean;
  username: string;
  name: string;
  body: string;
  /** BCP 47, canonical; "" if unknown. */
  lang: string;
  /** Where the source shows the post; "" if unknown. */
  url: string;
}

/** One position on the map, or several that lie close together. Zero is a place. */
export interface Blip {
  /** Its own name on this page. */
  key: string;
  /** The posts it stands for; may be fewer than count. */
  refs: Ref[];
  /** How many positions. */
  count: number;
  /** Degrees north. */
  lat: number;
  /** Degrees east. */
  lon: number;
  type: PostType;
  precision: Precision;
  /** How far the true position may be, in kilometres; 0 for a point. */
  radiusKm: number;
  /** Of an earthquake; 0 for all else. */
  magnitude: number;
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

/** What happened in a moment: a sample of posts, all positions, exact totals. */
export interface Frame {
  /** Sequence of the last event in it. */
  toSeq: number;
  /** The gateway's clock, or in a replay the time replayed, in milliseconds since 1970. */
  time: number;
  posts: Post[];
  blips: Blip[];
  /** Events that match the filter, exactly: posts, positions, and all of any kind but removals. */
  totals: { posts: number; blips: number; events: number };
  postsRemoved: PostRemoval[];
  geoRemoved: GeoRemoval[];
}
