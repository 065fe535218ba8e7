import { expect, test } from 'vitest';
import { untilAborted } from '../../src/report/until-aborted.ts';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of source) out.push(item);
  return out;
}

test('a stream that ends by itself', async () => {
  async function* three() {
    yield* [1, 2, 3];
  }
  expect(await collect(untilAborted(three(), new AbortController().signal))).toEqual([1, 2, 3]);
});

test('ends while it waits for what never comes, and what was waited for may fail', async () => {
  const stop = new AbortController();
  let fail = (_: Error): void => {};
  let closed = 0;
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise((_, reject) => (fail = reject)),
      return: async () => {
        closed++;
        throw new Error('it is closed already');
      },
    }),
  };
  const all = collect(untilAborted(source, stop.signal));
  await Promise.resolve();
  stop.abort();
  expect(await all).toEqual([]);
  fail(new Error('it was destroyed'));
  expect(closed).toBe(1);
});

test('nothing at all is asked for after the signal', async () => {
  const stop = new AbortController();
  stop.abort();
  const never: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('it was asked')) }),
  };
  expect(await collect(untilAborted(never, stop.signal))).toEqual([]);
});

test('a failure passes through, and leaving early closes the source', async () => {
  async function* failing() {
    yield 1;
    throw new Error('the disk');
  }
  const { signal } = new AbortController();
  await expect(collect(untilAborted(failing(), signal))).rejects.toThrow('the disk');

  let closed = false;
  async function* endless() {
    try {
      for (;;) yield 1;
    } finally {
      closed = true;
    }
  }
  for await (const _ of untilAborted(endless(), signal)) break;
  expect(closed).toBe(true);
});
