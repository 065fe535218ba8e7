/** Each kind of Drop, produced by a device: none is missing here, and the table has no kind that none produces. */
import { expect, test } from 'vitest';
import { type Bytes, EMPTY, fromHex, u32le } from '../../src/base/bytes.ts';
import { presharedKey, privateKey, publicKey } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { FINDING_OF_DROP } from '../../src/wg/catalogue.ts';
import type { Drop, DropKind } from '../../src/wg/drop.ts';
import { mac1Key, stampMacs } from '../../src/wg/mac.ts';
import { encodeCookieReply } from '../../src/wg/message/cookie-reply.ts';
import { encodeData } from '../../src/wg/message/data.ts';
import { createInitiation } from '../../src/wg/noise/initiation.ts';
import { BORINGTUN, LINUX, type Policy, WIREGUARD_GO } from '../../src/wg/policy.ts';
import type { Step } from '../../src/wg/step.ts';
import { tai64n } from '../../src/wg/tai64n.ts';
import { at, drops, INNER_A, INNER_B, ipv4, Link, net, onlySend, Party, pair, SECRET_A, SECRET_B } from './harness.ts';

const TO_B = ipv4(INNER_A, INNER_B);
const STRANGER = at('203.0.113.5:5');
const ZERO_KEY = publicKey(new Uint8Array(32));

const linkOf = (policy: Policy = LINUX): Link => new Link(pair({ a: { policy }, b: { policy } }));

/** A link whose a has sent an initiation that is still on its way. */
function begun(policy?: Policy): { readonly link: Link; readonly initiation: Bytes } {
  const link = linkOf(policy);
  return { link, initiation: onlySend(link.send('a', TO_B)).bytes.slice() };
}

function established(policy?: Policy): Link {
  const { link } = begun(policy);
  link.runTo(40);
  return link;
}

const set =
  (index: number, value: number) =>
  (bytes: Bytes): Bytes => {
    bytes[index] = value;
    return bytes;
  };

interface Forged {
  readonly secret?: typeof SECRET_A;
  readonly claims?: typeof ZERO_KEY;
  readonly change?: (bytes: Bytes) => void;
  readonly ephemeral?: number;
}

/** An initiation to b with a right MAC1, made by hand. */
function forge({ secret = SECRET_A, claims, change, ephemeral = 0x60 }: Forged): Bytes {
  const remote = nodeCrypto.publicKey(SECRET_B);
  const created = createInitiation(nodeCrypto, {
    local: { secret, publicKey: claims ?? nodeCrypto.publicKey(secret) },
    remote,
    ephemeral: privateKey(new Uint8Array(32).fill(ephemeral)),
    sender: 9,
    timestamp: tai64n(fromHex('400000006553f10a00000000')),
    ...(claims === undefined ? {} : { ss: new Uint8Array(32) }),
  });
  if (!created.ok) return expect.fail(created.error.kind);
  const { bytes } = created.value;
  change?.(bytes);
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, remote), undefined, bytes);
  return bytes;
}

const toB = (bytes: Bytes): Step => linkOf().b.datagram(bytes, STRANGER, 0);

function refusal({ verdict, effects }: Step): Drop {
  if (verdict.kind === 'refused') return verdict.drop;
  const [first] = drops({ effects });
  return first ?? expect.fail(verdict.kind);
}

/** Plaintext under a's own key, as a would never send it. */
function inner(plain: Bytes): Step {
  const keys: Bytes[] = [];
  const aeadKey: typeof nodeCrypto.aeadKey = (key) => {
    keys.push(key.slice());
    return nodeCrypto.aeadKey(key);
  };
  const link = new Link(pair({ a: { crypto: { ...nodeCrypto, aeadKey } } }));
  link.send('a', TO_B);
  link.runTo(40);
  const [sending] = keys;
  const receiver = link.a.status().sessions[0]?.remote;
  if (sending === undefined || receiver === undefined) return expect.fail('no session');
  const bytes = encodeData({
    receiver,
    counterLow: 7,
    counterHigh: 0,
    sealed: nodeCrypto.seal(sending, 7, 0, EMPTY, plain),
  });
  return link.b.datagram(bytes, link.a.address, 50);
}

/** The last message of this kind that was seen. */
const last = (link: Link, message: string): Bytes =>
  link.seen.filter((seen) => seen.message === message).at(-1)?.bytes ?? expect.fail(message);

