import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { DIST } from '../scripts/measure.mjs';

/** As strict as the gateway's own: whatever the page needs beyond it is a bug of the page. */
export const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** How the next request for /live is answered. */
export type Answer = 'stream' | 'hang' | 'html' | 'refuse' | number;

/**
 * A gateway that does what a test says: it serves the built page, and streams
 * whose every event, fault and end a test sends by hand.
 */
export class ScriptedGateway {
  /** Every stream that was opened, oldest first. */
  readonly streams: Stream[] = [];
  /** Answers for the next requests of /live; without one left, a stream is opened. */
  readonly answers: Answer[] = [];
  /** Every request of /live, whatever its answer. */
  readonly asked: URL[] = [];
  /** What /api/snapshot answers, as of before every frame that a test sends: a frame and statistics, or a status with a problem. */
  past: Record<string, unknown> = {};
  stats: Record<string, unknown> = {};
  problem: { status: number; title: string; detail?: string } | undefined;
  /** Events per step of /api/history; none if empty. */
  history: number[] = [];
  /** Every request for anything but files and streams. */
  readonly questions: URL[] = [];
  /** Sequence of the newest event; goes on over connections, as a real stream's does. */
  seq = 100;
  readonly #server: Server;
  readonly #waiting: ((stream: Stream) => void)[] = [];
  #taken = 0;

  private constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  static async start(): Promise<ScriptedGateway> {
    const gateway = new ScriptedGateway();
    await new Promise<void>((ready) => gateway.#server.listen(0, '127.0.0.1', ready));
    return gateway;
  }

  /** Address of the page, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next stream that nobody has taken yet; waits for it. */
  stream(): Promise<Stream> {
    const ready = this.streams[this.#taken];
    this.#taken += 1;
    if (ready) return Promise.resolve(ready);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The open stream of a query; one that was asked for again soon may be an old one. */
  reading(search: string): Stream | undefined {
    return this.streams.findLast((stream) => stream.isOpen && stream.url.search === search);
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/live' && request.method === 'HEAD') response.writeHead(this.problem?.status ?? 200).end();
    else if (url.pathname === '/live') this.#answer(url, response);
    else if (url.pathname.startsWith('/api/')) this.#question(url, response);
    else void serveFile(url.pathname, response);
  }

  #answer(url: URL, response: ServerResponse): void {
    this.asked.push(url);
    const answer = this.answers.shift() ?? 'stream';
    if (answer === 'refuse') response.destroy();
    else if (answer === 'html') response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>busy</p>');
    else if (typeof answer === 'number') response.writeHead(answer).end();
    else if (answer === 'stream') this.#open(url, response);
  }

  #question(url: URL, response: ServerResponse): void {
    this.questions.push(url);
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (this.problem) answer(this.problem.status, this.problem);
    else if (url.pathname === '/api/snapshot') answer(200, { id: 'e1-0', frame: this.past, stats: this.stats });
    else answer(200, this.#history(url));
  }

  #history(url: URL): Record<string, unknown> {
    const seconds = (name: string) => {
      const [, n, unit] = /^(\d+)([smh])$/.exec(url.searchParams.get(name) ?? '')!;
      return Number(n) * { s: 1, m: 60, h: 3_600 }[unit as 's']!;
    };
    const steps = seconds('window') / seconds('step');
    const from = new Date(Date.now() - seconds('window') * 1_000).toISOString();
    const counts = Array.from({ length: steps }, (_, i) => String(this.history[i % Math.max(1, this.history.length)] ?? 0));
    return { from, stepSeconds: seconds('step'), counts };
  }

  #open(url: URL, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
    response.flushHeaders();
    const stream = new Stream(this, url, response);
    this.streams.push(stream);
    this.#waiting.shift()?.(stream);
  }
}

/** One open stream, driven by a test. */
export class Stream {
  constructor(
    private readonly gateway: ScriptedGateway,
    /** What the page asked for. */
    readonly url: URL,
    private readonly response: ServerResponse,
  ) {}

  get isOpen(): boolean {
    return !this.response.closed;
  }

  /** Resolves when the page has let go of the stream. */
  readonly gone = new Promise<void>((resolve) => {
    queueMicrotask(() => this.response.on('close', resolve));
  });

