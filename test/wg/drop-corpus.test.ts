/** The drop corpus under the kernel's policy, as far as the pieces reach without a device around them. */
import { describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../src/base/address.ts';
import { type Bytes, equal } from '../../src/base/bytes.ts';
import { type PublicKey, presharedKey, privateKey, publicKey } from '../../src/base/keys.ts';
import type { Result } from '../../src/base/result.ts';
import { noble } from '../../src/crypto/noble.ts';
import { cookieFor, cookieSource, openCookieReply, sealCookieReply } from '../../src/wg/cookie.ts';
import type { Drop, DropKind } from '../../src/wg/drop.ts';
import { cookieKey, mac1Key, stampMacs, verifyMac1, verifyMac2 } from '../../src/wg/mac.ts';
import type { Data } from '../../src/wg/message/data.ts';
import { decodeMessage, type Message } from '../../src/wg/message/decode.ts';
import type { Initiation } from '../../src/wg/message/initiation.ts';
import type { Response } from '../../src/wg/message/response.ts';
import { consumeInitiation, createInitiation, type InitiationCreated } from '../../src/wg/noise/initiation.ts';
import { consumeResponse } from '../../src/wg/noise/response.ts';
import { initiatorKeys, responderKeys } from '../../src/wg/noise/shared.ts';
import { ReplayWindow, refuseCounter } from '../../src/wg/replay.ts';
import { tai64n } from '../../src/wg/tai64n.ts';
import { FRESH_GATE, gateAfter, refuseTimestamp, type TimestampGate } from '../../src/wg/timestamp-gate.ts';
import { openData, sealData } from '../../src/wg/transport.ts';
import { CODE_TO_DROP, type CorpusCase, corpus, corpusCases, packetOf } from './corpus.ts';

/** What needs a device, and why. */
const PENDING: Readonly<Record<string, string>> = {
  'init.under_load_no_mac2': 'load: cookie instead of an answer',
  'init.under_load_good_mac2': 'load: MAC2 lets it through',
  'init.under_load_mac2_other_port': 'load: cookie instead of an answer',
  'init.under_load_6th_in_burst': 'load: token bucket',
  'resp.unknown_index': 'index table',
  'resp.after_retry': 'index table, retries',
  'resp.duplicate': 'index table: handshake became session',
  'cookie.unknown_index': 'index table',
  'cookie.stale_mac1': 'index table, retries',
  'cookie.second': 'state: is a MAC1 outstanding',
  'data.unknown_index': 'index table',
  'data.key_expired': 'age of the session',
  'data.inner_version': 'inner packet',
  'data.inner_too_short': 'inner packet',
  'data.inner_len_beyond': 'inner packet',
  'data.inner_len_below_20': 'inner packet',
  'data.src_not_allowed': 'inner packet, AllowedIPs',
};

type Reached = DropKind | 'ACCEPT' | 'ACCEPT_KEEPALIVE';

const { keys } = corpus;
const RESPONDER = {
  secret: privateKey(keys.responder_static_private),
  publicKey: publicKey(keys.responder_static_public),
};
const INITIATOR = {
  secret: privateKey(keys.initiator_static_private),
  publicKey: publicKey(keys.initiator_static_public),
};
const EPHEMERAL = privateKey(keys.initiator_ephemeral_private);
const KEY = corpus.trace_response.transport_key_initiator_to_responder;
/** REJECT_AFTER_MESSAGES of a 64-bit kernel: 2^64 − 8130 (constants.json). */
const KERNEL_LIMIT = { low: 0xffff_e03e, high: 0xffff_ffff };

function value<T>(result: Result<T, Drop>): T {
  return result.ok ? result.value : expect.fail(result.error.kind);
}

function messageOf<K extends Message['kind']>(id: string, kind: K): Extract<Message, { kind: K }> {
  const message = value(decodeMessage(packetOf(id)));
  return message.kind === kind ? (message as Extract<Message, { kind: K }>) : expect.fail(message.kind);
}

const clientPeer = (identity: PublicKey) =>
  equal(identity, INITIATOR.publicKey) ? { ss: noble.dh(RESPONDER.secret, identity) } : undefined;

function initiationStep(gate: TimestampGate, message: Initiation, nowMs: number): Result<TimestampGate, Drop> {
  if (!verifyMac1(noble, mac1Key(noble, RESPONDER.publicKey), message.bytes))
    return { ok: false, error: { kind: 'mac1-invalid' } };
  const consumed = consumeInitiation(noble, responderKeys(noble, RESPONDER, clientPeer), message);
  if (!consumed.ok) return consumed;
  const { identity, timestamp } = consumed.value;
  const refused = refuseTimestamp(gate, identity, timestamp, nowMs);
  return refused === undefined ? { ok: true, value: gateAfter(timestamp, nowMs) } : { ok: false, error: refused };
}

function atInitiation({ given }: CorpusCase, message: Initiation): Reached {
  let gate = FRESH_GATE;
  for (const id of given.after ?? []) gate = value(initiationStep(gate, messageOf(id, 'initiation'), 0));
  const result = initiationStep(gate, message, given.elapsedMs ?? 0);
  return result.ok ? 'ACCEPT' : result.error.kind;
}

/** init.ok as the initiator itself made it. */
function sent(): InitiationCreated & { readonly mac1: Bytes } {
  const created = value(
    createInitiation(noble, {
      local: INITIATOR,
      remote: RESPONDER.publicKey,
      ephemeral: EPHEMERAL,
      sender: corpus.initiator_index,
      timestamp: tai64n(corpus.tai64n),
    }),
  );
  const mac1 = stampMacs(noble, mac1Key(noble, RESPONDER.publicKey), undefined, created.bytes);
  expect(created.bytes).toEqual(packetOf('init.ok'));
  return { ...created, mac1 };
}

function atResponse(message: Response): Reached {
  if (!verifyMac1(noble, mac1Key(noble, INITIATOR.publicKey), message.bytes)) return 'mac1-invalid';
  const capability = initiatorKeys(noble, INITIATOR.secret, EPHEMERAL);
  const result = consumeResponse(sent(), capability, message, presharedKey(keys.psk));
  return result.ok ? 'ACCEPT' : result.error.kind;
}

function dataStep(window: ReplayWindow, message: Data): Reached {
  const opened = openData(noble, KEY, message);
  if (!opened.ok) return opened.error.kind;
  const { counterLow, counterHigh } = message;
  const verdict = window.accept(counterLow, counterHigh);
  const refused = refuseCounter(verdict, window.behind(counterLow, counterHigh));
  if (refused !== undefined) return refused.kind;
  return opened.value.length === 0 ? 'ACCEPT_KEEPALIVE' : 'ACCEPT';
}

function atData({ given }: CorpusCase, message: Data): Reached {
  const window = new ReplayWindow({ rejectAfter: KERNEL_LIMIT });
  for (const counter of given.received ?? []) window.accept(counter, 0);
  for (const id of given.after ?? []) dataStep(window, messageOf(id, 'data'));
  return dataStep(window, message);
}

function reached(item: CorpusCase): Reached {
  const decoded = decodeMessage(item.packet);
  if (!decoded.ok) return decoded.error.kind;
  const message = decoded.value;
  switch (message.kind) {
    case 'initiation':
      return atInitiation(item, message);
    case 'response':
      return atResponse(message);
    case 'cookie-reply': {
      const opened = openCookieReply(noble, cookieKey(noble, RESPONDER.publicKey), message, sent().mac1);
      return opened.ok ? 'ACCEPT' : opened.error.kind;
    }
    case 'data':
      return atData(item, message);
  }
}

const dropOf = (code: string): string =>
  code in CODE_TO_DROP ? CODE_TO_DROP[code as keyof typeof CODE_TO_DROP] : code;
const ready = corpusCases.filter(({ id }) => !(id in PENDING));

test('every case is either reached here or pending for a reason', () => {
  expect(corpusCases).toHaveLength(60);
  expect(ready).toHaveLength(60 - Object.keys(PENDING).length);
});

test.each(ready)('linux: $id', (item) => {
  expect(item.packet).toHaveLength(item.length);
  expect(reached(item)).toBe(dropOf(item.wanted.linux));
});

describe('the corpus’s own figures', () => {
  test('its cookie, for the kernel’s source form', () => {
    const { cookie_secret, source, source_bytes, cookie_value, nonce, cookie_encryption_key, cookie_reply } =
      corpus.cookie;
    const from = cookieSource(parseEndpoint(source) ?? expect.fail(source));
    expect(from).toEqual(source_bytes);
    const cookie = cookieFor(noble, cookie_secret, from);
    expect(cookie).toEqual(cookie_value);
    const key = cookieKey(noble, RESPONDER.publicKey);
    expect(key).toEqual(cookie_encryption_key);
    const { mac1, sender } = messageOf('init.ok', 'initiation');
    expect(sealCookieReply(noble, { key, receiver: sender, nonce, cookie, mac1 })).toEqual(cookie_reply);
    const retry = messageOf('init.under_load_good_mac2', 'initiation');
    expect(retry.mac2).toEqual(corpus.cookie.mac2_of_init_under_load_good_mac2);
    expect(verifyMac2(noble, cookie, retry.bytes)).toBe(true);
    expect(verifyMac2(noble, cookie, packetOf('init.under_load_mac2_other_port'))).toBe(false);
  });

  test('its data packets are made again byte for byte', () => {
    const plain = new Uint8Array(64);
    plain.set(corpus.inner_ping);
    const seal = (low: number, plaintext: Bytes) =>
      sealData(noble, KEY, corpus.responder_index, { low, high: 0 }, plaintext);
    expect(seal(0, new Uint8Array())).toEqual(packetOf('data.keepalive'));
    expect(seal(1, plain)).toEqual(packetOf('data.ping'));
    expect(seal(8, corpus.inner_ping)).toEqual(packetOf('data.unpadded'));
    expect(value(openData(noble, KEY, messageOf('data.ping', 'data')))).toEqual(plain);
  });

  test('a variant that unwraps to a case is not read as that case by accident', () => {
    for (const { id, packet } of corpus.variants.filter((variant) => variant.unwraps_to !== null)) {
      expect([id, decodeMessage(packet).ok]).toEqual([id, false]);
    }
  });
});
