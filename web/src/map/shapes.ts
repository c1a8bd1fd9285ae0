import type { PostType } from '../model/events';

/** Radius of the mark in the middle of a blip, in pixels on a map 1200 px wide. */
const CORE = 2.1;

/**
 * The mark of each kind as path data around 0,0: a disc for a post, a ring
 * for a reply, a diamond for a repost, so that colour is never alone in
 * telling them apart.
 */
export const MARKS: Record<PostType, string> = {
  post: circle(CORE),
  // Two circles in opposite directions: what lies between them is filled.
  reply: circle(CORE * 1.35) + circle(CORE * 0.65, true),
  repost: diamond(CORE * 1.45),
};

function circle(r: number, reversed = false): string {
  const sweep = reversed ? 0 : 1;
  return `M${-r},0a${r},${r} 0 1 ${sweep} ${2 * r},0a${r},${r} 0 1 ${sweep} ${-2 * r},0z`;
}

function diamond(r: number): string {
  return `M0,${-r}L${r},0L0,${r}L${-r},0z`;
}