/** A second message to a receiver that lets a session have one. */
function beyondTheFirst(policy: Policy): Step {
  const link = new Link(pair({ b: { policy: { ...policy, rejectAfterMessages: { low: 1, high: 0 } } } }));
  link.send('a', TO_B);
  link.runTo(40);
  return link.b.datagram(onlySend(link.send('a', TO_B)).bytes, STRANGER, 50);
}

const waysTo: Readonly<Record<DropKind, () => Step>> = {
  'too-short': () => toB(new Uint8Array(3)),
  'unknown-type': () => toB(new Uint8Array(32).fill(9)),
  'reserved-nonzero': () => toB(set(2, 1)(begun().initiation)),
  'length-mismatch': () => toB(begun().initiation.subarray(1).fill(1, 0, 1).fill(0, 1, 4)),
  'handshake-queue-full': () => linkOf().b.datagram(begun().initiation, STRANGER, 0, 4096),
  'no-private-key': () => {
    const { link, initiation } = begun();
    link.b.handle({ kind: 'configure', change: 'private-key', privateKey: undefined }, 0);
    return link.b.datagram(initiation, STRANGER, 0);
  },
  'mac1-invalid': () => toB(set(50, 1)(begun().initiation)),
  'cookie-demanded': () => linkOf().b.datagram(begun().initiation, STRANGER, 0, 600),
  'rate-limited': () => {
    const { link, initiation } = begun();
    const reply = onlySend(link.b.datagram(initiation, link.a.address, 0, 600));
    link.a.datagram(reply.bytes, link.b.address, 0);
    const { bytes } = onlySend(link.a.tick(5000));
    for (let i = 0; i < 5; i++) link.b.datagram(bytes, link.a.address, 5000, 600);
    return link.b.datagram(bytes, link.a.address, 5000, 600);
  },
  'weak-shared-secret': () => toB(forge({ change: (bytes) => bytes.fill(0, 8, 40) })),
  'static-unsealable': () => toB(forge({ change: set(41, 0) })),
  'unknown-peer': () => toB(forge({ secret: privateKey(new Uint8Array(32).fill(0x58)) })),
  'timestamp-unsealable': () => toB(forge({ change: set(90, 0) })),
  'timestamp-replayed': () => {
    const { link, initiation } = begun();
    link.runTo(15);
    return link.b.datagram(initiation, STRANGER, 1000);
  },
  'initiation-flood': () => {
    const { link } = begun();
    link.runTo(15);
    const newer = new Party({ secret: SECRET_A, address: STRANGER });
    newer.peer({ publicKey: link.b.publicKey, endpoint: STRANGER, allowedIps: [net('0.0.0.0/0')] });
    return link.b.datagram(onlySend(newer.packet(TO_B, 6000)).bytes, STRANGER, 20);
  },
  'response-unknown-index': () => {
    const link = established();
    return link.a.datagram(last(link, 'response'), STRANGER, 50);
  },
  'response-wrong-state': () => {
    const link = established(BORINGTUN);
    return link.a.datagram(last(link, 'response'), STRANGER, 50);
  },
  'empty-unsealable': () => {
    const { link } = begun();
    link.b.peer({ publicKey: link.a.publicKey, presharedKey: presharedKey(new Uint8Array(32).fill(1)) });
    link.runTo(15);
    return link.a.datagram(last(link, 'response'), STRANGER, 20);
  },
  'cookie-unknown-index': () => toB(cookieReply(1)),
  'cookie-without-mac1': () => {
    const { link, initiation } = begun();
    const { bytes } = onlySend(link.b.datagram(initiation, link.a.address, 0, 600));
    link.a.datagram(bytes, STRANGER, 1);
    return link.a.datagram(bytes, STRANGER, 2);
  },
  'cookie-unsealable': () => {
    const { link, initiation } = begun();
    return link.a.datagram(cookieReply(u32le(initiation, 4)), STRANGER, 0);
  },
  'data-unknown-index': () => toB(set(0, 4)(new Uint8Array(32))),
  'data-queue-full': () => {
    const link = established();
    return link.b.datagram(onlySend(link.send('a', TO_B)).bytes, STRANGER, 50, 1024);
  },
  'data-unsealable': () => {
    const link = established();
    return link.b.datagram(set(20, 0)(onlySend(link.send('a', TO_B)).bytes.slice()), STRANGER, 50);
  },
  'data-key-expired': () => {
    const link = established();
    return link.b.datagram(onlySend(link.send('a', TO_B)).bytes, STRANGER, 180_011);
  },
  'data-key-spent': () => beyondTheFirst(LINUX),
  'counter-exhausted': () => beyondTheFirst(WIREGUARD_GO),
  'counter-replayed': () => {
    const link = established();
    return link.b.datagram(last(link, 'data'), STRANGER, 50);
  },
  'counter-too-old': () => {
    const link = established({ ...LINUX, windowBits: 1 });
    const old = onlySend(link.a.packet(TO_B, 40)).bytes;
    for (let i = 0; i < 2; i++) link.b.datagram(onlySend(link.a.packet(TO_B, 40)).bytes, STRANGER, 50);
    return link.b.datagram(old, STRANGER, 50);
  },
  'inner-too-short': () => inner(new Uint8Array(19).fill(0x45)),
  'inner-version': () => inner(new Uint8Array(64)),
  'inner-length': () => inner(TO_B.subarray(0, 32)),
  'source-not-allowed': () => inner(ipv4('10.0.0.77', INNER_B)),
  'not-ip': () => linkOf().a.packet(new Uint8Array(60), 0),
  'no-allowed-ip': () => linkOf().a.packet(ipv4(INNER_A, '192.0.2.200'), 0),
  'no-endpoint': () => linkOf().b.packet(ipv4(INNER_B, INNER_A), 0),
  'staged-overflow': () => {
    const { link } = begun({ ...LINUX, staged: { limit: 1, drops: 'newest' } });
    return link.a.packet(TO_B, 0);
  },
  'handshake-suppressed': () => begun().link.a.packet(TO_B, 4999),
  'handshake-gave-up': () => {
    const { link } = begun({ ...LINUX, giveUp: { by: 'retries', retries: 0 } });
    return link.a.tick(5000);
  },
  'socket-error': () =>
    linkOf().a.handle({ kind: 'socket-error', peer: undefined, to: STRANGER, error: 'EHOSTUNREACH' }, 0),
  'peer-is-self': () => {
    const { a } = linkOf();
    return a.peer({ publicKey: a.publicKey });
  },
};

