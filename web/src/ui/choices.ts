import { createSignal, type Accessor } from 'solid-js';
import { THROTTLE } from '../model/session';
import { filterOf, NO_FILTER, toggled, writeFilter, type Filter, type ListName } from '../stream/query';
import { modeOf, type Mode } from './page';

/** A replay: from when on, by RFC 3339, and how many times as fast. */
export interface Replay {
  since: string;
  speed: number;
}

/** What the person at the page has chosen. Filter and mode are in the address, so that it can be passed on. */
export interface Choices {
  filter: Accessor<Filter>;
  setFilter(filter: Filter): void;
  /** Limits the page to one more value, or no longer to it. */
  toggle(name: ListName, value: string): void;
  clear(): void;
  mode: Accessor<Mode>;
  setMode(mode: Mode): void;
  /** Posts a second that the feed shows; Infinity for all. */
  throttle: Accessor<number>;
  setThrottle(perSecond: number): void;
  /** What is replayed; undefined at the present. */
  replay: Accessor<Replay | undefined>;
  setReplay(replay: Replay | undefined): void;
  /** By how much less than it could the gateway is asked to send, because this device is slow; 1 for not at all. */
  less: Accessor<number>;
  setLess(less: number): void;
}

/** Makes the choices that the address names. */
export function createChoices(place: Location): Choices {
  // The same limits again are no change: everything would be read anew.
  const [filter, setFilter] = createSignal(filterOf(place.search), { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) });
  const [mode, setMode] = createSignal(modeOf(place.search));
  const [throttle, setThrottle] = createSignal(THROTTLE);
  const [replay, setReplay] = createSignal<Replay>();
  const [less, setLess] = createSignal(1);
  const write = () => {
    const query = new URLSearchParams(place.search);
    writeFilter(query, filter());
    if (mode() === 'blips') query.delete('map');
    else query.set('map', mode());
    // Commas and colons are fit for a query, and read better than their codes.
    const text = query.toString().replaceAll('%2C', ',');
    history.replaceState(null, '', text ? `${place.pathname}?${text}` : place.pathname);
  };
  const limit = (next: Filter) => {
    setFilter(next);
    write();
  };
  return {
    filter,
    setFilter: limit,
    toggle: (name, value) => limit(toggled(filter(), name, value)),
    clear: () => limit(NO_FILTER),
    mode,
    setMode: (next) => {
      setMode(next);
      write();
    },
    throttle,
    setThrottle,
    replay,
    setReplay,
    less,
    setLess,
  };
}
