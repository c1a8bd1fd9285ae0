/** What this page shows, by its address. */
export interface Page {
  feed: boolean;
  map: boolean;
  /** True for a screen on a wall: the map, the state and the rate, and nothing to operate. */
  kiosk: boolean;
  /** True within another page: what is asked for, the state, and pause. */
  embed: boolean;
}

/** How the map shows what it knows; the last as a table. */
export const MODES = ['blips', 'glow', 'countries', 'table'] as const;
/** One of them. */
export type Mode = (typeof MODES)[number];

/** Reads the page off its address: / shows both, /step-3 the feed, /step-4 the map. */
export function pageOf({ pathname, search }: { pathname: string; search: string }): Page {
  const path = pathname.replace(/\/+$/, '');
  const query = new URLSearchParams(search);
  const kiosk = isOn(query.get('kiosk'));
  return {
    feed: path !== '/step-4' && !kiosk,
    map: path !== '/step-3' || kiosk,
    kiosk,
    embed: isOn(query.get('embed')) && !kiosk,
  };
}

/** The map's mode that an address names. */
export function modeOf(search: string): Mode {
  const mode = new URLSearchParams(search).get('map') as Mode;
  return MODES.includes(mode) ? mode : 'blips';
}

function isOn(value: string | null): boolean {
  return value !== null && value !== '0' && value !== 'false';
}

/** The kinds of events that a page needs if it shows less than all; removals always come. */
export function kindsOf(page: Page): string[] {
  if (page.feed && page.map) return [];
  return [page.feed ? 'simple_tweet' : 'geo_blip'];
}
