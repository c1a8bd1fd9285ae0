import { describe, expect, it } from 'vitest';
import { decodeCell, decodeFrame, decodeGeoRemoved, decodePost, decodePostRemoved, parseObject, type Raw } from './decode';

const blip = (fields: Raw) => decodeCell({ lat: 1, lon: 2, count: 1, posts: [{ source: 's', id: '1' }], ...fields }, 'n');
const post = (fields: Raw) => decodePost({ id: '1', source: 's', username: 'u', ...fields });

describe('decodeCell', () => {
  it('takes zero for a place: the equator, Greenwich, and where they cross', () => {
    expect(blip({ lat: 0, lon: 0 })).toMatchObject({ lat: 0, lon: 0 });
    expect(blip({ lat: 0, lon: 9.45 })).toMatchObject({ lat: 0, lon: 9.45 });
  });

  it('takes absent for unknown, never for zero', () => {
    expect(blip({ lat: undefined })).toBeUndefined();
    expect(blip({ lon: undefined })).toBeUndefined();
  });

  it.each([[{ lat: 90.1 }], [{ lon: -180.1 }], [{ lat: 'NaN' }], [{ lon: 'Infinity' }], [{ lat: '12' }], [{ lat: null }]])(
    'refuses %j: no position on Earth',
    (fields) => expect(blip(fields)).toBeUndefined(),
  );

  it('is named by its post where there is one, and by itself where there are several', () => {
    expect(blip({})?.key).toBe('s:1');
    expect(blip({ count: 3 })).toMatchObject({ key: 'n', count: 3, refs: [{ key: 's:1' }] });
    expect(blip({ posts: 'x', count: 'many' })).toMatchObject({ key: 'n', count: 1, refs: [] });
  });

  it('knows an earthquake, and takes nothing for one that cannot be', () => {
    expect(blip({ type: 'quake', magnitude: 6.1 })).toMatchObject({ type: 'quake', magnitude: 6.1 });
    expect(blip({ type: 'comet', magnitude: 99, precision: 'guess' })).toMatchObject({ type: 'post', magnitude: 0, precision: 'point' });
  });

  it('keeps how sure a position is', () => {
    expect(blip({ precision: 'place', radiusKm: 18.6 })).toMatchObject({ precision: 'place', radiusKm: 18.6 });
    expect(blip({ precision: 'point', radiusKm: 18.6 })).toMatchObject({ precision: 'point', radiusKm: 0 });
    expect(blip({ precision: 'place', radiusKm: -4 })).toMatchObject({ radiusKm: 0 });
  });
});

describe('decodePost', () => {
  it('reads what a post says', () => {
    const read = post({ name: 'N', body: 'B', lang: 'pt-br', country: 'BR', city: 'Rio', url: 'https://a.example/1', type: 'reply', time: '2026-01-02T03:04:05Z' });
    expect(read).toEqual({
      key: 's:1', source: 's', id: '1', userId: '', username: 'u', name: 'N', body: 'B', lang: 'pt-BR',
      country: 'BR', city: 'Rio', url: 'https://a.example/1', type: 'reply', time: Date.UTC(2026, 0, 2, 3, 4, 5), simulated: false,
    });
  });

  it('falls back to the handle where there is no name', () => {
    expect(post({ name: '' })?.name).toBe('u');
  });

  it.each<Raw>([{ id: 7, username: 'u' }, { id: '1' }, {}])('ignores %j', (raw) => {
    expect(decodePost(raw)).toBeUndefined();
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'https://bank.example@evil.example/', 7])('links to no address like %j', (url) => {
    expect(post({ url })?.url).toBe('');
  });

  it('shortens what no card can show, between characters', () => {
    const body = post({ body: `${'a'.repeat(1_999)}😀tail` })?.body ?? '';
    expect(body).toBe(`${'a'.repeat(1_999)}…`);
  });

  it.each(['und', 'zxx', 'qme', 'English', '<b>', 'x-klingon'])('drops the language %j, which no browser knows', (lang) => {
    expect(post({ lang })?.lang).toBe('');
  });

  it('drops a country that is no code', () => {
    expect(post({ country: 'Brazil' })?.country).toBe('');
  });
});

describe('removals', () => {
  it('name what they remove', () => {
    expect(decodePostRemoved({ id: '9', source: 's' })).toEqual({ key: 's:9' });
    const geo = { id: 'u-9', source: 's', userId: 'u', upToId: '9' };
    expect(decodeGeoRemoved(geo)).toEqual({ source: 's', userId: 'u', upToId: '9' });
    expect(decodeGeoRemoved({ source: 's', userId: 'u' })).toBeUndefined();
  });
});

describe('decodeFrame', () => {
  it('counts exactly, removals apart', () => {
    const totals = { simple_tweet: '40', geo_blip: '20', my_rule: '3', post_removed: '5', geo_removed: '1' };
    expect(decodeFrame({ totals }).totals).toEqual({ posts: 40, blips: 20, events: 63 });
  });

  it('keeps what it can read, and only that', () => {
    const frame = decodeFrame({ toSeq: '12', posts: [null, 'x', { id: '1', username: 'u' }, {}], cells: [{}, { lat: 0, lon: 0 }], postsRemoved: {} });
    expect(frame).toMatchObject({ toSeq: 12, posts: [{ id: '1' }], blips: [{ lat: 0, lon: 0, key: '12.1' }], postsRemoved: [] });
  });

  it.each<Raw>([{}, { totals: 'x', posts: 'y', cells: 7, toSeq: -1, time: 'noon' }])('makes an empty one of %j', (raw) => {
    expect(decodeFrame(raw)).toMatchObject({ posts: [], blips: [], totals: { events: 0 } });
  });

  it.each(['', 'null', '[1]', '7', '"text"', '{'])('takes %j for no object', (json) => expect(parseObject(json)).toBeUndefined());
});
