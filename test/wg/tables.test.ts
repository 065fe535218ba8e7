/** Indices and deadlines: unique, bounded, and in agreement with slow twins. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines } from '../../src/wg/deadlines.ts';
import { IndexTable } from '../../src/wg/index-table.ts';
import { chance, indexBytes } from './harness.ts';

test('indices: what chance says, unless somebody has it', () => {
  const table = new IndexTable<string>(chance(1, { index: [7, 0xffff_fff0, 7, 9].map(indexBytes) }));
  for (const wanted of [7, 0xffff_fff0, 9]) {
    const index = table.fresh();
    expect(index).toBe(wanted);
    table.set(index, `at ${index}`);
  }
  expect([table.get(0xffff_fff0), table.get(8), table.size]).toEqual(['at 4294967280', undefined, 3]);
  table.delete(0xffff_fff0);
  expect([table.get(0xffff_fff0), table.size]).toEqual([undefined, 2]);
});

test('indices: chance that always says the same does not hang', () => {
  const table = new IndexTable<number>((out) => out.fill(0xff));
  const seen = Array.from({ length: 5 }, (_, i) => {
    const index = table.fresh();
    table.set(index, i);
    return index;
  });
  expect(seen).toEqual([0xffff_ffff, 0, 1, 2, 3]);
});

interface Item {
  earliestMs: number;
  heapAt: number;
}

test('deadlines: the first is the least of all, whatever happened before', () => {
  const action = fc.tuple(
    fc.nat(15),
    fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(Number.POSITIVE_INFINITY), fc.constant(undefined)),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const items: Item[] = Array.from({ length: 16 }, () => ({ earliestMs: Number.POSITIVE_INFINITY, heapAt: -1 }));
      const heap = new Deadlines<Item>();
      const members = new Set<Item>();
      for (const [which, atMs] of actions) {
        const item = items[which] ?? expect.fail();
        if (atMs === undefined) {
          heap.remove(item);
          members.delete(item);
        } else {
          item.earliestMs = atMs;
          heap.update(item);
          members.add(item);
        }
        const least = Math.min(...[...members].map(({ earliestMs }) => earliestMs));
        expect(heap.first?.earliestMs ?? Number.POSITIVE_INFINITY).toBe(least);
        expect(heap.first === undefined || members.has(heap.first)).toBe(true);
      }
    }),
  );
});
