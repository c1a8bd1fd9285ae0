import { keep, stored } from '../ui/motion';
import { directionOf, speak, type Catalogue } from './words';

/** Where the catalogues are. They are data, fetched by whom they concern: each file in this folder is a language. */
const URLS: Record<string, string> = Object.fromEntries(
  Object.entries(import.meta.glob<string>('./*.json', { query: '?url', import: 'default', eager: true })).map(([path, url]) => [path.slice(2, -5), url]),
);
const KEY = 'blipstream.language';
const PARAMETER = 'ui';
/** Whoever waits longer than this for words gets English ones. */
const TIMEOUT_MS = 2_000;

/** The languages of the page. */
export const LANGUAGES = ['en', ...Object.keys(URLS)];

/** A language, and the locale by which numbers, dates and names are written; undefined for the browser's own. */
export interface Choice {
  code: string;
  locale: string | undefined;
}

/** What was chosen by hand: in the address, or on an earlier visit; "" for nothing. */
export function chosenLanguage(search = location.search, kept = stored(KEY)): string {
  return known([new URLSearchParams(search).get(PARAMETER), kept]) ?? '';
}

/** The language of the page: what was chosen, else the first that the browser asks for and there is, else English. */
export function pick(chosen: string, asked: readonly string[]): Choice {
  const code = chosen || (known(asked) ?? 'en');
  // Who gets English for want of their own language keeps their own numbers.
  if (code === 'en' && !chosen) return { code, locale: undefined };
  // Austrians and Germans read the same words, and other numbers.
  const own = new Intl.NumberFormat().resolvedOptions().locale;
  return { code, locale: [own, ...asked].find((tag) => codeOf(tag) === code) ?? code };
}

/** Says everything in the reader's language; in English if its words do not come in time. */
export async function learnLanguage({ code, locale } = pick(chosenLanguage(), navigator.languages)): Promise<void> {
  try {
    speak(code, code === 'en' ? {} : await wordsOf(code), locale);
  } catch {
    return;
  }
  document.documentElement.lang = code;
  document.documentElement.dir = directionOf(code);
}

async function wordsOf(code: string): Promise<Catalogue> {
  const response = await fetch(URLS[code]!, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`words: load ${code}: status ${response.status}`);
  return (await response.json()) as Catalogue;
}

/** Remembers a language, "" for the browser's, and begins anew in it. Without storage the address has to remember it. */
export function chooseLanguage(code: string): void {
  keep(KEY, code || undefined);
  const next = new URL(location.href);
  next.searchParams.delete(PARAMETER);
  if ((stored(KEY) ?? '') !== code) next.searchParams.set(PARAMETER, code);
  history.replaceState(null, '', next);
  location.reload();
}

/** An address of this page that stays in the language which the present one names. */
export function linkTo(path: string): string {
  const code = known([new URLSearchParams(location.search).get(PARAMETER)]);
  return code ? `${path}${path.includes('?') ? '&' : '?'}${PARAMETER}=${code}` : path;
}

/** What a language calls itself, as it begins a line. */
export function nameOf(code: string): string {
  const name = new Intl.DisplayNames(code, { type: 'language' }).of(code) ?? code;
  return name[0]!.toLocaleUpperCase(code) + name.slice(1);
}

function known(tags: readonly (string | null)[]): string | undefined {
  return tags.map((tag) => codeOf(tag ?? '')).find((code) => LANGUAGES.includes(code));
}

/** The language of a tag, without country and script. */
function codeOf(tag: string): string {
  return tag.split('-')[0]!.toLowerCase();
}
