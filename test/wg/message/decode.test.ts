/** Message codecs: order of the checks, both directions, no throw on anything. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bytes, concat, EMPTY } from '../../../src/base/bytes.ts';
import { publicKey } from '../../../src/base/keys.ts';
import type { Drop } from '../../../src/wg/drop.ts';
import { COOKIE_REPLY, encodeCookieReply } from '../../../src/wg/message/cookie-reply.ts';
import { DATA, DATA_MIN_BYTES, encodeData } from '../../../src/wg/message/data.ts';
import { decodeMessage, type Message } from '../../../src/wg/message/decode.ts';
import { encodeInitiation, INITIATION } from '../../../src/wg/message/initiation.ts';
import { encodeResponse, RESPONSE } from '../../../src/wg/message/response.ts';

const sized = (length: number, ...head: readonly number[]): Bytes => {
  const out = new Uint8Array(length).fill(0xee);
  out.fill(0, 0, Math.min(4, length));
  out.set(head.slice(0, length));
  return out;
};

test('sizes and offsets of the paper', () => {
  const { mac1, mac2, sealedStatic, sealedTimestamp } = INITIATION;
  expect([INITIATION.size, sealedStatic.at, sealedTimestamp.at, mac1.at, mac2.at]).toEqual([148, 40, 88, 116, 132]);
  expect([RESPONSE.size, RESPONSE.ephemeral.at, RESPONSE.sealedEmpty.at, RESPONSE.mac1.at]).toEqual([92, 12, 44, 60]);
  expect([COOKIE_REPLY.size, COOKIE_REPLY.nonce.at, COOKIE_REPLY.sealedCookie.at]).toEqual([64, 8, 32]);
  expect([DATA.size, DATA.counter.at, DATA_MIN_BYTES]).toEqual([16, 8, 32]);
});

const refused: readonly (readonly [string, Bytes, Drop])[] = [
  ['nothing', EMPTY, { kind: 'too-short', actual: 0 }],
  ['three bytes', sized(3, 1), { kind: 'too-short', actual: 3 }],
  ['four bytes of type 1', sized(4, 1), { kind: 'length-mismatch', message: 'initiation', expected: 148, actual: 4 }],
  ['type 0', sized(148, 0), { kind: 'unknown-type', type: 0 }],
  ['type 5', sized(148, 5), { kind: 'unknown-type', type: 5 }],
  ['an AmneziaWG header', sized(148, 0xd3, 2, 0x96, 0x49), { kind: 'unknown-type', type: 1234567891 }],
  ['the top bit', sized(32, 0xff, 0xff, 0xff, 0xff), { kind: 'unknown-type', type: 0xffffffff }],
  [
    'reserved before length',
    sized(7, 1, 35, 74, 190),
    { kind: 'reserved-nonzero', message: 'initiation', reserved: [35, 74, 190] },
  ],
  ['reserved, data', sized(32, 4, 0, 0, 1), { kind: 'reserved-nonzero', message: 'data', reserved: [0, 0, 1] }],
  ['initiation 147', sized(147, 1), { kind: 'length-mismatch', message: 'initiation', expected: 148, actual: 147 }],
  ['initiation 149', sized(149, 1), { kind: 'length-mismatch', message: 'initiation', expected: 148, actual: 149 }],
  ['response 91', sized(91, 2), { kind: 'length-mismatch', message: 'response', expected: 92, actual: 91 }],
  ['response 93', sized(93, 2), { kind: 'length-mismatch', message: 'response', expected: 92, actual: 93 }],
  ['cookie reply 63', sized(63, 3), { kind: 'length-mismatch', message: 'cookie-reply', expected: 64, actual: 63 }],
  ['cookie reply 65', sized(65, 3), { kind: 'length-mismatch', message: 'cookie-reply', expected: 64, actual: 65 }],
  ['data 31', sized(31, 4), { kind: 'length-mismatch', message: 'data', expected: 32, actual: 31 }],
];

test.each(refused)('refused: %s', (_, bytes, wanted) => {
  expect(decodeMessage(bytes)).toEqual({ ok: false, error: wanted });
});

test('gotatun’s reading looks at one byte of the type only', () => {
  const bytes = sized(148, 1, 35, 74, 190);
  expect(decodeMessage(bytes, { ignoreReserved: true })).toMatchObject({ ok: true, value: { kind: 'initiation' } });
  expect(decodeMessage(bytes.subarray(1), { ignoreReserved: true })).toMatchObject({ error: { kind: 'unknown-type' } });
});

test('never throws, and a refusal or a message is all there is', () => {
  const start = fc.constantFrom(EMPTY, ...[1, 2, 3, 4].map((type) => Uint8Array.of(type, 0, 0, 0)));
  const length = fc.constantFrom(0, 3, 4, 31, 32, 63, 64, 91, 92, 147, 148, 149, 1500);
  fc.assert(
    fc.property(start, length, fc.uint8Array({ minLength: 200, maxLength: 200 }), (head, length, noise) => {
      const bytes = concat(head, noise, new Uint8Array(1300)).slice(0, length);
      const result = decodeMessage(bytes);
      if (result.ok) expect(result.value.bytes).toBe(bytes);
      else expect(result.error.kind).toBeTypeOf('string');
    }),
  );
});

const index = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const key = bytes(32).map(publicKey);

function decoded(bytes: Bytes): Message {
  const result = decodeMessage(bytes);
  return result.ok ? result.value : expect.fail(result.error.kind);
}

test('decode reads back what encode wrote', () => {
  const initiation = fc.record({
    sender: index,
    ephemeral: key,
    sealedStatic: bytes(48),
    sealedTimestamp: bytes(28),
    mac1: bytes(16),
    mac2: bytes(16),
  });
  const response = fc.record({
    sender: index,
    receiver: index,
    ephemeral: key,
    sealedEmpty: bytes(16),
    mac1: bytes(16),
    mac2: bytes(16),
  });
  const cookie = fc.record({ receiver: index, nonce: bytes(24), sealedCookie: bytes(32) });
  const data = fc.record({
    receiver: index,
    counterLow: index,
    counterHigh: index,
    sealed: fc.uint8Array({ minLength: 16, maxLength: 80 }),
  });
  fc.assert(
    fc.property(initiation, response, cookie, data, (i, r, c, d) => {
      expect(decoded(encodeInitiation(i))).toMatchObject({ kind: 'initiation', ...i });
      expect(decoded(encodeResponse(r))).toMatchObject({ kind: 'response', ...r });
      expect(decoded(encodeCookieReply(c))).toMatchObject({ kind: 'cookie-reply', ...c });
      expect(decoded(encodeData(d))).toMatchObject({ kind: 'data', ...d });
    }),
  );
});

function encode(message: Message): Bytes {
  switch (message.kind) {
    case 'initiation':
      return encodeInitiation(message);
    case 'response':
      return encodeResponse(message);
    case 'cookie-reply':
      return encodeCookieReply(message);
    case 'data':
      return encodeData(message);
  }
}

test('encode writes back what decode read', () => {
  const sizes = [
    [1, 148],
    [2, 92],
    [3, 64],
    [4, 32],
    [4, 97],
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...sizes), bytes(148), ([type, size], noise) => {
      const wire = noise.slice(0, size);
      wire.set([type, 0, 0, 0]);
      expect(encode(decoded(wire))).toEqual(wire);
    }),
  );
});

test('fields are views, so that nothing is copied for a message that is refused', () => {
  const wire = sized(148, 1);
  const message = decoded(wire);
  if (message.kind !== 'initiation') return expect.fail(message.kind);
  for (const view of [message.ephemeral, message.sealedStatic, message.sealedTimestamp, message.mac1, message.mac2]) {
    expect(view.buffer).toBe(wire.buffer);
  }
});
