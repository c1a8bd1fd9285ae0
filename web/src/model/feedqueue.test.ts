import { describe, expect, it } from 'vitest';
import { aPost } from '../../test/fixtures';
import { FeedQueue, MAX_ROWS } from './feedqueue';

const ids = (queue: FeedQueue) => queue.rows.map((post) => post.id);

/** Offers posts numbered from..to at a second. */
function offer(queue: FeedQueue, from: number, to: number, second = 0): void {
  queue.happened(to - from + 1, second);
  for (let n = from; n <= to; n += 1) queue.offer(aPost({ id: String(n) }));
}

describe('FeedQueue', () => {
  it('lets one post a tick through, oldest first, newest on top', () => {
    const queue = new FeedQueue();
    offer(queue, 1, 3);
    queue.tick(0, false, 1);
    expect(ids(queue)).toEqual(['1']);
    queue.tick(0, false, 1);
    queue.tick(0, false, 1);
    queue.tick(0, false, 1);
    expect(ids(queue)).toEqual(['3', '2', '1']);
  });

  it('samples when posts outrun a reader, and says so', () => {
    const queue = new FeedQueue();
    for (let tick = 0; tick < 40; tick += 1) {
      offer(queue, tick * 20 + 1, tick * 20 + 20, Math.floor(tick / 4));
      queue.tick(Math.floor(tick / 4), false, 1);
    }
    expect(ids(queue).slice(0, 2)).toEqual(['793', '773']);
    expect(queue.oneIn(10)).toBe(20);
  });

  it('claims no sampling while everything is shown', () => {
    const queue = new FeedQueue();
    offer(queue, 1, 8);
    for (let tick = 0; tick < 8; tick += 1) queue.tick(0, false, 1);
    expect(queue.oneIn(1)).toBe(1);
  });

  it('lets through as many as asked for, fractions in turn, and all when not throttled', () => {
    const queue = new FeedQueue();
    offer(queue, 1, 30);
    queue.tick(0, false, 0.5);
    expect(queue.rows).toHaveLength(0);
    queue.tick(0, false, 0.5);
    expect(queue.rows).toHaveLength(1);
    queue.tick(0, false, 2);
    expect(queue.rows).toHaveLength(3);
    offer(queue, 31, 90);
    queue.tick(0, false, Number.POSITIVE_INFINITY);
    expect(queue.rows[0]?.id).toBe('90');
    expect(queue.shownRate(5)).toBeGreaterThan(6);
  });

  it('counts what happened, of which it was offered a sample', () => {
    const queue = new FeedQueue();
    queue.happened(400, 0);
    offer(queue, 1, 4, 1);
    for (let tick = 0; tick < 8; tick += 1) queue.tick(1, false, 1);
    expect(queue.oneIn(5)).toBe(101);
  });

  it('keeps 200 cards', () => {
    const queue = new FeedQueue();
    for (let n = 1; n <= 500; n += 1) queue.offerPast(aPost({ id: String(n) }));
    queue.tick(0, false, 1);
    expect(queue.rows).toHaveLength(MAX_ROWS);
    expect(queue.rows[0]?.id).toBe('500');
  });

  it('stands still while held, counts what waits, and shows it on release', () => {
    const queue = new FeedQueue();
    offer(queue, 1, 2);
    queue.tick(0, false, 1);
    const before = queue.rows;
    queue.tick(0, true, 1);
    expect(queue.rows).toBe(before);
    expect(queue.held).toBe(1);
    queue.release();
    expect(ids(queue)).toEqual(['2', '1']);
    expect(queue.held).toBe(0);
  });

  it('shows a post once, however often it comes', () => {
    const queue = new FeedQueue();
    queue.offerPast(aPost());
    offer(queue, 1, 1);
    queue.tick(0, false, 1);
    queue.tick(0, false, 1);
    expect(ids(queue)).toEqual(['1']);
  });

  it('removes a post shown, held or waiting, and one that comes after its removal', () => {
    const queue = new FeedQueue();
    offer(queue, 1, 3);
    queue.tick(0, false, 1);
    queue.tick(0, true, 1);
    for (const id of ['1', '2', '3', '4']) queue.remove(`s:${id}`);
    offer(queue, 4, 4);
    queue.tick(0, false, 1);
    expect(queue.held).toBe(0);
    expect(ids(queue)).toEqual([]);
  });

  it('takes the place, not the post, when a position is removed', () => {
    const queue = new FeedQueue();
    const from = (id: string, userId: string) => queue.offerPast(aPost({ id, userId, country: 'JP' }));
    from('100', 'u');
    from('9007199254740993', 'u');
    from('50', 'other');
    queue.tick(0, false, 1);
    queue.removePlace({ source: 's', userId: 'u', upToId: '9007199254740992' });
    expect(queue.rows.map((post) => post.country)).toEqual(['JP', 'JP', '']);
  });

  it('holds a bounded number while nobody takes', () => {
    const queue = new FeedQueue();
    offer(queue, 1, 100_000);
    for (let tick = 0; tick < 99; tick += 1) queue.tick(0, false, 1);
    expect(ids(queue)).toEqual(Array.from({ length: 8 }, (_, i) => String(100_000 - i)));
  });
});
