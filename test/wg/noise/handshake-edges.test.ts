/** Handshake refusals and what must hold with any keys and any bytes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, equal } from '../../../src/base/bytes.ts';
import { type PublicKey, presharedKey, privateKey, publicKey, ZERO_PSK } from '../../../src/base/keys.ts';
import { noble } from '../../../src/crypto/noble.ts';
import { consumeInitiation, createInitiation } from '../../../src/wg/noise/initiation.ts';
import { consumeResponse, createResponse, prepareResponse } from '../../../src/wg/noise/response.ts';
import { initiatorKeys, observedInitiationKeys, responderKeys, sharedBy } from '../../../src/wg/noise/shared.ts';
import { tai64n } from '../../../src/wg/tai64n.ts';
import { corpus, packetOf } from '../corpus.ts';
import { clientPeer, EPHEMERAL, flip, initiationOf, LOCAL, REMOTE, responseOf, value } from './parties.ts';

const { keys } = corpus;
const INITIATION = packetOf('init.ok');
const RESPONSE = packetOf('resp.ok');
const LOW_ORDER = publicKey(new Uint8Array(32));
const weak = (token: string) => ({ ok: false, error: { kind: 'weak-shared-secret', token } });

describe('weak shared secrets, each token', () => {
  const timestamp = tai64n(corpus.tai64n);
  const base = { local: LOCAL, remote: REMOTE.publicKey, ephemeral: EPHEMERAL, sender: 1, timestamp };
  const consumed = () => {
    return value(consumeInitiation(noble, responderKeys(noble, REMOTE, clientPeer), initiationOf(INITIATION)));
  };

  test('making and reading an initiation', () => {
    expect(createInitiation(noble, { ...base, remote: LOW_ORDER })).toEqual(weak('es'));
    const noPeer = () => expect.fail('must not be asked');
    const zero = initiationOf(packetOf('init.zero_ephemeral'));
    expect(consumeInitiation(noble, responderKeys(noble, REMOTE, noPeer), zero)).toEqual(weak('es'));
    const weakPeer = () => ({ ss: undefined });
    const good = initiationOf(INITIATION);
    expect(consumeInitiation(noble, responderKeys(noble, REMOTE, weakPeer), good)).toEqual(weak('ss'));
  });

  test('making a response', () => {
    const input = { sender: 2, ephemeral: privateKey(keys.responder_ephemeral_private), psk: ZERO_PSK };
    expect(createResponse(noble, { ...consumed(), ephemeral: LOW_ORDER }, input)).toEqual(weak('ee'));
    expect(createResponse(noble, { ...consumed(), identity: LOW_ORDER }, input)).toEqual(weak('se'));
  });

  test('reading a response', () => {
    const message = responseOf(RESPONSE);
    const some = new Uint8Array(32).fill(1);
    const given = (ee: Bytes | undefined | 'missing', se: Bytes | undefined | 'missing') =>
      prepareResponse(consumed(), { ee: () => ee, se: () => se }, message);
    expect(given(undefined, undefined)).toEqual(weak('ee'));
    expect(given(some, undefined)).toEqual(weak('se'));
    expect(given('missing', undefined)).toEqual(weak('se'));
    expect(given('missing', some)).toEqual({ ok: true, value: { kind: 'undecided', missing: ['ee'] } });
  });

  test('a passive reader without keys sees a low-order ephemeral', () => {
    const blind = observedInitiationKeys(
      sharedBy(noble, () => undefined),
      REMOTE.publicKey,
    );
    expect(consumeInitiation(noble, blind, initiationOf(packetOf('init.zero_ephemeral')))).toEqual(weak('es'));
  });
});

test('a ready ss is used as it is', () => {
  const input = {
    local: LOCAL,
    remote: REMOTE.publicKey,
    ephemeral: EPHEMERAL,
    sender: 1,
    timestamp: tai64n(corpus.tai64n),
  };
  const ss = noble.dh(LOCAL.secret, REMOTE.publicKey) ?? expect.fail();
  expect(value(createInitiation(noble, { ...input, ss })).bytes).toEqual(value(createInitiation(noble, input)).bytes);
});

test('a peer the responder does not have is named; one it has is refused by any altered byte of the sealed fields', () => {
  const isClient = (identity: PublicKey) => equal(identity, LOCAL.publicKey);
  const between = sharedBy(noble, (key) => (equal(key, REMOTE.publicKey) ? REMOTE.secret : undefined));
  const keys = observedInitiationKeys(between, REMOTE.publicKey, isClient);
  const strangers = consumeInitiation(noble, keys, initiationOf(packetOf('init.unknown_peer')));
  expect(strangers).toEqual({ ok: false, error: { kind: 'unknown-peer', identity: corpus.keys.stranger_public } });
  for (const at of [40, 87]) {
    const result = consumeInitiation(noble, keys, initiationOf(flip(INITIATION, at)));
    expect(result).toEqual({ ok: false, error: { kind: 'static-unsealable' } });
  }
  for (const at of [88, 115]) {
    const result = consumeInitiation(noble, keys, initiationOf(flip(INITIATION, at)));
    expect(result).toEqual({ ok: false, error: { kind: 'timestamp-unsealable', identity: LOCAL.publicKey } });
  }
});

test('nothing that is kept refers to the message’s buffer', () => {
  const bytes = INITIATION.slice();
  const consumed = value(consumeInitiation(noble, responderKeys(noble, REMOTE, clientPeer), initiationOf(bytes)));
  const ephemeral = consumed.ephemeral.slice();
  bytes.fill(0);
  expect(consumed.ephemeral).toEqual(ephemeral);
  expect(consumed.identity).toEqual(LOCAL.publicKey);
});

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('two parties with any keys agree, and a third key does not', () => {
  fc.assert(
    fc.property(bytes32, bytes32, bytes32, bytes32, bytes32, (si, sr, ei, er, psk) => {
      const pair = (secret: Bytes) => ({ secret: privateKey(secret), publicKey: noble.publicKey(privateKey(secret)) });
      const [local, remote] = [pair(si), pair(sr)];
      const input = {
        local,
        remote: remote.publicKey,
        ephemeral: privateKey(ei),
        sender: 7,
        timestamp: tai64n(corpus.tai64n),
      };
      const created = value(createInitiation(noble, input));
      const peer = (identity: PublicKey) => ({ ss: noble.dh(remote.secret, identity) });
      const consumed = value(consumeInitiation(noble, responderKeys(noble, remote, peer), initiationOf(created.bytes)));
      expect(consumed.identity).toEqual(local.publicKey);
      const answer = value(
        createResponse(noble, consumed, { sender: 9, ephemeral: privateKey(er), psk: presharedKey(psk) }),
      );
      const response = responseOf(answer.bytes);
      expect([response.sender, response.receiver]).toEqual([9, 7]);
      const keys = initiatorKeys(noble, local.secret, privateKey(ei));
      expect(value(consumeResponse(created, keys, response, presharedKey(psk)))).toEqual(answer.keys);
      const others = initiatorKeys(noble, privateKey(flip(si, 1)), privateKey(ei));
      expect(consumeResponse(created, others, response, presharedKey(psk)).ok).toBe(false);
    }),
    { numRuns: 15 },
  );
});

test('no bytes make a reader throw', () => {
  const transcript = value(
    consumeInitiation(noble, responderKeys(noble, REMOTE, clientPeer), initiationOf(INITIATION)),
  );
  const capability = initiatorKeys(noble, LOCAL.secret, EPHEMERAL);
  const noise = fc.uint8Array({ minLength: 148, maxLength: 148 });
  fc.assert(
    fc.property(noise, fc.constantFrom(0x00, 0x01, 0xff, undefined), (bytes, ephemeralByte) => {
      if (ephemeralByte !== undefined) bytes.fill(ephemeralByte, 8, 44);
      expect(consumeInitiation(noble, responderKeys(noble, REMOTE, clientPeer), initiationOf(bytes)).ok).toBe(false);
      expect(consumeResponse(transcript, capability, responseOf(bytes.slice(0, 92)), ZERO_PSK).ok).toBe(false);
    }),
    { numRuns: 40 },
  );
});

test('making and reading a response leaves the transcript as it was', () => {
  const consumed = value(consumeInitiation(noble, responderKeys(noble, REMOTE, clientPeer), initiationOf(INITIATION)));
  const before = consumed.noise.snapshot();
  value(
    createResponse(noble, consumed, {
      sender: 2,
      ephemeral: privateKey(corpus.keys.responder_ephemeral_private),
      psk: ZERO_PSK,
    }),
  );
  expect(consumed.noise.snapshot()).toEqual(before);
  const capability = initiatorKeys(noble, LOCAL.secret, EPHEMERAL);
  const response = responseOf(RESPONSE);
  expect(consumeResponse(consumed, capability, response, ZERO_PSK).ok).toBe(false);
  expect(consumeResponse(consumed, capability, response, presharedKey(corpus.keys.psk)).ok).toBe(true);
  expect(consumed.noise.snapshot()).toEqual(before);
});
