/** What this page shows, by its address. */
export interface Page {
  feed: boolean;
  map: boolean;
  /** True for a screen on a wall: the map, the state and the rate, and nothing to operate. */
  kiosk: boolean;
}

/** Reads the page off its address: / shows both, /step-3 the feed, /step-4 the map. */
export function pageOf({ pathname, search }: { pathname: string; search: string }): Page {
  const path = pathname.replace(/\/+$/, '');
  const kiosk = isOn(new URLSearchParams(search).get('kiosk'));
  return {
    feed: path !== '/step-4' && !kiosk,
    map: path !== '/step-3' || kiosk,
    kiosk,
  };
}

function isOn(value: string | null): boolean {
  return value !== null && value !== '0' && value !== 'false';
}

/** The kinds of events that a page needs; removals concern every page. */
export function kindsOf(page: Page): string[] {
  return [
    ...(page.feed ? ['simple_tweet'] : []),
    ...(page.map ? ['geo_blip'] : []),
    'post_removed',
    'geo_removed',
  ];
}
