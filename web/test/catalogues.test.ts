import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../src/i18n/words';
import { scan, scanAll, type Message } from './messages';

const FOLDER = fileURLToPath(new URL('../src/i18n', import.meta.url));
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const USED = new Map<string, Message>(scanAll().flatMap(({ messages }) => messages.map((message) => [message.text, message])));
/** Forms that may say their number in a word: there is but one. */
const IN_WORDS = ['zero', 'one', 'two'];

/** The places of a text, each as often as it stands there. */
function places(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort();
}

/** What is wrong with a translation, by how it is told to whoever wrote it. */
function faults({ text, one }: Message, translated: Catalogue[string] | undefined, categories: string[]): string[] {
  if (translated === undefined) return [`missing: ${text}`];
  const isPlural = typeof translated === 'object';
  if (isPlural !== (one !== undefined)) return [`${isPlural ? 'has forms and needs none' : 'needs forms'}: ${text}`];
  const forms = isPlural ? Object.entries(translated) : [['other', translated] as const];
  const wrong = forms.filter(([form, said]) => {
    const want = places(text).filter((place) => place !== '{n}' || !IN_WORDS.includes(form) || said.includes('{n}'));
    return String(places(said)) !== String(want) || said.trim() !== said || said === '';
  });
  const told = isPlural ? Object.keys(translated).sort() : categories;
  return [
    ...wrong.map(([form]) => `other places in ${form}: ${text}`),
    ...(String(told) === String(categories) ? [] : [`forms ${told}, not ${categories}: ${text}`]),
  ];
}

describe('the source', () => {
  it('says nothing to a person but by a message', () => {
    expect(scanAll().filter(({ untold }) => untold.length > 0).map(({ name, untold }) => ({ name, untold }))).toEqual([]);
  });

  it('has one English text for each message', () => {
    const all = scanAll().flatMap(({ messages }) => messages);
    expect(all.length).toBeGreaterThan(200);
    for (const { text, one } of all) expect(one, text).toBe(USED.get(text)!.one);
  });

  it.each([
    ['<b>Hello</b>', ['Hello']],
    ['<b>{on ? "resume" : t("Pause")}</b>', ['resume']],
    ['<b>{`${n} held`}</b>', [' held']],
    ['<b>{"lag " + n}</b>', ['lag ']],
    ['<b title="x">{n()}</b>', ['x']],
    ['<b aria-label={`only ${n}`} />', ['only ']],
    ['<b aria-label={a && "x"} />', ['x']],
    ['<b onClick={() => tell("Not now")} />', ['Not now']],
    ['() => "Nothing here"', ['Nothing here']],
    ['({ live: "gone for good" })', ['gone for good']],
    ['t(words)', ['t() of what is no text']],
    ['tn(n, "a gap", gaps)', ['tn() of what is no text']],
    ['rich("Map: {by}", { by: <b>somebody</b> })', ['somebody']],
  ])('is caught at %s', (source, untold) => {
    expect(scan('ui/x.tsx', `export const x = ${source};`).untold).toEqual(untold);
  });

  it.each([
    '<b class="two words" title={t("Yes")}>Blipstream {t("No")} · 5</b>',
    'key === "Escape" ? { Home: 1 } : t("Yes", { n })',
    'new Error("map: load coasts")',
    '<a rel="noopener" href="https://a.example/">{name()}</a>',
  ])('may say %s', (source) => {
    expect(scan('ui/x.tsx', `export const x = ${source};`).untold).toEqual([]);
  });
});

describe.each(FILES)('the catalogue %s', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  const catalogue = JSON.parse(text) as Catalogue;
  const code = name.replace('.json', '');
  const categories = [...new Intl.PluralRules(code).resolvedOptions().pluralCategories].sort();

  it('has each message once, with the places and forms that it needs', () => {
    expect([...USED.values()].flatMap((message) => faults(message, catalogue[message.text], categories))).toEqual([]);
  });

  it('has none that nobody says', () => {
    expect(Object.keys(catalogue).filter((key) => !USED.has(key))).toEqual([]);
  });

  it('is as JSON.stringify writes it, so that no message stands in it twice', () => {
    expect(text).toBe(`${JSON.stringify(catalogue, null, 2)}\n`);
  });
});
