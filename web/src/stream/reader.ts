import { decodeFrame, parseObject, text, time, whole, type Raw } from './decode';
import { decodeStats } from './decodestats';
import { addressOf, isReplay, type Query } from './query';
import type { Channel, Listener, Sink, Told } from './transport';

/** A snapshot that takes longer is done without. */
const TIMEOUT_MS = 5_000;
/** Most frames that wait for the snapshot: as many as come while it may take. */
const MAX_WAITING = 60;

/** After every so many failed attempts in a row the gateway is asked whether it refuses. */
const PROBE_EVERY = 2;

/** How a reader comes by its channels; tests replace it. */
export interface Channels {
  /** For the present, which all pages share. */
  shared(listen: Listener): Channel;
  /** For a replay, which is one page's own. */
  own(listen: Listener): Channel;
  /** True if nothing but a channel may ask the gateway anything: the page has tickets alone. */
  bare?: boolean;
}

/**
 * Reads /live for one page: what there is already from a snapshot, then what
 * happens. Frames that come while the snapshot is on its way wait for it, and
 * those that it holds already are passed over: nothing is missed or doubled.
 */
export class Reader {
  readonly #sink: Sink;
  readonly #channels: Channels;
  #query: Query | undefined;
  #channel: Channel | undefined;
  #shared: Channel | undefined;
  #own: Channel | undefined;
  #asleep = false;
  #turn = 0;
  #waiting: Raw[] | undefined;
  #snapshotSeq = 0;
  /** Where the stream began. */
  #begun = 0;
  #asked = 0;
  #stopFetch = new AbortController();

  constructor(sink: Sink, channels: Channels) {
    this.#sink = sink;
    this.#channels = channels;
  }

  /** Reads what a query asks for from now on, instead of what was read before. */
  ask(query: Query): void {
    this.#query = query;
    this.#asleep = false;
    this.#open();
  }

  stop(): void {
    this.#stopFetch.abort();
    this.#shared?.close();
    this.#own?.close();
  }

