import { describe, expect, it } from 'vitest';
import { age, atMost999, country, duration, ratio } from './format';
import { linkify, safeHref } from './linkify';
import { kindsOf, pageOf } from './page';
import { spark } from './sparkline';
import { nextTheme, storedTheme } from './theme';

describe('linkify', () => {
  it('links http and https, without what follows the address', () => {
    expect(linkify('see https://a.example/x, or (http://b.example).')).toEqual([
      { text: 'see ' },
      { text: 'https://a.example/x', href: 'https://a.example/x' },
      { text: ', or (' },
      { text: 'http://b.example', href: 'http://b.example/' },
      { text: ').' },
    ]);
  });

  it.each([
    'javascript:alert(1)',
    'JAVASCRIPT://x%0aalert(1)',
    'data:text/html,<b>x</b>',
    'https://bank.example@evil.example/',
    'file:///etc/passwd',
    'https://',
    '//evil.example',
  ])('leaves %j text', (text) => {
    expect(safeHref(text)).toBeUndefined();
    expect(linkify(text).some((piece) => piece.href)).toBe(false);
  });

  it('loses no character', () => {
    const text = '<img src=x onerror=alert(1)> https://a.example/"onclick="x \u202Ehttps://b.example\u202C';
    expect(linkify(text).map((piece) => piece.text).join('')).toBe(text);
    expect(linkify('')).toEqual([]);
  });

  it('is quick on a hostile text', () => {
    const text = 'https://'.repeat(250);
    expect(linkify(text).map((piece) => piece.text).join('')).toBe(text);
  });
});

describe('pageOf', () => {
  const at = (address: string) => pageOf(new URL(address, 'http://localhost'));

  it('knows its three addresses and the wall', () => {
    expect(at('/')).toEqual({ feed: true, map: true, kiosk: false, embed: false });
    expect(at('/step-3/')).toEqual({ feed: true, map: false, kiosk: false, embed: false });
    expect(at('/step-4')).toEqual({ feed: false, map: true, kiosk: false, embed: false });
    expect(at('/?kiosk=1')).toEqual({ feed: false, map: true, kiosk: true, embed: false });
    expect(at('/?kiosk=0').kiosk).toBe(false);
  });

  it('asks for what it shows; removals always come', () => {
    expect(kindsOf(at('/'))).toEqual([]);
    expect(kindsOf(at('/step-3'))).toEqual(['simple_tweet']);
    expect(kindsOf(at('/step-4'))).toEqual(['geo_blip']);
  });
});

describe('format', () => {
  it('writes ages as a card has room for them', () => {
    const ages = [-2_000, 900, 12_400, 59_999, 60_000, 3_599_999, 7_200_000].map((ms) => age(ms, 0));
    expect(ages).toEqual(['now', 'now', '12 s', '59 s', '1 min', '59 min', '2 h']);
    expect(age(90_000_000, Date.UTC(2012, 1, 14))).toContain('2012');
    expect(age(Number.NaN, Number.NaN)).toBe('');
  });

  it('writes durations, labels and ratios', () => {
    expect([820, 12_400, 300_000, 10_800_000, 172_800_000].map(duration)).toEqual([
      '0.82 s', '12.4 s', '5 min', '3 h', '2 d',
    ]);
    expect([38, 999, 1_000].map(atMost999)).toEqual(['38', '999', '999+']);
    expect([1.36, 7.6].map(ratio)).toEqual(['1.4', '8']);
  });

  it('does not tell a moment as none', () => {
    expect([0, 4, 5, 820, 12_400].map(duration)).toEqual(['0.00 s', '<0.01 s', '0.01 s', '0.82 s', '12.4 s']);
  });

  it('names a country, and shows a code it does not know', () => {
    expect(country('JP')).toBe('Japan');
    expect(country('!')).toBe('!');
  });
});

describe('spark', () => {
  it('spans its box, the largest value at the top', () => {
    expect(spark([0, 10, 5], 3, 100, 44).line).toBe('M0.0,43.0L50.0,1.0L100.0,22.0');
  });

  it('begins where something is known', () => {
    const { line, area } = spark([5, 10], 5, 100, 44);
    expect(line).toBe('M75.0,22.0L100.0,1.0');
    expect(area).toBe(`${line}L100,44L75.0,44z`);
  });

  it('draws nothing happening as a line at the bottom', () => {
    expect(spark([0, 0], 2, 10, 44).line).toBe('M0.0,43.0L10.0,43.0');
    expect(spark([], 100, 10, 44)).toEqual({ line: '', area: '' });
  });
});

describe('theme', () => {
  it('goes round, and starts with the system where nothing is stored', () => {
    expect(['system', 'light', 'dark'].map((theme) => nextTheme(theme as 'system'))).toEqual(['light', 'dark', 'system']);
    expect(storedTheme()).toBe('system');
  });
});
