const whole = new Intl.NumberFormat();
const oneDigit = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const twoDigits = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const countries = displayNames('region');
const languages = displayNames('language');
const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** Of English, whatever the reader's locale: the nouns are. */
const plurals = new Intl.PluralRules('en');

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** A count with separators: 12,400. */
export function count(n: number): string {
  return whole.format(n);
}

/** A count that a label has room for: 999+ at most. */
export function atMost999(n: number): string {
  return n > 999 ? `${whole.format(999)}+` : whole.format(n);
}

/** A count with its noun, in the form that the number asks for: 1 gap, 2 gaps. */
export function counted(n: number, one: string, other: string): string {
  return `${count(n)} ${plurals.select(n) === 'one' ? one : other}`;
}

/** A rate: 41.3 below a thousand, 1,234 above, a dash where none is known. */
export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '–';
  return perSecond >= 1_000 ? whole.format(Math.round(perSecond)) : oneDigit.format(perSecond);
}

/** A duration with its unit, for a figure: 0.82 s, 12.4 s, 5 min, 3 h, 2 d; what rounds to nothing is not nothing: <0.01 s. */
export function duration(ms: number): string {
  const s = ms / 1_000;
  if (s > 0 && s < 0.005) return `<${twoDigits.format(0.01)} s`;
  if (s < 10) return `${twoDigits.format(s)} s`;
  if (s < MINUTE_S) return `${oneDigit.format(s)} s`;
  return coarse(s);
}

/** How long ago something was, for a card: now, 12 s, 5 min, 3 h, or a date. */
export function age(ms: number, time: number): string {
  const s = ms / 1_000;
  if (Number.isNaN(s)) return '';
  if (s < 1.5) return 'now';
  if (s < MINUTE_S) return `${Math.floor(s)} s`;
  return s < DAY_S ? coarse(s) : date(time);
}

/** A day: 14 Feb 2012, as the reader's own language writes it. */
export function date(time: number): string {
  return day.format(time);
}

/** A time of day, as the reader's own language writes it. */
export function clock(ms: number): string {
  return time.format(ms);
}

/** A part of the whole, from 0 to 1: 12 %. */
export function percent(part: number): string {
  return share.format(part);
}

/** A country's name in the reader's language; its code if there is no name. */
export function country(code: string): string {
  return nameOf(countries, code);
}

/** A language's name in the reader's own; its tag if there is no name. */
export function language(tag: string): string {
  return nameOf(languages, tag);
}

function nameOf(names: Intl.DisplayNames | undefined, code: string): string {
  try {
    return names?.of(code) ?? code;
  } catch {
    return code;
  }
}

/** A sampling ratio: 3 for 3.2, but 1.4 where rounding would hide it. */
export function ratio(n: number): string {
  return n < 2 ? oneDigit.format(n) : whole.format(Math.round(n));
}

function coarse(s: number): string {
  if (s < HOUR_S) return `${Math.floor(s / MINUTE_S)} min`;
  return s < DAY_S ? `${Math.floor(s / HOUR_S)} h` : `${Math.floor(s / DAY_S)} d`;
}

function displayNames(type: 'region' | 'language'): Intl.DisplayNames | undefined {
  try {
    return new Intl.DisplayNames(undefined, { type });
  } catch {
    return undefined;
  }
}
