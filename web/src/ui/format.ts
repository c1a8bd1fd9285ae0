import { fill, formOf, locale, t } from '../i18n/words';

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

let made: ReturnType<typeof make> | undefined;

/** What writes numbers, dates and names, made once the language is known. */
function formats(): ReturnType<typeof make> {
  return made && made.locale === locale ? made : (made = make());
}

function make() {
  const digits = (n: number) => new Intl.NumberFormat(locale, { minimumFractionDigits: n, maximumFractionDigits: n });
  return {
    locale,
    whole: new Intl.NumberFormat(locale),
    oneDigit: digits(1),
    twoDigits: digits(2),
    share: new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }),
    time: new Intl.DateTimeFormat(locale, { timeStyle: 'medium' }),
    day: new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }),
    region: displayNames('region'),
    language: displayNames('language'),
  };
}

/** A count with separators: 12,400. */
export function count(n: number): string {
  return formats().whole.format(n);
}

/** A count that a label has room for: 999+ at most. */
export function atMost999(n: number): string {
  return n > 999 ? `${count(999)}+` : count(n);
}

/** A message with a count, {n}, in the form that the number asks for: 1 gap, 2 gaps. */
export function tn(n: number, one: string, other: string, values: Record<string, string> = {}): string {
  return fill(formOf(n, one, other), { n: count(n), ...values });
}

/** A rate: 41.3 below a thousand, 1,234 above, a dash where none is known. */
export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '–';
  return perSecond >= 1_000 ? count(Math.round(perSecond)) : formats().oneDigit.format(perSecond);
}

/** A duration with its unit, for a figure: 0.82 s, 12.4 s, 5 min, 3 h, 2 d; what rounds to nothing is not nothing: <0.01 s. */
export function duration(ms: number): string {
  const s = ms / 1_000;
  const { oneDigit, twoDigits } = formats();
  if (s > 0 && s < 0.005) return seconds(`<${twoDigits.format(0.01)}`);
  if (s < 10) return seconds(twoDigits.format(s));
  if (s < MINUTE_S) return seconds(oneDigit.format(s));
  return coarse(s);
}

/** How long ago something was, for a card: now, 12 s, 5 min, 3 h, or a date. */
export function age(ms: number, time: number): string {
  const s = ms / 1_000;
  if (Number.isNaN(s)) return '';
  if (s < 1.5) return t('now');
  if (s < MINUTE_S) return seconds(count(Math.floor(s)));
  return s < DAY_S ? coarse(s) : date(time);
}

/** A day: 14 Feb 2012, as the reader's own language writes it. */
export function date(time: number): string {
  return formats().day.format(time);
}

/** A time of day, as the reader's own language writes it. */
export function clock(ms: number): string {
  return formats().time.format(ms);
}

/** A day and a time, as the reader's own language writes them. */
export function moment(ms: number): string {
  return new Date(ms).toLocaleString(locale);
}

/** A part of the whole, from 0 to 1: 12 %. */
export function percent(part: number): string {
  return formats().share.format(part);
}

/** A country's name in the reader's language; its code if there is no name. */
export function country(code: string): string {
  return nameOf('region', code);
}

/** A language's name in the reader's own; its tag if there is no name. */
export function language(tag: string): string {
  return nameOf('language', tag);
}

function nameOf(type: 'region' | 'language', code: string): string {
  try {
    return formats()[type]?.of(code) ?? code;
  } catch {
    return code;
  }
}

/** A sampling ratio: 3 for 3.2, but 1.4 where rounding would hide it. */
export function ratio(n: number): string {
  return n < 2 ? formats().oneDigit.format(n) : count(Math.round(n));
}

/*
 * Units are messages as all others are: those of Intl are in English either
 * words ("12 sec") or written without a space, and too long for a card in many
 * a language.
 */

/** Seconds, with their unit. */
export function seconds(n: string): string {
  return t('{n} s', { n });
}

/** Minutes, with their unit. */
export function minutes(n: number): string {
  return t('{n} min', { n: count(n) });
}

/** Hours, with their unit. */
export function hours(n: number): string {
  return t('{n} h', { n: count(n) });
}

function coarse(s: number): string {
  if (s < HOUR_S) return minutes(Math.floor(s / MINUTE_S));
  return s < DAY_S ? hours(Math.floor(s / HOUR_S)) : t('{n} d', { n: count(Math.floor(s / DAY_S)) });
}

function displayNames(type: 'region' | 'language'): Intl.DisplayNames | undefined {
  try {
    return new Intl.DisplayNames(locale, { type });
  } catch {
    return undefined;
  }
}
