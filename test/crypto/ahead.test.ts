/** Helpers and their reader on one thread, in any order: what comes out is what the reader would have found by itself. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../../src/base/bytes.ts';
import { Desk } from '../../src/crypto/ahead/desk.ts';
import { Helper } from '../../src/crypto/ahead/helper.ts';
import {
  BANK_BYTES,
  BANK_JOBS,
  jobAt,
  KEYS_AT,
  NUMBERS,
  SLOTS,
  STATE,
  WORD,
  wordsOf,
} from '../../src/crypto/ahead/layout.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type AheadKey, TAG } from '../../src/crypto/port.ts';
import { counting, half } from './backends.ts';

interface Staffed {
  readonly desk: Desk;
  readonly memory: () => SharedArrayBuffer;
  /** Lets the next helper look for work. */
  work(): boolean;
}

function staffed(count: number): Staffed {
  let memory: SharedArrayBuffer | undefined;
  const helpers: Helper[] = [];
  const desk = new Desk(0, (shared) => {
    memory = shared;
    for (let i = 0; i < count; i++) helpers.push(new Helper(shared, nodeCrypto));
  });
  let turn = 0;
  return {
    desk,
    memory: () => memory ?? expect.fail('nobody was let begin'),
    work: () => helpers[turn++ % helpers.length]?.openNext() ?? false,
  };
}

const keyOf = (n: number): Bytes => counting(32, n * 7);

interface Message {
  readonly key: number;
  readonly low: number;
  readonly high: number;
  readonly plain: Bytes;
  readonly forged: boolean;
  /** How often helpers look for work after it was offered, and before it is asked for. */
  readonly after: number;
  readonly before: number;
  readonly asked: boolean;
  readonly inRoom: boolean;
}

const message: fc.Arbitrary<Message> = fc.record({
  key: fc.nat(5),
  low: half,
  high: half,
  plain: fc.uint8Array({ maxLength: 200 }),
  forged: fc.boolean(),
  after: fc.nat(2),
  before: fc.nat(2),
  asked: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  inRoom: fc.boolean(),
});

test('any batches, helpers at any pace', () => {
  const batches = fc.array(fc.array(message, { minLength: 1, maxLength: 40 }), { maxLength: 6 });
  let byHelpers = 0;
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 3 }), (all, count) => {
      const { desk, work } = staffed(count);
      const keys = Array.from({ length: 6 }, (_, n) => desk.key(keyOf(n)));
      let expected: readonly (readonly [Message, number])[] = [];
      const ask = (): void => {
        for (const [{ plain, forged, before, asked }, number] of expected) {
          for (let i = 0; i < before; i++) work();
          if (!asked) continue;
          const found = desk.result(number);
          if (found !== undefined) byHelpers++;
          if (found === false) expect(forged).toBe(true);
          else if (found !== undefined) expect([forged, found]).toEqual([false, plain]);
        }
      };
      for (const [i, batch] of all.entries()) {
        expect(desk.begin(batch.length)).toBe(true);
        // the batch before is still being read
        let used = (i % 2) * (desk.room.length / 2);
        const offered: [Message, number][] = [];
        for (const one of batch) {
          const sealed = nodeCrypto.seal(keyOf(one.key), one.low, one.high, new Uint8Array(), one.plain);
          if (one.forged) sealed[0] = (sealed[0] ?? 0) ^ 1;
          const into = one.inRoom ? desk.room.subarray(used) : new Uint8Array(sealed.length + 3);
          used += one.inRoom ? sealed.length + 3 : 0;
          into.set(sealed, 3);
          const number = desk.offer(keys[one.key] as AheadKey, one.low, one.high, into, 3, sealed.length);
          if (number !== undefined) offered.push([one, number]);
          for (let n = 0; n < one.after; n++) work();
        }
        expect(offered).toHaveLength(batch.length);
        desk.call();
        ask();
        desk.turn();
        expected = offered;
      }
      ask();
      desk.turn();
      desk.close();
    }),
    { numRuns: 200 },
  );
  expect(byHelpers).toBeGreaterThan(1000);
});

/** Sealed once: what is offered is the same over and over. */
const PLAIN = counting(40);
const SEALED = nodeCrypto.seal(keyOf(0), 9, 0, new Uint8Array(), PLAIN);

