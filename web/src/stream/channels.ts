import { Hub, Seat } from './hub';
import { holdLock, obey, whenGone, type Ask, type Cast, type Said } from './shared';
import type { Tickets } from './signin';
import type { Channel, Listener } from './transport';

const NAME = 'blipstream';
/** Taken by the page that holds the connection for all. */
const LEAD = 'blipstream-lead';

/**
 * The best way to a connection that this browser knows: HTTP/1.1 lets a
 * browser have six at once, and the seventh page would not even load. A shared
 * worker holds one for all pages; else one page does for the others; else each
 * has its own.
 */
export function sharedChannel(listen: Listener): Channel {
  const canLead = 'locks' in navigator && 'BroadcastChannel' in self;
  const fallBack = () => (canLead ? ledChannel(listen) : ownChannel(listen));
  return 'SharedWorker' in self && 'locks' in navigator ? workerChannel(listen, fallBack) : fallBack();
}

/** A connection of this page's own. */
export function ownChannel(listen: Listener): Channel {
  return new Seat(new Hub(), listen);
}

/** One that is opened with a ticket each time. */
export function ticketChannel(tickets: Tickets): (listen: Listener) => Channel {
  return (listen) => new Seat(new Hub({ ticket: () => tickets.take() }), listen);
}

/** Asks the shared worker; if it cannot be started, whatever `fallBack` makes. */
function workerChannel(listen: Listener, fallBack: () => Channel): Channel {
  let other: Channel | undefined;
  let wish: Ask = { do: 'close' };
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: NAME });
  worker.port.onmessage = ({ data }: MessageEvent<Said>) => listen(data.told, data.turn);
  worker.onerror = () => {
    other ??= fallBack();
    obey(other, wish);
  };
  holdLock((alive) => worker.port.postMessage({ alive }));
  return relay((ask) => {
    if (ask.do !== 'retry') wish = ask;
    if (other) obey(other, ask);
    else worker.port.postMessage(ask);
  });
}

/** Asks the page that leads, or becomes it. */
function ledChannel(listen: Listener): Channel {
  const air = new BroadcastChannel(NAME);
  let me = '';
  let wish: Ask | undefined;
  let own: Seat | undefined;
  const cast = (message: Cast) => air.postMessage(message);
  const say = (ask: Ask) => (own ? obey(own, ask) : cast({ from: me, ask }));
  air.onmessage = ({ data }: MessageEvent<Cast>) => {
    if ('leads' in data && wish && !own) say(wish);
    if ('to' in data && data.to === me) listen(data.told, data.turn);
  };
  holdLock((lock) => {
    me = lock;
    if (wish) say(wish);
    void navigator.locks.request(LEAD, () => {
      own = lead(air, cast, listen);
      if (wish) say(wish);
      cast({ leads: me });
      return new Promise<never>(() => {});
    });
  });
  return relay((ask) => {
    if (ask.do !== 'retry') wish = ask;
    if (me) say(ask);
  });
}

/** Serves the other pages from now on; returns this page's own seat. */
function lead(air: BroadcastChannel, cast: (message: Cast) => void, listen: Listener): Seat {
  const hub = new Hub();
  const seats = new Map<string, Seat>();
  const seatOf = (page: string) => {
    const seat = seats.get(page) ?? new Seat(hub, (told, turn) => cast({ to: page, told, turn }));
    if (!seats.has(page)) {
      whenGone(page, () => {
        seat.close();
        seats.delete(page);
      });
    }
    seats.set(page, seat);
    return seat;
  };
  air.addEventListener('message', ({ data }: MessageEvent<Cast>) => {
    if ('from' in data) obey(seatOf(data.from), data.ask);
  });
  return new Seat(hub, listen);
}

/** A channel whose every call is passed on as what it asks. */
function relay(pass: (ask: Ask) => void): Channel {
  return {
    open: (address, turn) => pass({ do: 'open', address, turn }),
    close: () => pass({ do: 'close' }),
    retry: () => pass({ do: 'retry' }),
  };
}
