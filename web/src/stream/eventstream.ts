import type { ByeJson, GapJson, HelloJson } from '../gen/blipstream/feed/v1/gateway_pb';
import { sequenceOf } from '../model/ids';
import { Backoff } from './backoff';
import { decodeBlip, decodeGeoRemoved, decodePost, decodePostRemoved, parseObject } from './decode';
import type { Sink, Status, Transport } from './transport';

/** A stream without any event for this long is dead: the gateway sends hb every 10 s. */
export const SILENCE_MS = 25_000;
/** How far back a fresh page looks, so that it is not empty. */
export const LOOK_BACK_MS = 120_000;
/** After a longer absence a page for the present begins anew instead of replaying it all. */
export const RESUME_MAX_MS = 300_000;
/** A connection that lasted this long has proved itself: the back-off starts anew. */
const PROVEN_MS = 5_000;
/** Longest wait that a bye can ask for. */
const MAX_BYE_MS = 60_000;
const WATCH_EVERY_MS = 1_000;

/** What to read, and what tests replace. */
export interface Options {
  /** Path of the stream, without a query. */
  path: string;
  /** Event kinds to ask for. */
  kinds: string[];
  backoff?: Backoff;
  connect?: (url: string) => EventSource;
}

/**
 * Reads the gateway's /events with EventSource, but owns the reconnecting: a
 * browser's own gives up for good on a 503, a wrong content type or a refusal
 * during a rolling update, and knows neither jitter nor a silent connection.
 */
export class EventStream implements Transport {
  readonly #options: Options;
  readonly #backoff: Backoff;
  readonly #connect: (url: string) => EventSource;
  #sink: Sink | undefined;
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #lastId = '';
  /** Sequence of the newest event stored before this connection was opened. */
  #pastUntil = 0;
  /** When the page was last up to date; 0 before the first event. */
  #freshAt = 0;
  #heardAt = 0;
  /** True if this connection began with a look back instead of a resume. */
  #fresh = true;
  #openedAt = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#backoff = options.backoff ?? new Backoff();
    this.#connect = options.connect ?? ((url) => new EventSource(url));
  }

  start(sink: Sink): void {
    this.#sink = sink;
    this.#open();
  }

  stop(): void {
    this.#close();
    this.#tell({ phase: 'closed' });
    this.#sink = undefined;
  }

  retryNow(): void {
    if (this.#sink && !this.#source) this.#open();
  }

  sleep(): void {
    if (!this.#sink) return;
    this.#close();
    this.#tell({ phase: 'asleep' });
  }

  wake(): void {
    this.retryNow();
  }

  #open(): void {
    this.#close();
    this.#heardAt = Date.now();
    this.#tell({ phase: 'connecting' });
    const source = this.#connect(this.#url());
    this.#source = source;
    source.onopen = () => this.#opened();
    source.onerror = () => this.#lost();
    this.#listen(source);
    this.#watch = setInterval(() => this.#checkSilence(), WATCH_EVERY_MS);
  }

  #url(): string {
    const query = new URLSearchParams(this.#options.kinds.map((kind) => ['kind', kind]));
    const away = this.#freshAt ? Date.now() - this.#freshAt : 0;
    if (away > RESUME_MAX_MS) this.#startAfresh();
    this.#fresh = this.#lastId === '';
    // A new EventSource sends no Last-Event-ID header, so the id goes in the query.
    if (this.#lastId) query.set('lastEventId', this.#lastId);
    else query.set('since', `${LOOK_BACK_MS / 60_000}m`);
    return `${this.#options.path}?${query}`;
  }

  /** After a long absence hours of events would be replayed: begin anew, and say so. */
  #startAfresh(): void {
    this.#lastId = '';
    this.#freshAt = 0;
    this.#sink?.missed({ reason: 'away', count: 0, stale: true });
  }

  #opened(): void {
    this.#openedAt = Date.now();
    this.#heardAt = this.#openedAt;
    this.#tell({ phase: 'open' });
  }

  #listen(source: EventSource): void {
    const on = (name: string, take: (data: string) => void) =>
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.#heard(event.lastEventId);
        take(event.data);
      });
    on('hello', (data) => this.#hello(parseObject(data) as HelloJson | undefined));
    on('hb', (data) => this.#clock(parseObject(data)?.time));
    on('gap', (data) => this.#gap(parseObject(data) as GapJson | undefined));
    on('bye', (data) => this.#bye(parseObject(data) as ByeJson | undefined));
    on('simple_tweet', (data) => this.#give(decodePost(data), (sink, it) => sink.post(it, this.#isPast())));
    on('geo_blip', (data) => this.#give(decodeBlip(data), (sink, it) => sink.blip(it, this.#isPast())));
    on('post_removed', (data) => this.#give(decodePostRemoved(data), (sink, it) => sink.postRemoved(it)));
    on('geo_removed', (data) => this.#give(decodeGeoRemoved(data), (sink, it) => sink.geoRemoved(it)));
  }

  #heard(id: string): void {
    this.#heardAt = Date.now();
    this.#freshAt = this.#heardAt;
    if (id) this.#lastId = id;
  }

  #give<T>(value: T | undefined, hand: (sink: Sink, value: T) => void): void {
    if (value !== undefined && this.#sink) hand(this.#sink, value);
  }

  #isPast(): boolean {
    return sequenceOf(this.#lastId) <= this.#pastUntil;
  }

  #hello(hello: HelloJson | undefined): void {
    this.#pastUntil = Number(hello?.lastSeq ?? 0);
    this.#clock(hello?.time);
  }

  #clock(time: unknown): void {
    const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    if (!Number.isNaN(ms)) this.#sink?.clock(ms);
  }

  #gap(gap: GapJson | undefined): void {
    const reason = gap?.reason ?? 'unknown';
    // A fresh page asked for more history than is served: nothing it had is lost.
    if (reason === 'capped' && this.#fresh) return;
    // Backlog was dropped before it was made an event; what is on the page still stands.
    this.#sink?.missed({ reason, count: Number(gap?.count ?? 0), stale: reason !== 'backlog' });
  }

  #bye(bye: ByeJson | undefined): void {
    const asked = bye?.reopenAfterMs;
    this.#lost(typeof asked === 'number' ? Math.min(Math.max(0, asked), MAX_BYE_MS) : undefined);
  }

  #checkSilence(): void {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.#lost();
  }

  #lost(waitMs?: number): void {
    if (this.#openedAt && Date.now() - this.#openedAt >= PROVEN_MS) this.#backoff.reset();
    this.#close();
    const wait = waitMs ?? this.#backoff.next();
    this.#retry = setTimeout(() => this.#open(), wait);
    this.#tell({ phase: 'waiting', until: Date.now() + wait, attempt: this.#backoff.attempt });
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#openedAt = 0;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
  }

  #tell(status: Status): void {
    this.#sink?.status(status);
  }
}
