import { describe, expect, it } from 'vitest';
import { decodeBlip, decodeGeoRemoved, decodePost, decodePostRemoved } from './decode';

const blip = (fields: object) => decodeBlip(JSON.stringify({ id: '1', source: 's', lat: 1, lon: 2, ...fields }));
const post = (fields: object) => decodePost(JSON.stringify({ id: '1', source: 's', username: 'u', ...fields }));

describe('decodeBlip', () => {
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

  it('keeps how sure a position is', () => {
    expect(blip({ precision: 'place', radiusKm: 18.6 })).toMatchObject({ precision: 'place', radiusKm: 18.6 });
    expect(blip({ precision: 'point', radiusKm: 18.6 })).toMatchObject({ precision: 'point', radiusKm: 0 });
    expect(blip({ precision: 'place', radiusKm: -4 })).toMatchObject({ radiusKm: 0 });
  });
});

describe('decodePost', () => {
  it('reads what a post says', () => {
    const read = post({ name: 'N', body: 'B', lang: 'pt-br', country: 'BR', type: 'reply', time: '2026-01-02T03:04:05Z' });
    expect(read).toEqual({
      key: 's:1', source: 's', id: '1', userId: '', username: 'u', name: 'N', body: 'B', lang: 'pt-BR',
      country: 'BR', type: 'reply', time: Date.UTC(2026, 0, 2, 3, 4, 5), simulated: false,
    });
  });

  it('falls back to the handle where there is no name', () => {
    expect(post({ name: '' })?.name).toBe('u');
  });

  it.each(['', 'null', '[1]', '7', '"text"', '{', '{"id":7,"username":"u"}', '{"id":"1"}'])('ignores %j', (json) => {
    expect(decodePost(json)).toBeUndefined();
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
    expect(decodePostRemoved('{"id":"9","source":"s"}')).toEqual({ key: 's:9' });
    const geo = '{"id":"u-9","source":"s","userId":"u","upToId":"9"}';
    expect(decodeGeoRemoved(geo)).toEqual({ source: 's', userId: 'u', upToId: '9' });
    expect(decodeGeoRemoved('{"source":"s","userId":"u"}')).toBeUndefined();
  });
});
