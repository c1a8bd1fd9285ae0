import { Backoff } from './backoff';
import type { Told } from './transport';

/** A stream without any event for this long is dead: the gateway sends hb every 10 s. */
export const SILENCE_MS = 25_000;
/** After a longer absence nobody wants all that happened: the stream begins at the present. */
export const RESUME_MAX_MS = 60_000;
/** A connection that lasted this long has proved itself: the back-off starts anew. */
const PROVEN_MS = 5_000;
/** Longest wait that a bye can ask for. */
const MAX_BYE_MS = 60_000;
const WATCH_EVERY_MS = 1_000;
const NAMES = ['hello', 'hb', 'gap', 'bye', 'frame', 'stats'];

/** What tests replace. */
export interface Options {
  backoff?: Backoff;
  connect?: (url: string) => EventSource;
  /** A ticket for the next connection, of a page that has no cookie. */
  ticket?: () => string | undefined;
}

/**
 * Reads one address with EventSource, but owns the reconnecting: a browser's
 * own gives up for good on a 503, a wrong content type or a refusal during a
 * rolling update, and knows neither jitter nor a silent connection.
 */
export class LiveStream {
  readonly #address: string;
  readonly #listen: (told: Told) => void;
  readonly #backoff: Backoff;
  readonly #connect: (url: string) => EventSource;
  readonly #ticket: () => string | undefined;
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #lastId = '';
  #heardAt = 0;
  /** When the newest event came; 0 before the first. */
  #freshAt = 0;
  #openedAt = 0;

  /** Opens the stream at once. */
  constructor(address: string, listen: (told: Told) => void, options: Options = {}) {
    this.#address = address;
    this.#listen = listen;
    this.#backoff = options.backoff ?? new Backoff();
    this.#connect = options.connect ?? ((url) => new EventSource(url));
    this.#ticket = options.ticket ?? (() => undefined);
    this.#open();
  }

  /** Ends it for good. */
  stop(): void {
    this.#close();
    this.#listen({ status: { phase: 'closed' } });
  }

  /** Connects at once, unless there is a connection. */
  retryNow(): void {
    if (!this.#source) this.#open();
  }

  #open(): void {
    this.#close();
    this.#listen({ status: { phase: 'connecting' } });
    const source = this.#connect(this.#url());
    this.#heardAt = Date.now();
    this.#source = source;
    source.onopen = () => this.#opened();
    source.onerror = () => this.#lost();
    for (const name of NAMES) {
      source.addEventListener(name, (event: MessageEvent<string>) => this.#heard(name, event));
    }
    this.#watch = setInterval(() => this.#checkSilence(), WATCH_EVERY_MS);
  }

  #url(): string {
    // A replay goes on where it was: begun anew it would be at its beginning.
    const resumes = Date.now() - this.#freshAt <= RESUME_MAX_MS || /[?&]since=/.test(this.#address);
    if (this.#lastId && !resumes) this.#startAfresh();
    // A new EventSource sends no header of ours, so what it has to say goes in the query.
    const more = Object.entries({ lastEventId: this.#lastId, ticket: this.#ticket() })
      .filter(([, value]) => value)
      .map(([name, value]) => `${name}=${encodeURIComponent(value!)}`)
      .join('&');
    if (!more) return this.#address;
    return `${this.#address}${this.#address.includes('?') ? '&' : '?'}${more}`;
  }

  /** Says that what lies between is left out. */
  #startAfresh(): void {
    this.#lastId = '';
    this.#listen({ name: 'gap', data: '{"reason":"away"}', id: '' });
  }

  #opened(): void {
    this.#openedAt = Date.now();
    this.#heardAt = this.#openedAt;
    this.#listen({ status: { phase: 'open' } });
  }

  #heard(name: string, { data, lastEventId }: MessageEvent<string>): void {
    this.#freshAt = this.#heardAt = Date.now();
    if (lastEventId) this.#lastId = lastEventId;
    if (name === 'bye') this.#lost(reopenAfter(data));
    else this.#listen({ name, data, id: lastEventId });
  }

  #checkSilence(): void {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.#lost();
  }

  #lost(waitMs?: number): void {
    if (this.#openedAt && Date.now() - this.#openedAt >= PROVEN_MS) this.#backoff.reset();
    this.#close();
    const wait = waitMs ?? this.#backoff.next();
    this.#retry = setTimeout(() => this.#open(), wait);
    this.#listen({ status: { phase: 'waiting', until: Date.now() + wait, attempt: this.#backoff.attempt } });
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#openedAt = 0;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
  }
}

/** The wait that a bye asks for, within reason; undefined if it asks for none. */
function reopenAfter(data: string): number | undefined {
  const asked = /"reopenAfterMs":\s*(\d+)/.exec(data)?.[1];
  return asked === undefined ? undefined : Math.min(Number(asked), MAX_BYE_MS);
}
