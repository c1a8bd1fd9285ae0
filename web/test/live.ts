import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The all-in-one program, as `./task build` makes it. Not a variable of its own, which it would refuse. */
const PROGRAM = process.env.PAGE_PROGRAM ?? '';
/** How long it may take to start. */
const START_MS = 30_000;

/** Whether there is a program to test with. */
export const HAS_PROGRAM = PROGRAM !== '';

/** A whole Blipstream of its own: its data is gone when it stops. */
export class Line {
  private constructor(
    private readonly process: ChildProcess,
    private readonly data: string,
    /** Address of the page, without a slash at the end. */
    readonly url: string,
  ) {}

  /** Starts one that reads a source, with settings of the environment beside. */
  static async start(source: string, settings: Record<string, string> = {}): Promise<Line> {
    const data = await mkdtemp(join(tmpdir(), 'blipstream-'));
    const args = ['up', '--data', data, '--addr', '127.0.0.1:0', '--source', source];
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...settings } });
    return new Line(child, data, await pageOf(child));
  }

  async stop(): Promise<void> {
    const gone = new Promise((done) => this.process.once('exit', done));
    this.process.kill();
    await gone;
    await rm(this.data, { recursive: true, force: true });
  }
}

/** A token that a line lets in whose secret this is. */
export function makeToken(secret: string, lasts = '1h'): string {
  const env = { ...process.env, BLIPSTREAM_SECRET_SIGN_IN: secret };
  return execFileSync(PROGRAM, ['token', '--for', lasts], { env, encoding: 'utf8' }).trim();
}

/** The address that the program's banner names. */
async function pageOf(child: ChildProcess): Promise<string> {
  const late = setTimeout(() => child.kill(), START_MS);
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /^\s*page\s+(\S+)/.exec(line)?.[1];
    if (!url) continue;
    clearTimeout(late);
    return url.replace(/\/$/, '');
  }
  throw new Error('live: start the program: it ended without naming its page');
}
