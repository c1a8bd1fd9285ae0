import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fake, fakeDocument, type FakeElement } from '../../test/fakedom';
import { aBlip } from '../../test/fixtures';
import type { PostType } from '../model/events';
import { CanvasBlipLayer, MAX_DENSE } from './canvaslayer';
import { Glow } from './glow';
import type { BlipLayer, Plane } from './layer';
import { LIFE_MS, lookAt, reachOf } from './look';
import { MARKS } from './shapes';
import { FEWEST, Room } from './room';
import { MAX_LIVE, SvgBlipLayer } from './svglayer';

const PLANE: Plane = { place: (lat, lon) => [lon * 2, -lat * 2], scale: 1, kmPerPixel: 30, width: 600, height: 300 };
const INK = 'rgb(1, 2, 3)';

beforeAll(fakeDocument);
afterAll(() => {
  vi.unstubAllGlobals();
});

/** A layer, and where it shows something, each place once. */
interface Kit {
  layer: BlipLayer;
  places: () => string[];
  most: number;
}

const KITS: Record<string, () => Kit> = {
  'the pool': () => {
    const layer = new SvgBlipLayer();
    const shown = () => fake(layer.element).children.filter((group) => group.getAttribute('display') === null);
    const places = () => shown().map((group) => group.getAttribute('transform')!.replace(/translate\((.*)\)/, '$1'));
    return { layer, places, most: MAX_LIVE };
  },
  'the canvas': () => {
    const layer = new CanvasBlipLayer();
    layer.dye({ post: INK, reply: INK, repost: INK, edit: INK, quake: INK });
    const places = () => fake(layer.element).pictures.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`);
    return { layer, places, most: MAX_DENSE };
  },
};

describe.each(Object.entries(KITS))('%s', (_, make) => {
  let layer: BlipLayer;
  let kit: Kit;

  beforeEach(() => {
    kit = make();
    ({ layer } = kit);
    layer.project(PLANE);
  });

  it('draws a position at 0,0 like any other', () => {
    expect(layer.add(aBlip({ lat: 0, lon: 0 }), 0)).toBe(true);
    layer.frame(0);
    expect([layer.size, kit.places().map((place) => place.replaceAll('-0.0', '0.0'))]).toEqual([1, ['0.0,0.0']]);
  });

  it('lets a blip go when its life is over', () => {
    layer.add(aBlip(), 0);
    expect(layer.frame(LIFE_MS - 1)).toBe(true);
    expect(layer.frame(LIFE_MS)).toBe(false);
    expect([layer.size, kit.places()]).toEqual([0, []]);
  });

  it('never has more live than it has room for', () => {
    const added = Array.from({ length: 3_000 }, (_, i) => layer.add(aBlip({ id: String(i) }), 0));
    expect(added.filter(Boolean)).toHaveLength(kit.most);
    expect(layer.size).toBe(kit.most);
    layer.frame(LIFE_MS);
    expect(layer.add(aBlip(), LIFE_MS)).toBe(true);
  });

  it('takes no more when it is made smaller, and lets live what lives', () => {
    for (let i = 0; i < 10; i += 1) layer.add(aBlip({ id: String(i) }), 0);
    layer.capacity = 5;
    expect([layer.size, layer.add(aBlip({ id: 'x' }), 0)]).toEqual([10, false]);
  });

  it('keeps blips where they are on Earth when the plane changes', () => {
    layer.add(aBlip({ lat: 10, lon: 20 }), 0);
    layer.frame(0);
    layer.project({ ...PLANE, place: (lat, lon) => [lon * 3, lat * 3] });
    expect(kit.places()).toEqual(['60.0,30.0']);
  });

  it('removes one blip at once, and all of them', () => {
    layer.add(aBlip({ id: '1', lat: -1, lon: 1 }), 0);
    layer.add(aBlip({ id: '2', lat: -2, lon: 2 }), 0);
    layer.frame(0);
    layer.remove('s:1');
    layer.remove('s:unknown');
    expect(kit.places()).toEqual(['4.0,4.0']);
    layer.clear();
    expect([layer.size, kit.places()]).toEqual([0, []]);
  });

  it('shows a blip that comes again once', () => {
    layer.add(aBlip(), 0);
    layer.add(aBlip(), 1_000);
    expect(layer.size).toBe(1);
    expect(layer.frame(LIFE_MS)).toBe(true);
  });
});

describe('the pool', () => {
  let layer: SvgBlipLayer;
  const shown = () => fake(layer.element).children.filter((group) => group.getAttribute('display') === null);
  const ring = (group: FakeElement) => Number(group.children[0]?.getAttribute('r'));

  beforeEach(() => {
    layer = new SvgBlipLayer();
    layer.project(PLANE);
  });

  it('grows a ring from 3 to 16 px while it fades', () => {
    layer.add(aBlip(), 0);
    expect(ring(shown()[0]!)).toBe(3);
    layer.frame(LIFE_MS / 2);
    expect(ring(shown()[0]!)).toBeCloseTo(14.38, 1);
    layer.frame(LIFE_MS - 1);
    expect(ring(shown()[0]!)).toBeCloseTo(16, 1);
  });

  it('tells kinds apart by shape, not only by colour', () => {
    const types: PostType[] = ['post', 'reply', 'repost', 'edit', 'quake'];
    types.forEach((type, i) => layer.add(aBlip({ id: String(i), type }), 0));
    const paths = shown().map((group) => group.children[1]?.getAttribute('d'));
    expect(paths).toEqual(types.map((type) => MARKS[type]));
    expect(new Set(paths).size).toBe(types.length);
  });

  it('draws a place wider when it is large, a named city dashed, a point neither', () => {
    layer.add(aBlip({ id: '1' }), 0);
    layer.add(aBlip({ id: '2', precision: 'place', radiusKm: 900 }), 0);
    layer.add(aBlip({ id: '3', precision: 'place', radiusKm: 9_000 }), 0);
    layer.add(aBlip({ id: '4', precision: 'mention', radiusKm: 9_000 }), 0);
    const dashes = shown().map((group) => group.children[0]?.getAttribute('stroke-dasharray'));
    expect(dashes).toEqual(['none', 'none', 'none', '2.5 2.5']);
    layer.frame(LIFE_MS - 1);
    expect(shown().map((group) => Math.round(ring(group)))).toEqual([16, 30, 48, 16]);
  });

  it('scales every radius with the map', () => {
    layer.project({ ...PLANE, scale: 0.5 });
    layer.add(aBlip(), 0);
    layer.frame(LIFE_MS - 1);
    expect(ring(shown()[0]!)).toBeCloseTo(8, 1);
  });

  it('uses its elements again instead of making more', () => {
    for (let i = 0; i < 50; i += 1) {
      layer.add(aBlip({ id: String(i) }), i * LIFE_MS);
      layer.frame((i + 1) * LIFE_MS);
    }
    expect(fake(layer.element).children).toHaveLength(1);
  });
});

describe('the look', () => {
  it('is the fainter, the less sure a position is', () => {
    const rings = (['point', 'place', 'profile'] as const).map((precision) => lookAt(precision, 0, 16).ring);
    expect(rings).toEqual([...rings].sort((a, b) => b - a));
  });

  it('reaches further for many posts and for strong earthquakes, within reason', () => {
    const reach = (fields: object) => Math.round(reachOf({ ...aBlip(), ...fields }, PLANE));
    expect([1, 2, 9].map((count) => reach({ count }))).toEqual([16, 23, 28]);
    expect([2, 5, 9.5].map((magnitude) => reach({ magnitude }))).toEqual([10, 31, 48]);
  });
});

describe('Glow', () => {
  let glow: Glow;
  const light = () => fake(glow.element).pictures.map(({ alpha }) => alpha);

  beforeEach(() => {
    glow = new Glow();
    glow.dye(INK);
    glow.project(PLANE, 0);
  });

  it('fades and is gone after about a minute and a half', () => {
    glow.add(aBlip(), 1, 0);
    glow.frame(0);
    const [fresh] = light();
    glow.frame(30_000);
    expect(light()[0]).toBeLessThan(fresh!);
    expect(glow.frame(90_000)).toBe(false);
    expect(light()).toEqual([]);
  });

  it('gathers neighbours in one cell, brighter but not without bound', () => {
    for (let i = 0; i < 1_000; i += 1) glow.add(aBlip({ lat: 0.01, lon: 0.01 }), 3, 0);
    glow.frame(0);
    expect(glow.size).toBe(1);
    expect(light()[0]).toBeLessThanOrEqual(0.85);
  });

  it('is dimmer for what is older', () => {
    glow.add(aBlip({ lat: 10 }), 1, 0, 20_000);
    glow.add(aBlip({ lat: -10 }), 1, 0);
    glow.frame(0);
    expect(light()[0]).toBeLessThan(light()[1]!);
  });

  it('takes back exactly the light of a removed blip', () => {
    glow.add(aBlip({ id: '1' }), 1, 0);
    glow.frame(10_000);
    const [alone] = light();
    glow.add(aBlip({ id: '2' }), 1, 5_000);
    glow.remove(aBlip({ id: '2' }), 5_000, 10_000);
    expect(light()[0]).toBeCloseTo(alone!, 3);
    glow.remove(aBlip({ id: '1' }), 0, 10_000);
    expect(light()).toEqual([]);
  });
});

describe('the room for blips', () => {
  it('goes from elements to sprites first, which nobody sees, and only then is there less to see', () => {
    const room = new Room();
    expect([room.less(), room.pool, room.dense]).toEqual([false, FEWEST, MAX_DENSE]);
    expect([room.less(), room.pool, room.dense]).toEqual([true, FEWEST, MAX_DENSE / 2]);
    for (let i = 0; i < 9; i += 1) room.less();
    expect(room.dense).toBe(FEWEST);
  });

  it('comes back for sprites, not for elements', () => {
    const room = new Room();
    room.less();
    room.less();
    for (let i = 0; i < 9; i += 1) room.more();
    expect([room.pool, room.dense]).toEqual([FEWEST, MAX_DENSE]);
  });
});

describe('the canvas', () => {
  it('copies one post at a point to whole pixels in its own size, and scales what stands for more', () => {
    const layer = new CanvasBlipLayer();
    layer.project(PLANE);
    layer.add(aBlip({ lat: 1.23, lon: 4.56 }), 0);
    layer.add(aBlip({ id: '2', lat: 1.23, lon: 4.56, count: 2 }), 0);
    layer.frame(LIFE_MS / 2);
    const [one, two] = fake(layer.element).pictures as [FakeElement['pictures'][number], FakeElement['pictures'][number]];
    expect([one.x, one.y, one.side % 2]).toEqual([9, -2, 0]);
    expect(two.side).toBeCloseTo(one.side * Math.SQRT2);
  });
});
