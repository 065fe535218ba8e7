import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatAll } from '../../src/base/bytes.ts';
import { ByteQueue } from '../../src/capture/byte-queue.ts';

describe('byte queue', () => {
  test('gives every byte once and in order, whatever is asked for', () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 20 });
    const ask = fc.record({ n: fc.integer({ min: 1, max: 30 }), greedy: fc.boolean(), take: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.array(ask, { minLength: 1 }), (chunks, asks) => {
        const queue = new ByteQueue();
        const whole = concatAll(chunks);
        const read: number[] = [];
        let pushed = 0;
        for (const [i, { n, greedy, take }] of [...asks, ...asks, ...asks].entries()) {
          const next = chunks[i % 3 === 0 ? i / 3 : chunks.length];
          if (next !== undefined) {
            queue.push(next);
            pushed += next.length;
          }
          expect(queue.available).toBe(pushed - read.length);
          expect(queue.ensure(n, greedy)).toBe(n <= queue.available);
          if (!queue.ensure(n)) continue;
          const used = Math.min(n, take);
          read.push(...queue.front.subarray(queue.at, queue.at + used));
          queue.skip(used);
          expect(queue.offset).toBe(read.length);
        }
        expect(read).toEqual([...whole.subarray(0, read.length)]);
      }),
    );
  });

  test('views stay good while more is read', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2, 3));
    queue.skip(0);
    queue.ensure(2);
    queue.push(Uint8Array.of(4, 5, 6, 7));
    queue.ensure(5, true);
    const view = queue.front.subarray(queue.at, queue.at + 5);
    queue.skip(5);
    for (let i = 0; i < 100; i++) {
      queue.push(Uint8Array.of(i, i, i, i, i));
      queue.ensure(7, true);
      if (queue.available > 5) queue.skip(5);
    }
    expect([...view]).toEqual([1, 2, 3, 4, 5]);
  });

  test('a record that comes byte by byte is copied a bounded number of times', () => {
    for (const greedy of [false, true]) {
      const queue = new ByteQueue();
      const size = 100_000;
      for (let i = 0; i < size; i++) {
        queue.push(Uint8Array.of(i));
        queue.ensure(size, greedy);
      }
      expect(queue.ensure(size)).toBe(true);
      expect(queue.copied).toBeLessThan(4 * size);
    }
  });

  test('records within a chunk are not copied', () => {
    const queue = new ByteQueue();
    queue.push(new Uint8Array(1000));
    for (let i = 0; i < 9; i++) {
      queue.ensure(100);
      queue.skip(100);
    }
    queue.skip(50);
    queue.push(new Uint8Array(1000));
    queue.ensure(100);
    expect(queue.copied).toBe(100);
  });
});
