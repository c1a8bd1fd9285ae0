import type { PostType } from '../model/events';

const TYPES: PostType[] = ['post', 'reply', 'repost', 'edit', 'quake'];

/** The colours that a canvas draws with, as the style sheets have them now. */
export type Inks = Record<PostType, string>;

/** Reads the colours off elements: a canvas knows no variables. */
export class InkPot {
  readonly element = document.createElement('span');
  readonly #probes = TYPES.map((type) => {
    const probe = document.createElement('i');
    probe.className = `ink ${type}`;
    this.element.append(probe);
    return [type, probe] as const;
  });

  constructor() {
    this.element.hidden = true;
  }

  read(): Inks {
    return Object.fromEntries(this.#probes.map(([type, probe]) => [type, getComputedStyle(probe).color])) as Inks;
  }
}
