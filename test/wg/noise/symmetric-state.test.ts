/** The symmetric state runs plain Noise IKpsk2, with payloads and prologues that WireGuard does not have. */
import { expect, test } from 'vitest';
import { type Bytes, concat, EMPTY, isZero, toHex, utf8 } from '../../../src/base/bytes.ts';
import { privateKey, publicKey } from '../../../src/base/keys.ts';
import { noble } from '../../../src/crypto/noble.ts';
import { SymmetricState } from '../../../src/wg/noise/symmetric-state.ts';
import { fields, hex, list, loadVectors, optional, text } from '../../vectors.ts';

const { cases, protocol } = loadVectors(
  'noise_ikpsk2.json',
  {
    origin: text,
    prologue: hex,
    psk: hex,
    init_static: hex,
    resp_static: hex,
    init_ephemeral: hex,
    resp_ephemeral: hex,
    messages: list(fields({ payload: hex, ciphertext: hex })),
    handshake_hash: optional(hex),
    handshake_hash_derived: optional(hex),
    transport_key_i_to_r: hex,
    transport_key_r_to_i: hex,
  },
  { protocol: text },
);

const pub = (secret: Bytes): Bytes => noble.publicKey(privateKey(secret));
const dh = (secret: Bytes, remote: Bytes): Bytes =>
  noble.dh(privateKey(secret), publicKey(remote)) ?? expect.fail('all zero');

/** → e, es, s, ss, payload */
function writeFirst(noise: SymmetricState, v: (typeof cases)[number], payload: Bytes): Bytes {
  const remote = pub(v.resp_static);
  noise.mixHash(remote);
  noise.mixEphemeral(pub(v.init_ephemeral));
  noise.mixKey(dh(v.init_ephemeral, remote));
  const sealedStatic = noise.sealAndHash(pub(v.init_static));
  noise.mixKey(dh(v.init_static, remote));
  return concat(pub(v.init_ephemeral), sealedStatic, noise.sealAndHash(payload));
}

function readFirst(noise: SymmetricState, v: (typeof cases)[number], message: Bytes): Bytes | undefined {
  noise.mixHash(pub(v.resp_static));
  const ephemeral = message.subarray(0, 32);
  noise.mixEphemeral(ephemeral);
  noise.mixKey(dh(v.resp_static, ephemeral));
  const identity = noise.openAndHash(message.subarray(32, 80)) ?? expect.fail('static');
  noise.mixKey(dh(v.resp_static, identity));
  return noise.openAndHash(message.subarray(80));
}

/** ← e, ee, se, psk, payload */
function writeSecond(noise: SymmetricState, v: (typeof cases)[number], payload: Bytes): Bytes {
  noise.mixEphemeral(pub(v.resp_ephemeral));
  noise.mixKey(dh(v.resp_ephemeral, pub(v.init_ephemeral)));
  noise.mixKey(dh(v.resp_ephemeral, pub(v.init_static)));
  noise.mixKeyAndHash(v.psk);
  return concat(pub(v.resp_ephemeral), noise.sealAndHash(payload));
}

function readSecond(noise: SymmetricState, v: (typeof cases)[number], message: Bytes): Bytes | undefined {
  const ephemeral = message.subarray(0, 32);
  noise.mixEphemeral(ephemeral);
  noise.mixKey(dh(v.init_ephemeral, ephemeral));
  noise.mixKey(dh(v.init_static, ephemeral));
  noise.mixKeyAndHash(v.psk);
  return noise.openAndHash(message.subarray(32));
}

test.each(cases.map((v, i) => [`${v.origin} ${i}`, v] as const))('%s', (_, v) => {
  const [first, second, ...later] = v.messages;
  if (first === undefined || second === undefined) return expect.fail('no handshake');
  const initiator = SymmetricState.start(noble, utf8(protocol), v.prologue);
  const responder = SymmetricState.start(noble, utf8(protocol), v.prologue);

  expect(writeFirst(initiator, v, first.payload)).toEqual(first.ciphertext);
  expect(readFirst(responder, v, first.ciphertext)).toEqual(first.payload);
  expect(writeSecond(responder, v, second.payload)).toEqual(second.ciphertext);
  expect(readSecond(initiator, v, second.ciphertext)).toEqual(second.payload);

  expect(initiator.snapshot()).toEqual(responder.snapshot());
  expect(initiator.snapshot().hash).toEqual(v.handshake_hash ?? v.handshake_hash_derived);
  const keys = responder.split();
  expect(keys).toEqual([v.transport_key_i_to_r, v.transport_key_r_to_i]);
  for (const [i, { payload, ciphertext }] of later.entries()) {
    const key = keys[i % 2] ?? expect.fail();
    expect(noble.seal(key, i >>> 1, 0, EMPTY, payload)).toEqual(ciphertext);
  }
  expect(later.length).toBeGreaterThan(0);
});

const fresh = (): SymmetricState => SymmetricState.start(noble, utf8('a name of at most 32 bytes'), EMPTY);

test('a short protocol name is padded, not hashed (Noise §5.2)', () => {
  expect(toHex(fresh().snapshot().chainingKey)).toBe(toHex(utf8('a name of at most 32 bytes')).padEnd(64, '0'));
});

test('before the first key a field goes in the clear and is hashed', () => {
  const [writer, reader] = [fresh(), fresh()];
  const sealed = writer.sealAndHash(utf8('clear'));
  expect(sealed).toEqual(utf8('clear'));
  expect(reader.openAndHash(sealed)).toEqual(utf8('clear'));
  expect(reader.snapshot()).toEqual(writer.snapshot());
});

test('what does not open leaves the state as it was', () => {
  const noise = fresh();
  noise.mixKey(utf8('secret'));
  const before = noise.snapshot();
  expect(noise.openAndHash(new Uint8Array(20))).toBeUndefined();
  expect(noise.openAndHash(new Uint8Array(3))).toBeUndefined();
  expect(noise.snapshot()).toEqual(before);
});

test('a clone goes its own way, and wiping one leaves the other', () => {
  const noise = fresh();
  noise.mixKey(utf8('secret'));
  const before = noise.snapshot();
  const clone = noise.clone();
  clone.mixKeyAndHash(utf8('psk'));
  expect(noise.snapshot()).toEqual(before);
  const untouched = noise.clone();
  noise.wipe();
  expect(untouched.snapshot()).toEqual(before);
  const { hash, chainingKey, key } = noise.snapshot();
  expect([hash, chainingKey, key ?? EMPTY].every(isZero)).toBe(true);
});
