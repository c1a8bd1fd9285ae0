import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fake, fakeDocument, type FakeElement } from '../../test/fakedom';
import { aBlip } from '../../test/fixtures';
import { Glow } from './glow';
import type { Plane } from './layer';
import { MARKS } from './shapes';
import { LIFE_MS, MAX_LIVE, SvgBlipLayer } from './svglayer';

const PLANE: Plane = { place: (lat, lon) => [lon * 2, -lat * 2], scale: 1, kmPerPixel: 30 };

beforeAll(fakeDocument);
afterAll(() => {
  vi.unstubAllGlobals();
});

describe('SvgBlipLayer', () => {
  let layer: SvgBlipLayer;
  const shown = () => fake(layer.element).children.filter((group) => group.getAttribute('display') === null);
  const ring = (group: FakeElement) => Number(group.children[0]?.getAttribute('r'));

  beforeEach(() => {
    layer = new SvgBlipLayer();
    layer.project(PLANE);
  });

  it('draws a position at 0,0 like any other', () => {
    layer.add(aBlip({ lat: 0, lon: 0 }), 0);
    expect(layer.size).toBe(1);
    expect(shown()[0]?.getAttribute('transform')).toBe('translate(0.0,0.0)');
  });

  it('grows a ring from 3 to 16 px while it fades, then lets it go', () => {
    layer.add(aBlip(), 0);
    expect(ring(shown()[0]!)).toBe(3);
    layer.frame(LIFE_MS / 2);
    expect(ring(shown()[0]!)).toBeCloseTo(14.38, 1);
    expect(layer.frame(LIFE_MS - 1)).toBe(true);
    expect(ring(shown()[0]!)).toBeCloseTo(16, 1);
    expect(layer.frame(LIFE_MS)).toBe(false);
    expect(shown()).toEqual([]);
  });

  it('tells kinds apart by shape, not only by colour', () => {
    const types = ['post', 'reply', 'repost'] as const;
    types.forEach((type, i) => layer.add(aBlip({ id: String(i), type }), 0));
    const paths = shown().map((group) => group.children[1]?.getAttribute('d'));
    expect(paths).toEqual(types.map((type) => MARKS[type]));
    expect(new Set(paths).size).toBe(3);
  });

  it('draws a place softer than a point, and wider when it is large', () => {
    layer.add(aBlip({ id: '1' }), 0);
    layer.add(aBlip({ id: '2', precision: 'place', radiusKm: 900 }), 0);
    layer.add(aBlip({ id: '3', precision: 'place', radiusKm: 9_000 }), 0);
    const strokes = shown().map((group) => Number(group.children[0]?.getAttribute('stroke-opacity')));
    expect(strokes[1]).toBeLessThan(strokes[0]!);
    layer.frame(LIFE_MS - 1);
    expect(shown().map((group) => Math.round(ring(group)))).toEqual([16, 30, 48]);
  });

  it('scales every radius with the map', () => {
    layer.project({ ...PLANE, scale: 0.5 });
    layer.add(aBlip(), 0);
    layer.frame(LIFE_MS - 1);
    expect(ring(shown()[0]!)).toBeCloseTo(8, 1);
  });

  it('never has more than 250 live; the oldest gives way', () => {
    for (let i = 0; i < 3_000; i += 1) layer.add(aBlip({ id: String(i) }), i);
    expect(layer.size).toBe(MAX_LIVE);
    expect(fake(layer.element).children).toHaveLength(MAX_LIVE);
    expect(shown().map((group) => group.getAttribute('data-key'))).not.toContain('s:2749');
    expect(shown().map((group) => group.getAttribute('data-key'))).toContain('s:2750');
  });

  it('uses its elements again instead of making more', () => {
    for (let i = 0; i < 50; i += 1) {
      layer.add(aBlip({ id: String(i) }), i * LIFE_MS);
      layer.frame((i + 1) * LIFE_MS);
    }
    expect(fake(layer.element).children).toHaveLength(1);
  });

  it('keeps blips where they are on Earth when the plane changes', () => {
    layer.add(aBlip({ lat: 10, lon: 20 }), 0);
    layer.project({ ...PLANE, place: (lat, lon) => [lon * 3, lat * 3] });
    expect(shown()[0]?.getAttribute('transform')).toBe('translate(60.0,30.0)');
  });

  it('removes one blip at once, and all of them', () => {
    layer.add(aBlip({ id: '1' }), 0);
    layer.add(aBlip({ id: '2' }), 0);
    layer.remove('s:1');
    layer.remove('s:unknown');
    expect(shown().map((group) => group.getAttribute('data-key'))).toEqual(['s:2']);
    layer.clear();
    expect(layer.size).toBe(0);
    expect(shown()).toEqual([]);
  });
});

describe('Glow', () => {
  let glow: Glow;
  const dots = () => fake(glow.element).children.filter((child) => child.name === 'circle');
  const light = () => dots().map((dot) => Number(dot.getAttribute('opacity')));

  beforeEach(() => {
    glow = new Glow();
    glow.project(PLANE);
  });

  it('fades and is gone after about a minute and a half', () => {
    glow.add(aBlip(), 0);
    glow.frame(0);
    const [fresh] = light();
    glow.frame(30_000);
    expect(light()[0]).toBeLessThan(fresh!);
    expect(glow.frame(90_000)).toBe(false);
    expect(dots()).toEqual([]);
  });

  it('gathers neighbours in one cell, brighter but not without bound', () => {
    for (let i = 0; i < 1_000; i += 1) glow.add(aBlip({ lat: 0.01, lon: 0.01 }), 0);
    glow.frame(0);
    expect(glow.size).toBe(1);
    expect(light()[0]).toBeLessThanOrEqual(0.85);
  });

  it('takes back exactly the light of a removed blip', () => {
    glow.add(aBlip({ id: '1' }), 0);
    glow.frame(10_000);
    const [alone] = light();
    glow.add(aBlip({ id: '2' }), 5_000);
    glow.remove(aBlip({ id: '2' }), 5_000, 10_000);
    expect(light()[0]).toBeCloseTo(alone!, 3);
    glow.remove(aBlip({ id: '1' }), 0, 10_000);
    expect(dots()).toEqual([]);
  });
});
