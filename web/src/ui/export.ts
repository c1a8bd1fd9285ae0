import type { Blip, Post } from '../model/events';
import type { WorldMap } from '../map/worldmap';

/** A picture shows the map twice as fine as the screen does at least. */
const DENSITY = 2;
/** Not every browser has read the file by the next turn of its loop. */
const KEPT_MS = 30_000;
const POST_COLUMNS = ['id', 'source', 'time', 'username', 'name', 'body', 'type', 'lang', 'country', 'city', 'url'] as const;

/** Hands a file to the person. */
export function download(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = `blipstream-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.${name}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/** The map as it is now, as a PNG. */
export function mapPicture(map: WorldMap, legend: string): Promise<Blob | null> {
  const { width, height } = map.size;
  const canvas = document.createElement('canvas');
  canvas.width = width * DENSITY;
  canvas.height = height * DENSITY;
  const pen = canvas.getContext('2d')!;
  const { backgroundColor, color, fontFamily } = getComputedStyle(document.documentElement);
  pen.scale(DENSITY, DENSITY);
  pen.fillStyle = backgroundColor;
  pen.fillRect(0, 0, width, height);
  map.picture(pen);
  pen.fillStyle = color;
  pen.globalAlpha = 0.8;
  pen.font = `12px ${fontFamily}`;
  const isLeftward = document.documentElement.dir === 'rtl';
  pen.direction = isLeftward ? 'rtl' : 'ltr';
  pen.fillText(legend, isLeftward ? width - 12 : 12, height - 12);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

/** Posts as NDJSON, one a line, times as RFC 3339. */
export function postsNdjson(posts: readonly Post[]): string {
  return posts.map((post) => `${JSON.stringify(rowOf(post))}\n`).join('');
}

/** Posts as CSV (RFC 4180) with a header. */
export function postsCsv(posts: readonly Post[]): string {
  return csv([[...POST_COLUMNS], ...posts.map((post) => Object.values(rowOf(post)))]);
}

/** Positions as CSV with a header. */
export function blipsCsv(blips: readonly Blip[]): string {
  const columns = ['lat', 'lon', 'count', 'type', 'precision', 'radiusKm', 'magnitude'] as const;
  return csv([[...columns], ...blips.map((blip) => columns.map((name) => String(blip[name])))]);
}

function rowOf(post: Post): Record<string, string> {
  const time = Number.isNaN(post.time) ? '' : new Date(post.time).toISOString();
  return Object.fromEntries(POST_COLUMNS.map((name) => [name, name === 'time' ? time : post[name]]));
}

function csv(rows: string[][]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A text that a spreadsheet would take for a formula is kept one by an apostrophe; numbers are left alone. */
function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) && !/^-?[\d.]+$/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
