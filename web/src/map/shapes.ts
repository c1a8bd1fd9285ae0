import type { PostType } from '../model/events';

/** Radius of the mark in the middle of a blip, in pixels on a map 1200 px wide. */
const CORE = 2.1;

/**
 * The mark of each kind as path data around 0,0: a disc for a post, a ring
 * for a reply, a diamond for a repost, a square for an edit, a star for an
 * earthquake, so that colour is never alone in telling them apart.
 */
export const MARKS: Record<PostType, string> = {
  post: circle(CORE),
  // Two circles in opposite directions: what lies between them is filled.
  reply: circle(CORE * 1.35) + circle(CORE * 0.65, true),
  repost: polygon([CORE * 1.45, CORE * 1.45], 4),
  edit: square(CORE * 0.95),
  quake: polygon([CORE * 2, CORE * 0.75], 8),
};

function circle(r: number, reversed = false): string {
  const sweep = reversed ? 0 : 1;
  return `M${-r},0a${r},${r} 0 1 ${sweep} ${2 * r},0a${r},${r} 0 1 ${sweep} ${-2 * r},0z`;
}

function square(r: number): string {
  return `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`;
}

/** A polygon whose corners lie on two radii in turn, the first one straight up. */
function polygon(radii: [number, number], corners: number): string {
  const points = Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    const r = radii[i % 2]!;
    return `${(r * Math.sin(angle)).toFixed(2)},${(-r * Math.cos(angle)).toFixed(2)}`;
  });
  return `M${points.join('L')}z`;
}
