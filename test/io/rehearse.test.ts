/** Two configurations held against each other by the engine: each fault, several at once, and none. */
import { expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { privateKey, publicKey, ZERO_PSK } from '../../src/base/keys.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { ProbeTarget } from '../../src/io/probe.ts';
import { isResponder, rehearse } from '../../src/io/rehearse.ts';
import { chance, clock } from '../wg/harness.ts';

const key = (fill: number) => privateKey(new Uint8Array(32).fill(fill));
const US = key(1);
const SERVER = key(2);
const STRANGER = key(3);
const PSK = toBase64(new Uint8Array(32).fill(4));
const text = (secret: typeof US): string => toBase64(nodeCrypto.publicKey(secret));

const target: ProbeTarget = {
  secret: US,
  publicKey: publicKey(nodeCrypto.publicKey(SERVER)),
  psk: ZERO_PSK,
  allowedIps: [],
  endpoints: [],
  mtu: 1420,
};

const server = (secret: typeof US, peer: string, more = ''): string =>
  `[Interface]\nPrivateKey = ${toBase64(secret)}\nListenPort = 51820\n[Peer]\nPublicKey = ${peer}\n${more}`;

test.each([
  ['all is well', server(SERVER, text(US)), []],
  ['another key', server(STRANGER, text(US)), ['other-key']],
  ['an unknown peer', server(SERVER, text(STRANGER)), ['unknown-peer']],
  ['both', server(STRANGER, text(STRANGER)), ['other-key', 'unknown-peer']],
  ['a preshared key', server(SERVER, text(US), `PresharedKey = ${PSK}`), ['psk-differs']],
  [
    'a preshared key and another key',
    server(STRANGER, text(US), `PresharedKey = ${PSK}`),
    ['other-key', 'psk-differs'],
  ],
  ['another port', server(SERVER, text(US)).replace('51820', '51821'), ['other-port']],
  ['a port of its choice', server(SERVER, text(US)).replace('51820', '0'), []],
  ['no private key', server(SERVER, text(US)).replace(/PrivateKey.*/, ''), undefined],
])('%s', (_, conf, kinds) => {
  const ports = { crypto: nodeCrypto, random: chance(1) };
  const rehearsal = rehearse(ports, target, parseWgConf(conf).conf, 51820, clock(0));
  expect(rehearsal?.faults.map(({ kind }) => kind)).toEqual(kinds);
  expect(JSON.stringify(rehearsal?.faults) ?? '').not.toContain(PSK);
});

test.each([
  ['its key', server(SERVER, text(STRANGER)), true],
  ['us as a peer', server(STRANGER, text(US)), true],
  ['neither, and asks nobody we know', server(STRANGER, text(STRANGER)), true],
  ['another client of the same responder', server(STRANGER, text(SERVER)), false],
  ['our own', server(US, text(SERVER)), false],
  ['no private key', '[Interface]\n', false],
])('whose file: %s', (_, conf, responder) => {
  expect(isResponder(nodeCrypto, target, parseWgConf(conf).conf)).toBe(responder);
});