  #frame: ReturnType<typeof emptyFrame> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Sends one event as the gateway frames it, after what was to be in a frame before it. */
  send(name: string, data: unknown, id?: string): this {
    this.flush();
    const head = id ? `id: ${id}\n` : '';
    this.response.write(`event: ${name}\n${head}data: ${JSON.stringify(data)}\n\n`);
    return this;
  }

  /** Greets; events up to `past` from now on count as stored before. */
  hello(fields: Record<string, unknown> = {}): this {
    const lastSeq = String(this.gateway.seq);
    return this.send('hello', { epoch: 'e1', time: new Date().toISOString(), lastSeq, ...fields });
  }

  post(fields: Record<string, unknown>): this {
    return this.#happen('simple_tweet', ({ posts }) =>
      posts.push({ source: 'test', username: 'someone', name: 'Someone', body: 'Something', type: 'post', time: now(), ...fields }),
    );
  }

  blip({ id, userId, source = 'test', ...fields }: Record<string, unknown>): this {
    return this.#happen('geo_blip', ({ cells }) =>
      cells.push({ count: 1, precision: 'point', type: 'post', posts: [{ id, userId, source }], ...fields }),
    );
  }

  removePost(id: string): this {
    return this.#happen('post_removed', ({ postsRemoved }) => postsRemoved.push({ id, source: 'test' }));
  }

  removeGeo(userId: string, upToId: string): this {
    return this.#happen('geo_removed', ({ geoRemoved }) =>
      geoRemoved.push({ id: `${userId}-${upToId}`, source: 'test', userId, upToId }),
    );
  }

  stats(fields: Record<string, unknown>): this {
    return this.send('stats', { time: now(), ...fields });
  }

  /** Ends the frame at hand and sends it. */
  flush(): void {
    clearTimeout(this.#timer);
    const frame = this.#frame;
    this.#frame = undefined;
    if (frame) this.send('frame', { ...frame, toSeq: String(this.gateway.seq), time: now() }, `e1-${this.gateway.seq}`);
  }

  hb(): this {
    return this.send('hb', { time: new Date().toISOString() });
  }

  gap(reason: string, count: number): this {
    return this.send('gap', { reason, count: String(count) });
  }

  bye(reopenAfterMs: number): this {
    return this.send('bye', { reason: 'shutdown', reopenAfterMs });
  }

  /** Ends the stream in order. */
  end(): void {
    this.flush();
    this.response.end();
  }

  /** Breaks the connection. */
  drop(): void {
    this.flush();
    this.response.destroy();
  }

  /** Puts an event into the frame at hand, if the page asked for its kind; removals always come. */
  #happen(kind: string, note: (frame: ReturnType<typeof emptyFrame>) => unknown): this {
    this.gateway.seq += 1;
    const kinds = this.url.searchParams.getAll('kind').flatMap((value) => value.split(','));
    if (kinds.length > 0 && !kinds.includes(kind) && !kind.endsWith('_removed')) return this;
    if (!this.#frame) this.#timer = setTimeout(() => this.flush(), FRAME_MS);
    this.#frame ??= emptyFrame(this.gateway.seq);
    this.#frame.totals[kind] = String(Number(this.#frame.totals[kind] ?? 0) + 1);
    note(this.#frame);
    return this;
  }
}

/** How long events are gathered for a frame; the gateway takes 100 ms. */
const FRAME_MS = 25;

function emptyFrame(seq: number) {
  const list = (): unknown[] => [];
  const totals: Record<string, string> = {};
  return { fromSeq: String(seq), totals, posts: list(), cells: list(), postsRemoved: list(), geoRemoved: list() };
}

function now(): string {
  return new Date().toISOString();
}

async function serveFile(pathname: string, response: ServerResponse): Promise<void> {
  const isPage = ['/', '/step-3', '/step-4'].includes(pathname);
  const path = join(DIST, isPage ? 'index.html' : normalize(pathname));
  const found = await stat(path).catch(() => undefined);
  if (!path.startsWith(DIST) || !found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
    'Content-Security-Policy': CSP,
  });
  createReadStream(path).pipe(response);
}
