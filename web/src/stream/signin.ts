import { t } from '../i18n/words';
import { parseObject, text, whole } from './decode';

/** Where a browser changes a token into the cookie that it cannot read itself. */
const SESSION = '/api/session';
/** An attempt that takes longer has failed. */
const TIMEOUT_MS = 10_000;

/** What came of an attempt to sign in: how long it lasts, in seconds, or what is wrong. */
export type Outcome = { seconds: number } | { problem: string };

/** Signs this browser in. The token is in the body: no address, and so no history or log, holds it. */
export async function signIn(token: string): Promise<Outcome> {
  try {
    const response = await ask('POST', JSON.stringify({ token }));
    const raw = parseObject(await response.text()) ?? {};
    if (response.ok) return { seconds: whole(raw.expiresIn) };
    return { problem: text(raw.detail) || text(raw.title) || t('the gateway answered {status}', { status: response.status }) };
  } catch {
    return { problem: t('the gateway does not answer') };
  }
}

/** Signs this browser out; false if that failed. */
export async function signOut(): Promise<boolean> {
  return ask('DELETE').then(({ ok }) => ok, () => false);
}

function ask(method: string, body?: string): Promise<Response> {
  const headers = body ? { 'Content-Type': 'application/json' } : undefined;
  return fetch(SESSION, { method, headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
}

const TICKET = /^[\w-]{1,64}$/;

/**
 * One-use tickets, for a page within a page of another site, which gets no
 * cookie. The first may be in the address; the page around gives others when it
 * is asked, by postMessage.
 */
export class Tickets {
  #next: string | undefined;

  constructor(
    first: string | undefined,
    private readonly around: Window | undefined,
  ) {
    this.#next = first;
  }

  /** The ticket for the next connection, once; without one the page around is asked. */
  take(): string | undefined {
    const ticket = this.#next;
    this.#next = undefined;
    if (!ticket) this.around?.postMessage({ blipstream: 'ticket-wanted' }, '*');
    return ticket;
  }

  /** Calls back whenever a ticket has come; returns what ends that. */
  follow(came: () => void): () => void {
    const stop = new AbortController();
    const heard = ({ source, data }: MessageEvent<{ ticket?: unknown } | null>) => {
      if (!source || source !== this.around || !TICKET.test(text(data?.ticket))) return;
      this.#next = text(data?.ticket);
      came();
    };
    window.addEventListener('message', heard, { signal: stop.signal });
    return () => stop.abort();
  }
}

/**
 * Takes the ticket out of the page's address, where it would be kept and
 * passed on. Within another page an empty one stays, since a browser that
 * reloads that page comes back to the address as it is then: the page around
 * is asked.
 */
export function takeTickets(place: Location, around = pageAround()): Tickets | undefined {
  const query = new URLSearchParams(place.search);
  const ticket = query.get('ticket');
  if (ticket === null) return undefined;
  if (around) query.set('ticket', '');
  else query.delete('ticket');
  const rest = query.toString();
  history.replaceState(null, '', rest ? `${place.pathname}?${rest}` : place.pathname);
  const isTicket = TICKET.test(ticket);
  return isTicket || around ? new Tickets(isTicket ? ticket : undefined, around) : undefined;
}

function pageAround(): Window | undefined {
  return window.parent === window ? undefined : window.parent;
}