function cookieReply(receiver: number): Bytes {
  return encodeCookieReply({ receiver, nonce: new Uint8Array(24), sealedCookie: new Uint8Array(32) });
}

const kinds = Object.keys(FINDING_OF_DROP) as DropKind[];

test.each(kinds)('%s', (kind) => {
  expect(refusal(waysTo[kind]()).kind).toBe(kind);
});

test('no other kind is counted, and each is counted once', () => {
  const { a } = linkOf();
  a.packet(new Uint8Array(60), 0);
  a.packet(new Uint8Array(), 0);
  a.datagram(new Uint8Array(), STRANGER, 0);
  expect(a.device.drops()).toEqual(
    new Map([
      ['not-ip', 2],
      ['too-short', 1],
    ]),
  );
});

test('a refusal of something that waited is an effect, and counted too', () => {
  const { link } = begun({ ...LINUX, staged: { limit: 1, drops: 'oldest' } });
  const step = link.a.packet(TO_B, 0);
  expect(step.verdict.kind).toBe('accepted');
  expect(drops(step).map(({ kind }) => kind)).toEqual(['staged-overflow', 'handshake-suppressed']);
  expect(link.a.device.drops().get('staged-overflow')).toBe(1);
});

test('each DH is looked at: es, ss of a peer whose key is no point, ee and se of a response', () => {
  const tokenOf = (step: Step): unknown => {
    const drop = refusal(step);
    return drop.kind === 'weak-shared-secret' ? drop.token : drop.kind;
  };
  const { b } = linkOf();
  b.peer({ publicKey: ZERO_KEY });
  expect(tokenOf(b.datagram(forge({ claims: ZERO_KEY }), STRANGER, 0))).toBe('ss');
  expect(tokenOf(waysTo['weak-shared-secret']())).toBe('es');
  const { link } = begun();
  link.runTo(15);
  const response = last(link, 'response').slice();
  response.fill(0, 12, 44);
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, link.a.publicKey), undefined, response);
  expect(tokenOf(link.a.datagram(response, STRANGER, 16))).toBe('ee');
  const sending = b.peer({ publicKey: ZERO_KEY, endpoint: STRANGER, persistentKeepalive: 1 });
  expect(tokenOf(sending)).toBe('ss');
});
