import { afterEach, describe, expect, it } from 'vitest';
import { clock, count, country, duration, rate, tn } from '../ui/format';
import ar from './ar.json';
import de from './de.json';
import { chosenLanguage, LANGUAGES, nameOf, pick } from './languages';
import { directionOf, listed, rich, speak, t } from './words';

afterEach(() => speak());

describe('messages', () => {
  it('are English unless told otherwise', () => {
    expect(t('Retry now')).toBe('Retry now');
    expect(t('next try in {time}', { time: '12 s' })).toBe('next try in 12 s');
    expect([0, 1, 2, 1_204].map((n) => tn(n, '{n} gap', '{n} gaps'))).toEqual(['0 gaps', '1 gap', '2 gaps', '1,204 gaps']);
  });

  it('are in the language that is spoken, numbers and names alike', () => {
    speak('de', de, 'de-DE');
    expect(t('Retry now')).toBe('Jetzt versuchen');
    expect(tn(1, '{n} gap', '{n} gaps')).toBe('1 Lücke');
    expect(tn(1_204, '{n} gap', '{n} gaps')).toBe('1.204 Lücken');
    expect([rate(41.25), duration(820), count(12_400), country('JP')]).toEqual(['41,3', '0,82 s', '12.400', 'Japan']);
    expect(clock(Date.UTC(2026, 0, 1))).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(listed(['A', 'B', 'C'])).toBe('A, B und C');
  });

  it('have all the forms of their language', () => {
    speak('ar', ar, 'ar');
    const forms = [0, 1, 2, 3, 11, 100].map((n) => tn(n, '{n} gap', '{n} gaps').replace(/\u2068.*\u2069/, '#'));
    expect(forms).toEqual(['لا فجوات', 'فجوة واحدة', 'فجوتان', '# فجوات', '# فجوة', '# فجوة']);
  });

  it('fall back to English where a catalogue lacks them, and to the common form where a form is lacking', () => {
    speak('de', { '{n} gaps': { other: '{n} Lücken' } });
    expect(t('Retry now')).toBe('Retry now');
    expect(tn(1, '{n} gap', '{n} gaps')).toBe('1 Lücken');
  });

  it('set apart what is put into a language written leftward', () => {
    speak('ar', ar, 'ar-EG');
    expect(t('source {value}', { value: 'demo' })).toBe('المصدر \u2068demo\u2069');
    expect(count(12)).toBe('١٢');
  });

  it('take elements in the order of their language', () => {
    const said = () => rich('{shown} of {all} posts/s', { shown: 1, all: 2 });
    expect(said()).toEqual(['', 1, ' of ', 2, ' posts/s']);
    speak('ja', { '{shown} of {all} posts/s': '{all}件中{shown}件' });
    expect(said()).toEqual(['', 2, '件中', 1, '件']);
  });
});

describe('the language', () => {
  it('is what the address says, else what was chosen, if there are such words', () => {
    expect(chosenLanguage('?ui=DE-at', 'fr')).toBe('de');
    expect(chosenLanguage('?ui=xx', 'fr')).toBe('fr');
    expect(chosenLanguage('?ui=../x', 'constructor')).toBe('');
    expect(chosenLanguage('?country=DE', null)).toBe('');
  });

  it.each([
    ['', ['de-AT', 'en'], 'de', 'de-AT'],
    ['', ['pt-BR', 'fr-CA', 'de'], 'fr', 'fr-CA'],
    ['', ['zh-Hant-TW', 'ja'], 'ja', 'ja'],
    ['', ['pt-BR'], 'en', undefined],
    ['', ['pt-BR', 'en-GB'], 'en', undefined],
    ['', [], 'en', undefined],
    ['de', ['en-US', 'de-CH'], 'de', 'de-CH'],
    ['ar', ['de-DE'], 'ar', 'ar'],
    ['en', ['de-DE'], 'en', 'en-US'],
  ])('is, with %j chosen and %j asked for, %s with the numbers of %s', (chosen, asked, code, locale) => {
    expect(pick(chosen, asked)).toEqual({ code, locale });
  });

  it('has a direction and a name for itself', () => {
    expect(LANGUAGES).toEqual(['en', 'ar', 'de', 'es', 'fr', 'ja']);
    expect(LANGUAGES.map(nameOf)).toEqual(['English', 'العربية', 'Deutsch', 'Español', 'Français', '日本語']);
    expect(LANGUAGES.filter((code) => directionOf(code) === 'rtl')).toEqual(['ar']);
  });
});
