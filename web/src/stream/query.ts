/** What a page may be limited to. Every list is of alternatives; an empty one limits nothing. */
export interface Filter {
  /** Words that must all be in the text, or in the author's names. */
  q: string;
  user: string[];
  country: string[];
  lang: string[];
  /** Sorts of post: post, reply, repost, edit, quake. */
  type: string[];
  source: string[];
  /** Kinds of events, for those that a rule of the installation makes. */
  kind: string[];
}

/** The limits that are lists. */
export const LISTS = ['user', 'country', 'lang', 'type', 'source', 'kind'] as const;
export type ListName = (typeof LISTS)[number];

/** What to read. */
export interface Query {
  filter: Filter;
  /** Kinds that the page shows, if the filter names none. */
  kinds: string[];
  /** Most posts a second to be sent; 0 for as many as there are. */
  rate: number;
  /** Begins in the past, by RFC 3339, at a multiple of the pace at which it happened. */
  since?: string;
  speed?: number;
}

/** Limits nothing. */
export const NO_FILTER: Filter = { q: '', user: [], country: [], lang: [], type: [], source: [], kind: [] };

export function isReplay({ since }: Query): boolean {
  return since !== undefined;
}

/** The filter that an address names; repeated and comma-separated values alike. */
export function filterOf(search: string): Filter {
  const query = new URLSearchParams(search);
  const lists = LISTS.map((name) => [name, unique(query.getAll(name).flatMap((value) => spelt(name, value)))]);
  return { q: (query.get('q') ?? '').trim(), ...(Object.fromEntries(lists) as Record<ListName, string[]>) };
}

function unique(values: string[]): string[] {
  return [...new Set(values.map((value) => value.trim()).filter(Boolean))];
}

/** Writes a filter into a query; what is not limited is left out. */
export function writeFilter(query: URLSearchParams, filter: Filter): void {
  for (const name of ['q', ...LISTS] as const) {
    const value = String(filter[name]);
    if (value) query.set(name, value);
    else query.delete(name);
  }
}

export function isEmpty(filter: Filter): boolean {
  return String(Object.values(filter).map(String).join('')) === '';
}

/** The same address for all pages that ask for the same, so that they share a connection. */
export function addressOf(path: string, { filter, kinds, rate, since, speed }: Query): string {
  const query = new URLSearchParams();
  writeFilter(query, { ...filter, kind: filter.kind.length > 0 ? filter.kind : kinds });
  if (path === '/live') {
    if (rate > 0) query.set('rate', String(rate));
    if (since) query.set('since', since);
    if (since && speed) query.set('speed', String(speed));
  }
  query.sort();
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

const WORD = /^(user|country|lang|language|type|kind|source|from):(\S+)$/i;
const ALIASES: Record<string, ListName> = { language: 'lang', from: 'user' };

/**
 * Reads what was typed into the filter's field on top of a filter: words,
 * @user, country:jp, lang:ja, type:reply, source:demo. Whatever else has a
 * colon is a word.
 */
export function typed(text: string, filter: Filter): Filter {
  const next: Filter = { ...filter, q: '' };
  const words: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const [, key, value] = WORD.exec(word) ?? (/^@\S+$/.test(word) ? [word, 'user', word.slice(1)] : []);
    const name = key?.toLowerCase();
    if (name && value) add(next, ALIASES[name] ?? (name as ListName), value);
    else words.push(word);
  }
  next.q = words.join(' ');
  return next;
}

/** Adds an alternative. */
function add(filter: Filter, name: ListName, value: string): void {
  filter[name] = unique([...filter[name], ...spelt(name, value)]);
}

/** Values as the gateway spells them. */
function spelt(name: ListName, values: string): string[] {
  return (name === 'country' ? values.toUpperCase() : values.toLowerCase()).split(',');
}

/** A filter with a value of one of its lists taken away, or added if it is not there. */
export function toggled(filter: Filter, name: ListName, value: string): Filter {
  const has = filter[name].includes(value);
  return { ...filter, [name]: has ? filter[name].filter((other) => other !== value) : [...filter[name], value] };
}
