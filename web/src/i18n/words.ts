import type { JSX } from 'solid-js';

/** The messages of a language by the English ones; those with a count in each form that its language has. */
export type Catalogue = Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>;

/** The names between braces in a message. */
type Names<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Values<S extends string, V> = Record<Names<S>, V>;
/** A message without places takes no values. */
type Given<S extends string> = [Names<S>] extends [never] ? [] : [Values<S, string | number>];

const PLACE = /\{(\w+)\}/;
/** Languages written from right to left. */
const LEFTWARD = ['ar', 'dv', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi'];

let language = 'en';
let catalogue: Catalogue = {};
let plurals = new Intl.PluralRules(language);

/** By which numbers, dates and names are written; undefined for the reader's own. */
export let locale: string | undefined;

/** Says everything in a language from now on; English needs no catalogue. */
export function speak(code = 'en', words: Catalogue = {}, numbers?: string): void {
  [language, catalogue, locale] = [code, words, numbers];
  plurals = new Intl.PluralRules(code);
}

/** Which way a language is written. */
export function directionOf(code: string): 'ltr' | 'rtl' {
  return LEFTWARD.includes(code) ? 'rtl' : 'ltr';
}

/** A message in the reader's language. The English one stands where it is used, and is what the others are found by. */
export function t<S extends string>(text: S, ...[values]: Given<S>): string {
  return fill((catalogue[text] as string | undefined) ?? text, values ?? {});
}

/** The form of a message that a number asks for. All of them are found by the English one for several. */
export function formOf(n: number, one: string, other: string): string {
  const forms = (catalogue[other] ?? { one, other }) as Exclude<Catalogue[string], string>;
  return forms[plurals.select(n)] ?? forms.other!;
}

/** Puts values into a message. What is Latin amid Arabic would turn round what follows it, if it were not set apart. */
export function fill(text: string, values: Record<string, string | number>): string {
  const [before, after] = directionOf(language) === 'rtl' ? ['\u2068', '\u2069'] : ['', ''];
  return text.replaceAll(new RegExp(PLACE, 'g'), (_, name: string) => `${before}${values[name]}${after}`);
}

/** A message with elements in its places, in whatever order its language puts them. */
export function rich<S extends string>(text: S, values: Values<S, JSX.Element>): JSX.Element {
  const pieces = ((catalogue[text] as string | undefined) ?? text).split(PLACE);
  return pieces.map((piece, i) => (i % 2 ? values[piece as Names<S>] : piece));
}

/** Several in a row: A, B, and C. */
export function listed(items: string[]): string {
  return new Intl.ListFormat(language).format(items);
}
