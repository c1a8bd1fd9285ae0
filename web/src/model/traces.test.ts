import { describe, expect, it } from 'vitest';
import { aBlip } from '../../test/fixtures';
import { TRACE_MS, Traces } from './traces';

function setUp() {
  const gone: string[] = [];
  return { gone, traces: new Traces((trace) => gone.push(trace.ref.key)) };
}

describe('Traces', () => {
  it('lets go of a position after a minute, without a word', () => {
    const { gone, traces } = setUp();
    traces.add(aBlip({ id: '1' }), 0);
    traces.add(aBlip({ id: '2' }), 1_000);
    traces.expire(TRACE_MS);
    expect(gone).toEqual([]);
    expect(traces.size).toBe(1);
  });

  it('removes one post, and keeps it away', () => {
    const { gone, traces } = setUp();
    traces.add(aBlip(), 0);
    traces.remove('s:1');
    expect(gone).toEqual(['s:1']);
    expect(traces.add(aBlip(), 1)).toBe(0);
  });

  it('keeps away a position whose removal came first', () => {
    const { traces } = setUp();
    traces.remove('s:1');
    expect(traces.add(aBlip(), 1)).toBe(0);
  });

  it("removes an author's positions up to an id, of that source alone", () => {
    const { gone, traces } = setUp();
    traces.add(aBlip({ id: '10' }), 0);
    traces.add(aBlip({ id: '11' }), 0);
    traces.add(aBlip({ id: '12' }), 0);
    traces.add(aBlip({ id: '9', userId: 'other' }), 0);
    traces.add(aBlip({ id: '8', source: 'elsewhere' }), 0);
    traces.removeOf({ source: 's', userId: 'u', upToId: '11' });
    expect(gone).toEqual(['s:10', 's:11']);
  });

  it('tells how many posts of a merged blip are news, and removes each by itself', () => {
    const { gone, traces } = setUp();
    const refs = ['1', '2', '3'].flatMap((id) => aBlip({ id }).refs);
    traces.remove('s:2');
    traces.add(aBlip({ id: '1' }), 0);
    expect(traces.add({ ...aBlip(), key: 'merged', refs, count: 5 }, 1)).toBe(3);
    traces.remove('s:3');
    expect(gone).toEqual(['s:3']);
  });

  it('stays bounded', () => {
    const { traces } = setUp();
    for (let i = 0; i < 40_000; i += 1) traces.add(aBlip({ id: String(i) }), 0);
    expect(traces.size).toBe(30_000);
  });
});
