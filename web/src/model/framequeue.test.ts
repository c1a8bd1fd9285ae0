import { beforeEach, describe, expect, it } from 'vitest';
import { aFrame } from '../../test/fixtures';
import { FrameQueue } from './framequeue';

let drawn: number[];
let absorbed: number[];
let pictures: (() => void)[];
const queue = (hidden = false) =>
  new FrameQueue({
    draw: ({ toSeq }) => drawn.push(toSeq),
    absorb: ({ toSeq }) => absorbed.push(toSeq),
    schedule: (run) => !hidden && pictures.push(run) > 0,
  });

beforeEach(() => {
  drawn = [];
  absorbed = [];
  pictures = [];
});

describe('FrameQueue', () => {
  it('draws what came once per picture, in order', () => {
    const frames = queue();
    frames.push(aFrame({ toSeq: 1 }));
    frames.push(aFrame({ toSeq: 2 }));
    expect([drawn, pictures.length]).toEqual([[], 1]);
    pictures[0]!();
    frames.push(aFrame({ toSeq: 3 }));
    expect([drawn, pictures.length]).toEqual([[1, 2], 2]);
  });

  it('keeps three and absorbs what is older: a slow page does not fall behind', () => {
    const frames = queue();
    for (let toSeq = 1; toSeq <= 50; toSeq += 1) frames.push(aFrame({ toSeq }));
    pictures[0]!();
    expect(drawn).toEqual([48, 49, 50]);
    expect(absorbed).toHaveLength(47);
  });

  it('waits for no picture that will not come', () => {
    queue(true).push(aFrame({ toSeq: 1 }));
    expect(drawn).toEqual([1]);
  });
});
