import { LiveStream, type Options } from './livestream';
import type { Channel, Listener, Told } from './transport';

/** How long a stream without readers is kept: a page that reloads finds it again. */
export const LINGER_MS = 2_000;

interface Shared {
  stream: LiveStream;
  readers: Set<(told: Told) => void>;
  /** What a reader who comes later must know: the state, the greeting, the last statistics. */
  known: Map<string, Told>;
  end?: ReturnType<typeof setTimeout>;
}

/** Holds one stream for each address, whatever the number of its readers. */
export class Hub {
  readonly #streams = new Map<string, Shared>();

  constructor(private readonly options: Options = {}) {}

  /** Reads an address; returns what ends that. */
  join(address: string, reader: (told: Told) => void): () => void {
    const shared = this.#find(address);
    clearTimeout(shared.end);
    for (const told of shared.known.values()) reader(told);
    shared.readers.add(reader);
    return () => this.#leave(address, reader);
  }

  /** Connects the stream of an address at once if it waits. */
  retry(address: string): void {
    this.#streams.get(address)?.stream.retryNow();
  }

  #find(address: string): Shared {
    const found = this.#streams.get(address);
    if (found) return found;
    const known: Shared['known'] = new Map();
    const readers: Shared['readers'] = new Set();
    const tell = (told: Told) => {
      const name = 'status' in told ? 'status' : told.name;
      if (name === 'status' || name === 'hello' || name === 'stats') known.set(name, told);
      for (const reader of readers) reader(told);
    };
    const shared = { stream: new LiveStream(address, tell, this.options), readers, known };
    this.#streams.set(address, shared);
    return shared;
  }

  #leave(address: string, reader: (told: Told) => void): void {
    const shared = this.#streams.get(address);
    if (!shared?.readers.delete(reader) || shared.readers.size > 0) return;
    shared.end = setTimeout(() => {
      shared.stream.stop();
      this.#streams.delete(address);
    }, LINGER_MS);
  }
}

/** A reader's seat at a hub: one address at a time. */
export class Seat implements Channel {
  #address = '';
  #leave: (() => void) | undefined;

  constructor(
    private readonly hub: Hub,
    private readonly listen: Listener,
  ) {}

  open(address: string, turn: number): void {
    const leave = this.#leave;
    this.#address = address;
    this.#leave = this.hub.join(address, (told) => this.listen(told, turn));
    leave?.();
  }

  close(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  retry(): void {
    this.hub.retry(this.#address);
  }
}
