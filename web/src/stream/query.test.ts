import { describe, expect, it } from 'vitest';
import { addressOf, filterOf, isEmpty, NO_FILTER, toggled, typed, writeFilter } from './query';

describe('a filter', () => {
  it.each(['', '?q=rain&country=JP,BR&lang=ja', '?user=ann&type=reply,repost&source=demo&kind=my_rule', '?q=caf%C3%A9+%23tag'])(
    'goes into the address and comes back: %s',
    (search) => {
      const query = new URLSearchParams();
      writeFilter(query, filterOf(search));
      expect(filterOf(`?${query}`)).toEqual(filterOf(search));
      expect(isEmpty(filterOf(search))).toBe(search === '');
    },
  );

  it('takes values repeated or in one, each once', () => {
    expect(filterOf('?country=JP&country=BR,JP, ').country).toEqual(['JP', 'BR']);
  });

  it('is spelt as the gateway does, however the address was written', () => {
    const filter = filterOf('?country=jp,Fj&lang=pt-BR&user=Ann');
    expect(filter).toEqual({ ...NO_FILTER, country: ['JP', 'FJ'], lang: ['pt-br'], user: ['ann'] });
    expect(toggled(filter, 'country', 'JP').country).toEqual(['FJ']);
  });

  it('is read from what was typed', () => {
    expect(typed('rain @Ann country:jp,br LANG:pt-BR type:reply from:bob source:demo time:now ', NO_FILTER)).toEqual({
      ...NO_FILTER, q: 'rain time:now', user: ['ann', 'bob'], country: ['JP', 'BR'], lang: ['pt-br'], type: ['reply'], source: ['demo'],
    });
  });

  it('keeps what it was limited to before, but for the words', () => {
    const before = { ...NO_FILTER, q: 'old', country: ['JP'] };
    expect(typed('new country:br', before)).toEqual({ ...NO_FILTER, q: 'new', country: ['JP', 'BR'] });
    expect(before.country).toEqual(['JP']);
  });

  it('takes a value and gives it back', () => {
    const once = toggled(NO_FILTER, 'country', 'JP');
    expect(once.country).toEqual(['JP']);
    expect(toggled(once, 'country', 'JP')).toEqual(NO_FILTER);
  });
});

describe('addressOf', () => {
  const query = { filter: NO_FILTER, kinds: ['geo_blip'], rate: 5 };

  it('is the same for all who ask for the same', () => {
    const one = addressOf('/live', { ...query, filter: filterOf('?country=JP&q=a') });
    expect(one).toBe(addressOf('/live', { ...query, filter: filterOf('?q=a&country=JP') }));
    expect(one).toBe('/live?country=JP&kind=geo_blip&q=a&rate=5');
  });

  it('asks a snapshot for no pace', () => {
    expect(addressOf('/api/snapshot', { ...query, since: '2026-01-01T00:00:00Z', speed: 4 })).toBe('/api/snapshot?kind=geo_blip');
    expect(addressOf('/live', { ...query, since: '2026-01-01T00:00:00Z', speed: 4 })).toContain('since=2026-01-01T00%3A00%3A00Z&speed=4');
  });

  it('asks for the kinds of the filter, if it names some, and for all if nobody does', () => {
    expect(addressOf('/live', { ...query, filter: filterOf('?kind=my_rule') })).toBe('/live?kind=my_rule&rate=5');
    expect(addressOf('/live', { filter: NO_FILTER, kinds: [], rate: 0 })).toBe('/live');
  });
});