test('a batch takes as many as it has room for, the next one again', () => {
  const { desk, work } = staffed(1);
  const key = desk.key(keyOf(0));
  for (let round = 0; round < 5; round++) {
    desk.begin(1);
    const numbers = Array.from({ length: BANK_JOBS + 3 }, () => desk.offer(key, 9, 0, SEALED, 0, SEALED.length));
    expect(numbers.filter((number) => number === undefined)).toHaveLength(3);
    desk.call();
    while (work());
    desk.turn();
    for (const number of numbers.slice(0, BANK_JOBS)) expect(desk.result(number ?? -1)).toEqual(PLAIN);
  }
  desk.turn();
  const large = new Uint8Array(BANK_BYTES / 2 + 1);
  expect(desk.offer(key, 9, 0, large, 0, large.length)).toBeTypeOf('number');
  expect(desk.offer(key, 9, 0, large, 0, large.length)).toBeUndefined();
  expect(desk.offer(key, 9, 0, SEALED, 0, TAG - 1)).toBeUndefined();
});

test('what nobody has begun is left to the reader, and taken from the helpers', () => {
  const { desk, work } = staffed(2);
  desk.begin(1);
  const number = desk.offer(desk.key(keyOf(0)), 9, 0, SEALED, 0, SEALED.length) ?? expect.fail();
  desk.call();
  expect(desk.result(number)).toBeUndefined();
  while (work());
  expect(desk.result(number)).toBeUndefined();
});

test('keys beyond the slots wait until none is in use, then have the places of others', () => {
  const { desk, work } = staffed(1);
  const offerOf = (n: number): number | undefined => {
    const secret = counting(32, n);
    secret[31] = n >>> 8;
    const sealed = nodeCrypto.seal(secret, n, 0, new Uint8Array(), PLAIN);
    return desk.offer(desk.key(secret), n, 0, sealed, 0, sealed.length);
  };
  let at = 0;
  const batch = (): (number | undefined)[] => {
    desk.begin(1);
    const numbers = Array.from({ length: 256 }, () => offerOf(at++));
    desk.call();
    while (work());
    desk.turn();
    for (const number of numbers) if (number !== undefined) expect(desk.result(number)).toEqual(PLAIN);
    return numbers;
  };
  for (let i = 0; i < SLOTS / 256; i++) expect(batch()).not.toContain(undefined);
  expect(new Set(batch())).toEqual(new Set([undefined]));
  desk.turn();
  expect(batch()).not.toContain(undefined);
});

test('nobody helps before the input proves large, nor after the end', () => {
  let started = 0;
  const desk = new Desk(100, (memory) => {
    started++;
    new Helper(memory, nodeCrypto);
  });
  expect([desk.begin(100), started, desk.begin(1), started, desk.begin(1), started]).toEqual([
    false,
    0,
    true,
    1,
    true,
    1,
  ]);
  desk.close();
  expect(desk.begin(1)).toBe(false);
});

test('whoever dies over a message is not waited for, and nobody is asked again', () => {
  let memory: SharedArrayBuffer | undefined;
  const start = (shared: SharedArrayBuffer): void => {
    memory = shared;
    new Helper(shared, nodeCrypto);
  };
  const desk = new Desk(0, start, 3);
  desk.begin(1);
  const number = desk.offer(desk.key(keyOf(0)), 9, 0, SEALED, 0, SEALED.length) ?? expect.fail();
  desk.call();
  const words = wordsOf(memory ?? expect.fail());
  words[jobAt(number)] = STATE.taken;
  desk.turn();
  expect([desk.begin(1), desk.result(number)]).toEqual([true, undefined]);
  desk.turn();
  expect(desk.begin(1)).toBe(false);
  desk.close();
  expect([words[WORD.stop], words[NUMBERS]]).toEqual([1, 1]);
  expect(new Uint8Array(words.buffer).subarray(KEYS_AT).every((byte) => byte === 0)).toBe(true);
});

test('at the end no key is left in the memory, and whoever serves returns', () => {
  const { desk, memory, work } = staffed(1);
  desk.begin(1);
  desk.offer(desk.key(keyOf(1)), 9, 0, SEALED, 0, SEALED.length);
  desk.call();
  while (work());
  const shared = memory();
  const bytes = new Uint8Array(shared).subarray(KEYS_AT);
  expect(bytes.subarray(0, 32)).toEqual(keyOf(1));
  desk.close();
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  new Helper(shared, nodeCrypto).serve();
});