  retryNow(): void {
    if (!this.#query) return;
    if (this.#stopFetch.signal.aborted) this.#open();
    // Opened anew as well: a shared one may still sit out its back-off.
    this.#channel?.retry();
  }

  /** Lets go of the connection while nobody looks at the page. */
  sleep(): void {
    if (!this.#query || this.#asleep) return;
    this.#asleep = true;
    this.stop();
    this.#sink.status({ phase: 'asleep' });
  }

  /** Takes it up again, from a snapshot of the present. */
  wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#sink.missed({ reason: 'away', count: 0, stale: true });
    this.#open();
  }

  #open(): void {
    const query = this.#query!;
    this.stop();
    this.#stopFetch = new AbortController();
    this.#snapshotSeq = this.#begun = 0;
    this.#waiting = undefined;
    const listen = (told: Told, turn: number) => turn === this.#turn && this.#told(told);
    this.#turn += 1;
    if (isReplay(query)) this.#channel = this.#own ??= this.#channels.own(listen);
    else this.#channel = this.#shared ??= this.#channels.shared(listen);
    this.#channel.open(addressOf('/live', query), this.#turn);
    if (!isReplay(query)) void this.#snapshot();
  }

  /** Whether the gateway would serve the stream: an EventSource cannot tell a refusal from a broken line. */
  async #probe(): Promise<void> {
    if (this.#channels.bare) return;
    const { signal } = this.#stopFetch;
    const { code, raw } = await fetchJson(addressOf('/live', this.#query!), signal, 'HEAD');
    if (!signal.aborted && isRefusal(code)) this.#refused(code, raw);
  }

  /**
   * Fetches what there is; `again` takes the place of one that ended before the stream began.
   * A gateway that has none to give, as while it starts, is read without.
   */
  async #snapshot(again = false): Promise<void> {
    if (this.#channels.bare) return;
    const { signal } = this.#stopFetch;
    const asked = (this.#asked += 1);
    // Sequences of a stream that is no more say nothing about those of another.
    this.#snapshotSeq = 0;
    this.#waiting ??= [];
    const answer = await fetchJson(addressOf('/api/snapshot', this.#query!), signal);
    if (signal.aborted || asked !== this.#asked) return;
    if (isRefusal(answer.code)) return this.#refused(answer.code, answer.raw);
    const seq = whole(text(answer.raw.id).replace(/^.*-/, ''));
    if (seq < this.#begun && !again) return this.#snapshot(true);
    if (again) this.#sink.missed({ reason: '', count: 0, stale: true });
    const frame = answer.raw.frame as Raw | undefined;
    if (frame) {
      this.#snapshotSeq = seq;
      this.#sink.frame(decodeFrame(frame), true);
    }
    if (answer.raw.stats) this.#sink.stats(decodeStats(answer.raw.stats as Raw));
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const raw of waiting) this.#frame(raw);
  }

  #refused(code: number, problem: Raw): void {
    this.stop();
    this.#waiting = undefined;
    this.#sink.status({ phase: 'refused', code, detail: text(problem.detail) || text(problem.title) });
  }

  #told(told: Told): void {
    if (this.#asleep || this.#stopFetch.signal.aborted) return;
    if ('status' in told) {
      this.#sink.status(told.status);
      if (told.status.phase === 'waiting' && isProbed(told.status.attempt)) void this.#probe();
      return;
    }
    const raw = parseObject(told.data);
    if (raw) this.#event(told.name, raw);
  }

  #event(name: string, raw: Raw): void {
    if (name === 'frame') this.#frame(raw);
    else if (name === 'gap') this.#gap(raw);
    else if (name === 'stats') this.#sink.stats(decodeStats(raw));
    else if (name === 'hello') this.#hello(raw);
    if (name !== 'frame') this.#clock(raw.time);
  }

  /** What happened between the snapshot and the stream is in neither, removals too: another is made. */
  #hello({ nextSeq, resumed }: Raw): void {
    if (isReplay(this.#query!) || resumed) return;
    this.#begun = whole(nextSeq) - 1;
    if (!this.#waiting && this.#snapshotSeq < this.#begun) void this.#snapshot(true);
  }

  #frame(raw: Raw): void {
    if (this.#waiting) {
      this.#waiting.push(raw);
      if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
      return;
    }
    if (whole(raw.toSeq) > this.#snapshotSeq || !this.#snapshotSeq) this.#sink.frame(decodeFrame(raw), false);
  }

  #gap(raw: Raw): void {
    const reason = text(raw.reason) || 'unknown';
    // Backlog was dropped before it was made an event; what is on the page still stands.
    this.#sink.missed({ reason, count: whole(raw.count), stale: reason !== 'backlog' });
    if (reason !== 'backlog' && !isReplay(this.#query!)) void this.#snapshot();
  }

  #clock(value: unknown): void {
    const ms = time(value);
    if (!Number.isNaN(ms)) this.#sink.clock(ms);
  }
}

/** Whether it is time to ask why: not after a bye, when all pages would at once. */
function isProbed(attempt: number): boolean {
  return attempt > 0 && attempt % PROBE_EVERY === 0;
}

/** What will be the same however often it is asked: no leave, or a question that cannot be read. */
function isRefusal(code: number): boolean {
  return code === 400 || code === 401 || code === 403;
}

/** Fetches JSON; code 0 and nothing if that fails. */
export async function fetchJson(address: string, signal?: AbortSignal, method?: string): Promise<{ code: number; raw: Raw }> {
  try {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(address, { method, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    return { code: response.status, raw: parseObject(await response.text()) ?? {} };
  } catch {
    return { code: 0, raw: {} };
  }
}

/** How many events were stored when. */
export interface Past {
  /** Start of the first step, in milliseconds since 1970. */
  from: number;
  stepMs: number;
  counts: number[];
}

/** Asks for the past; undefined if there is no answer. */
export async function fetchPast(window: string, step: string): Promise<Past | undefined> {
  const { raw } = await fetchJson(`/api/history?window=${window}&step=${step}`);
  const from = time(raw.from);
  const stepMs = whole(raw.stepSeconds) * 1_000;
  if (Number.isNaN(from) || !stepMs || !Array.isArray(raw.counts)) return undefined;
  return { from, stepMs, counts: (raw.counts as unknown[]).map(whole) };
}
