/** The drop corpus: every packet, from the state it wants, through whole devices under all four policies. */
import { describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../src/base/address.ts';
import { EMPTY } from '../../src/base/bytes.ts';
import { type PrivateKey, presharedKey, privateKey, publicKey } from '../../src/base/keys.ts';
import type { Now } from '../../src/base/time.ts';
import { noble } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { DROP_OF_REASON } from '../../src/wg/catalogue.ts';
import { Device } from '../../src/wg/device.ts';
import { encodeData } from '../../src/wg/message/data.ts';
import { decodeMessage } from '../../src/wg/message/decode.ts';
import { LINUX, POLICIES, type Policy, type PolicyName } from '../../src/wg/policy.ts';
import type { Step } from '../../src/wg/step.ts';
import { type CorpusCase, corpus, corpusCases, packetOf } from './corpus.ts';
import { at, chance, indexBytes, ipv4, net, outcome, sends } from './harness.ts';

const { keys } = corpus;
const RESPONDER = publicKey(keys.responder_static_public);
const INITIATOR = publicKey(keys.initiator_static_public);
const PSK = presharedKey(keys.psk);
const TO_RESPONDER = corpus.trace_response.transport_key_initiator_to_responder;
const FROM = at('192.0.2.9:4500');

/**
 * Where the collected expectation is not what the collected figures say: 8129 behind is inside a window of 8192, which
 * gotatun uses to its last bit.
 */
const CORRECTED: Readonly<Record<string, Partial<Record<PolicyName, string>>>> = {
  'data.too_old_8192': { gotatun: 'ACCEPT' },
};

class Subject {
  readonly device: Device;
  readonly #policy: Policy;
  #nowMs = 0;

  constructor(policy: Policy, { at: role }: CorpusCase) {
    this.#policy = policy;
    const responder = role === 'responder';
    const random = chance(1, {
      ephemeral: responder
        ? [keys.responder_ephemeral_private]
        : [keys.initiator_ephemeral_private, keys.initiator_second_ephemeral_private],
      index: responder
        ? [indexBytes(corpus.responder_index)]
        : [indexBytes(corpus.initiator_index), indexBytes(corpus.initiator_index + 1)],
      'cookie-secret': [corpus.cookie.cookie_secret],
      'cookie-nonce': [corpus.cookie.nonce],
    });
    // each backend has the corpus at least once
    this.device = new Device({ crypto: policy.name === 'linux' ? noble : nodeCrypto, random, policy });
    const secret: PrivateKey = privateKey(responder ? keys.responder_static_private : keys.initiator_static_private);
    this.device.handle({ kind: 'configure', change: 'private-key', privateKey: secret }, this.now);
    this.device.handle(
      {
        kind: 'configure',
        change: 'peer',
        publicKey: responder ? INITIATOR : RESPONDER,
        presharedKey: PSK,
        allowedIps: [net(responder ? '10.9.0.2/32' : '0.0.0.0/0')],
        ...(responder ? {} : { endpoint: FROM }),
      },
      this.now,
    );
  }

  /** The wall clock stands, so that TAI64N is the corpus's whatever the base. */
  get now(): Now {
    return { monoMs: this.#nowMs, wall: { sec: corpus.unix_time + 10 - this.#policy.tai64n.base, nsec: 0 } };
  }

  datagram(bytes: Uint8Array, { underLoad, from }: CorpusCase['given']): Step {
    const source = from === undefined ? FROM : (parseEndpoint(from) ?? expect.fail(from));
    const queueDepth = underLoad === true ? 1000 : 0;
    return this.device.handle({ kind: 'datagram', bytes, from: source, queueDepth }, this.now);
  }

  prepare(given: CorpusCase['given']): void {
    for (const [i, id] of (given.sent ?? []).entries()) {
      this.#nowMs = i * 5000;
      const step =
        i === 0
          ? this.device.handle({ kind: 'packet', bytes: ipv4('10.9.0.2', '10.9.0.1') }, this.now)
          : this.device.handle({ kind: 'tick' }, this.now);
      const [sent] = sends(step);
      if (id === 'init.ok') expect(sent?.bytes).toEqual(packetOf(id));
      expect(sent?.message).toBe('initiation');
    }
    if (given.session === 'established') {
      const [response] = sends(this.datagram(packetOf('init.ok'), {} as CorpusCase['given']));
      expect(response?.bytes).toEqual(packetOf('resp.ok'));
    }
    for (const counterLow of given.received ?? []) {
      const sealed = nodeCrypto.seal(TO_RESPONDER, counterLow, 0, EMPTY, EMPTY);
      const bytes = encodeData({ receiver: corpus.responder_index, counterLow, counterHigh: 0, sealed });
      expect(outcome(this.datagram(bytes, given))).toBe('keepalive');
    }
    for (const id of given.after ?? []) {
      expect(this.datagram(packetOf(id), given).verdict.kind).toBe('accepted');
    }
    for (let i = 0; i < (given.bucketUsed ?? 0); i++) this.datagram(packetOf('init.under_load_good_mac2'), given);
    this.#nowMs = given.elapsedMs ?? this.#nowMs;
  }
}

function policyFor(name: PolicyName, { given }: CorpusCase): Policy {
  const policy = POLICIES[name];
  if (given.underLoad !== true || policy.load.kind === 'queue') return policy;
  return { ...policy, load: { ...policy.load, perSecond: 0 } };
}

function run(name: PolicyName, item: CorpusCase): Step {
  const subject = new Subject(policyFor(name, item), item);
  subject.prepare(item.given);
  return subject.datagram(item.packet, item.given);
}

function reached(step: Step): string {
  const what = outcome(step);
  if (step.verdict.kind !== 'accepted') return what;
  return what === 'keepalive' ? 'ACCEPT_KEEPALIVE' : 'ACCEPT';
}

const dropOf = (code: string): string =>
  code in DROP_OF_REASON ? DROP_OF_REASON[code as keyof typeof DROP_OF_REASON] : code;

test('the corpus is whole', () => {
  expect(corpusCases).toHaveLength(60);
  expect(corpusCases.filter(({ packet, length }) => packet.length !== length)).toEqual([]);
});

const names = Object.keys(POLICIES) as PolicyName[];
describe.each(names)('%s', (name) => {
  test.each(corpusCases)('$id', (item) => {
    expect(reached(run(name, item))).toBe(dropOf(CORRECTED[item.id]?.[name] ?? item.wanted[name]));
  });
});

const caseOf = (id: string): CorpusCase => corpusCases.find((item) => item.id === id) ?? expect.fail(id);

test('under load the kernel’s cookie reply is the corpus’s, byte for byte', () => {
  const [reply, ...more] = sends(run('linux', caseOf('init.under_load_no_mac2')));
  expect(more).toEqual([]);
  expect(reply?.message).toBe('cookie-reply');
  expect(reply?.bytes).toEqual(corpus.cookie.cookie_reply);
  expect(reply?.to.text).toBe(corpus.cookie.source);
});

test('facts: which limit, which greatest, whose source', () => {
  const factsOf = (id: string): unknown => {
    const { verdict } = run('linux', caseOf(id));
    return verdict.kind === 'refused' ? verdict.drop : expect.fail(verdict.kind);
  };
  expect(factsOf('init.under_load_no_mac2')).toEqual({
    kind: 'cookie-demanded',
    message: 'initiation',
    mac2: 'absent',
  });
  expect(factsOf('init.under_load_mac2_other_port')).toMatchObject({ mac2: 'wrong' });
  expect(factsOf('init.under_load_6th_in_burst')).toEqual({ kind: 'rate-limited', source: '192.0.2.7:51820' });
  expect(factsOf('init.flood')).toMatchObject({ gapMs: 10 });
  expect(factsOf('data.too_old_8192')).toEqual({ kind: 'counter-too-old', behind: 8129 });
  expect(factsOf('data.key_expired')).toEqual({ kind: 'data-key-expired', ageMs: 180_000 });
  expect(factsOf('data.inner_too_short')).toMatchObject({ expected: 20, actual: 16 });
  expect(factsOf('data.src_not_allowed')).toMatchObject({ source: '192.168.88.10', owner: undefined });
});

test('a variant that unwraps to a case is not read as that case by accident', () => {
  for (const { id, packet } of corpus.variants.filter((variant) => variant.unwraps_to !== null)) {
    expect([id, decodeMessage(packet).ok]).toEqual([id, false]);
  }
});

test('a ping is delivered without its padding, into the room that was given', () => {
  const subject = new Subject(LINUX, caseOf('data.ping'));
  subject.prepare(caseOf('data.ping').given);
  const out = new Uint8Array(128);
  const bytes = packetOf('data.ping').slice();
  const { effects } = subject.device.handle({ kind: 'datagram', bytes, from: FROM, out }, subject.now);
  const [delivered] = effects.filter((effect) => effect.kind === 'deliver');
  expect(delivered?.bytes).toEqual(corpus.inner_ping);
  expect(delivered?.bytes.buffer).toBe(out.buffer);
  const inPlace = packetOf('data.unpadded').slice();
  const again = subject.device.handle({ kind: 'datagram', bytes: inPlace, from: FROM, out: inPlace }, subject.now);
  const [second] = again.effects.filter((effect) => effect.kind === 'deliver');
  expect(second?.bytes).toEqual(corpus.inner_ping);
  expect(second?.bytes.buffer).toBe(inPlace.buffer);
});
