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

/** How the next request for /events is answered. */
export type Answer = 'stream' | 'hang' | 'html' | 'refuse' | number;

/**
 * A gateway that does what a test says: it serves the built page, and streams
 * whose every event, fault and end a test sends by hand.
 */
export class ScriptedGateway {
  /** Every stream that was opened, oldest first. */
  readonly streams: Stream[] = [];
  /** Answers for the next requests of /events; without one left, a stream is opened. */
  readonly answers: Answer[] = [];
  /** Every request of /events, whatever its answer. */
  readonly asked: URL[] = [];
  /** What /api/stats says of the parts; undefined if it says nothing at all. */
  parts: Record<string, unknown>[] | undefined;
  /** How often /api/stats was asked. */
  statsAsked = 0;
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

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/events') this.#answer(url, response);
    else if (url.pathname === '/api/stats') this.#stats(response);
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

  #stats(response: ServerResponse): void {
    this.statsAsked += 1;
    if (this.parts) response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ parts: this.parts }));
    else response.writeHead(503).end();
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

  /** Resolves when the page has let go of the stream. */
  readonly gone = new Promise<void>((resolve) => {
    queueMicrotask(() => this.response.on('close', resolve));
  });

  /** Sends one event as the gateway frames it. Without an id it is one of the gateway's own. */
  send(name: string, data: unknown, id?: string): this {
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
    return this.#event('simple_tweet', {
      source: 'test',
      username: 'someone',
      name: 'Someone',
      body: 'Something',
      type: 'post',
      ...fields,
    });
  }

  blip(fields: Record<string, unknown>): this {
    return this.#event('geo_blip', { source: 'test', precision: 'point', type: 'post', ...fields });
  }

  removePost(id: string): this {
    return this.#event('post_removed', { id, source: 'test' });
  }

  removeGeo(userId: string, upToId: string): this {
    return this.#event('geo_removed', { id: `${userId}-${upToId}`, source: 'test', userId, upToId });
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
    this.response.end();
  }

  /** Breaks the connection. */
  drop(): void {
    this.response.destroy();
  }

  #event(kind: string, fields: Record<string, unknown>): this {
    this.gateway.seq += 1;
    if (!this.url.searchParams.getAll('kind').includes(kind)) return this;
    return this.send(kind, { time: new Date().toISOString(), ...fields }, `e1-${this.gateway.seq}`);
  }
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
