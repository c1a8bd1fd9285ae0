import type { Stream } from './gateway';
import { AUTHORS, seeded } from './world';

/** The gateway's frames: ten a second, with ten posts and 200 cells at most. */
const FRAME_MS = 100;
const FRAME_POSTS = 10;
const FRAME_CELLS = 200;

/**
 * Sends frames to whichever stream is open, as a gateway does while so many posts and positions happen every second;
 * returns what ends it.
 */
export function flood(open: () => Stream | undefined, perSecond: number): () => void {
  const random = seeded(11);
  let seq = 1_000;
  const send = () => {
    const events = perSecond / (1_000 / FRAME_MS);
    const from = seq;
    seq += events;
    open()?.send('frame', { ...frame(from, events, random), toSeq: String(seq), time: new Date().toISOString() }, `e1-${seq}`);
  };
  const timer = setInterval(send, FRAME_MS);
  return () => clearInterval(timer);
}

function frame(from: number, events: number, random: () => number) {
  const cells = Math.min(events, FRAME_CELLS);
  const list = <T>(length: number, make: (id: string) => T) => Array.from({ length }, (_, i) => make(String(from + i)));
  return {
    fromSeq: String(from),
    totals: { simple_tweet: String(events), geo_blip: String(events) },
    posts: list(Math.min(events, FRAME_POSTS), (id) => ({ ...AUTHORS[Number(id) % AUTHORS.length], id, source: 'flood', time: new Date().toISOString() })),
    cells: list(cells, (id) => ({
      lat: random() * 120 - 50,
      lon: random() * 360 - 180,
      count: Math.max(1, Math.round(events / cells)),
      type: ['post', 'reply', 'repost'][Number(id) % 3],
      precision: 'point',
      posts: [{ source: 'flood', id, userId: id }],
    })),
  };
}
