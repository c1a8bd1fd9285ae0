/** A piece of a post's text; with `href` it is a link that is safe to open. */
export interface Piece {
  text: string;
  href?: string;
}

const CANDIDATE = /https?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
/** What ends a sentence or closes a bracket around a link, rather than the link. */
const TRAILING = /[.,;:!?…)\]}»”’]+$/u;

/**
 * Splits text into links and what lies between them. Only absolute http and
 * https addresses without a user name become links: anything else that a post
 * says stays text.
 */
export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = match[0].replace(TRAILING, '');
    const href = safeHref(shown);
    if (!href) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: shown, href });
    end = match.index + shown.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** The address if it may be linked; undefined for anything but plain http(s). */
export function safeHref(address: string): string | undefined {
  try {
    const url = new URL(address);
    const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
    // "https://bank.example@evil.example" exists to be misread.
    return isWeb && !url.username && !url.password ? url.href : undefined;
  } catch {
    return undefined;
  }
}
