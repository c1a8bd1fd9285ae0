import type { Channel, Told } from './transport';

/** What a page asks of whoever holds the connection for all pages. */
export type Ask = { do: 'open'; address: string; turn: number } | { do: 'close' | 'retry' };

/** Does at a channel what was asked. */
export function obey(channel: Channel, ask: Ask): void {
  if (ask.do === 'open') channel.open(ask.address, ask.turn);
  else channel[ask.do]();
}

/** A page's first words: the name of the lock that it holds for as long as it lives. */
export interface Greeting {
  alive: string;
}

/** Runs `gone` once nobody holds a lock any more: its page has been closed, or has crashed. */
export function whenGone(lock: string, gone: () => void): void {
  void navigator.locks.request(lock, gone);
}

/** Holds a lock for as long as the page lives; calls back with its name once it does. */
export function holdLock(got: (lock: string) => void): void {
  const lock = `blipstream-page-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
  void navigator.locks.request(lock, () => {
    got(lock);
    return new Promise<never>(() => {});
  });
}

/** What is said to a page. */
export interface Said {
  told: Told;
  turn: number;
}

/** What passes on the broadcast channel of pages without a shared worker. */
export type Cast = { from: string; ask: Ask } | ({ to: string } & Said) | { leads: string };
