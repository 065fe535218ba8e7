/** What a running tunnel says of itself: figures, peers, events, ICMP errors. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { publicKey } from '../../src/base/keys.ts';
import { bytesText, changesLine, eventLine, lookUpLine, peerLine, troubleLine } from '../../src/cli/up-text.ts';
import { parseUapiRequest } from '../../src/config/uapi-request.ts';
import type { SocketTrouble } from '../../src/io/linux/icmp-error.ts';
import type { PeerStatus } from '../../src/wg/status.ts';
import type { DeviceEvent } from '../../src/wg/step.ts';
import { at, clock, net } from '../wg/harness.ts';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1268, '1.24 KiB'],
  [1_268_909, '1.21 MiB'],
  [3 * 1024 ** 3, '3.00 GiB'],
  [2.5 * 1024 ** 4, '2.50 TiB'],
  [4000 * 1024 ** 4, '4000.00 TiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test('sizes are within half a percent of what was counted', () => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      const [value = '', unit = ''] = bytesText(bytes).split(' ');
      const read = Number(value) * 1024 ** units.indexOf(unit);
      expect(Math.abs(read - bytes)).toBeLessThanOrEqual(bytes * 0.005);
    }),
  );
});

const PEER: PeerStatus = {
  id: 'AAAA',
  publicKey: publicKey(new Uint8Array(32).fill(1)),
  hasPresharedKey: true,
  endpoint: at('192.0.2.1:51820'),
  allowedIps: [net('10.0.0.2/32'), net('fd00::/64')],
  latestHandshake: undefined,
  receivedBytes: 0,
  sentBytes: 148,
  persistentKeepalive: 0,
  sessions: [],
  staged: 0,
  timers: {},
};

describe('a peer', () => {
  const SHAKEN: Partial<PeerStatus> = { latestHandshake: clock(0).wall };
  const ALLOWED = 'allowed IPs 10.0.0.2/32, fd00::/64';
  test.each<[string, Partial<PeerStatus>, number, string]>([
    ['new', {}, 0, `at 192.0.2.1:51820: no handshake yet; 0 B received, 148 B sent; ${ALLOWED}`],
    [
      'nowhere',
      { endpoint: undefined, allowedIps: [] },
      0,
      'at no known endpoint: no handshake yet; 0 B received, 148 B sent; no allowed IPs',
    ],
    [
      'waiting',
      { staged: 1, persistentKeepalive: 25 },
      0,
      `at 192.0.2.1:51820: no handshake yet; 0 B received, 148 B sent; keepalive every 25 s; 1 packet waiting; ${ALLOWED}`,
    ],
    [
      'busy',
      { staged: 2 },
      0,
      `at 192.0.2.1:51820: no handshake yet; 0 B received, 148 B sent; 2 packets waiting; ${ALLOWED}`,
    ],
    ['fresh', SHAKEN, 0, `at 192.0.2.1:51820: latest handshake 0 s ago; 0 B received, 148 B sent; ${ALLOWED}`],
    [
      'a clock that went back',
      SHAKEN,
      -60,
      `at 192.0.2.1:51820: latest handshake 0 s ago; 0 B received, 148 B sent; ${ALLOWED}`,
    ],
    ['119 s', SHAKEN, 119, `at 192.0.2.1:51820: latest handshake 119 s ago; 0 B received, 148 B sent; ${ALLOWED}`],
    ['180 s', SHAKEN, 180, `at 192.0.2.1:51820: latest handshake 3 min ago; 0 B received, 148 B sent; ${ALLOWED}`],
    [
      'too old',
      SHAKEN,
      181,
      `at 192.0.2.1:51820: latest handshake 3 min ago, so no session now; 0 B received, 148 B sent; ${ALLOWED}`,
    ],
    [
      'very old',
      SHAKEN,
      7300,
      `at 192.0.2.1:51820: latest handshake 2 h ago, so no session now; 0 B received, 148 B sent; ${ALLOWED}`,
    ],
  ])('%s', (_, change, afterSec, wanted) => {
    expect(peerLine('peer A', { ...PEER, ...change }, clock(afterSec * 1000))).toBe(`peer A ${wanted}`);
  });
});

test.each<[DeviceEvent, string | undefined]>([
  [{ what: 'session-derived', role: 'responder', local: 1, remote: 2 }, undefined],
  [{ what: 'handshake-complete', role: 'initiator' }, 'peer A: handshake complete, we began it'],
  [{ what: 'handshake-complete', role: 'responder' }, 'peer A: handshake complete, the other end began it'],
  [{ what: 'handshake-retry', retry: 1 }, undefined],
  [{ what: 'peer-silent' }, 'peer A: nothing came back for 15 s after data was sent: a new handshake begins'],
  [{ what: 'keys-zeroed' }, 'peer A: no handshake for 9 min: all session keys are wiped'],
  [{ what: 'endpoint-learned', from: undefined, to: at('192.0.2.1:1') }, 'peer A is at 192.0.2.1:1'],
  [
    { what: 'endpoint-learned', from: at('192.0.2.1:1'), to: at('[2001:db8::1]:2') },
    'peer A moved from 192.0.2.1:1 to [2001:db8::1]:2',
  ],
])('event $what', (event, wanted) => {
  expect(eventLine('peer A', event)).toBe(wanted);
});

test.each<[string, SocketTrouble, string]>([
  [
    'a router that prohibits it',
    {
      code: 'EHOSTUNREACH',
      icmp: { family: 4, type: 3, code: 13, from: '10.99.1.1' },
      to: at('203.0.113.10:51820'),
    },
    '10.99.1.1 answers ICMP admin prohibited (type 3, code 13), about what went to 203.0.113.10:51820: a firewall refuses it and says so',
  ],
  [
    'a narrow link',
    {
      code: 'EMSGSIZE',
      icmp: { family: 6, type: 2, code: 0, from: '2001:db8::1', mtu: 1280 },
      to: at('[2001:db8::9]:5'),
    },
    '2001:db8::1 answers ICMP fragmentation needed (type 2, code 0, the next hop takes 1280 bytes), about what went to [2001:db8::9]:5: it is larger than a link on the way takes',
  ],
  [
    'this machine',
    { code: 'ENETUNREACH', icmp: undefined, to: undefined },
    'no route: this machine has no way to that network',
  ],
  [
    'a code without words',
    { code: 'errno 4095', icmp: undefined, to: undefined },
    'errno 4095: the system reports errno 4095',
  ],
])('trouble: %s', (_, trouble, wanted) => {
  expect(troubleLine(trouble)).toBe(wanted);
});

describe('what wg changed', () => {
  const A = '41'.repeat(32);
  const PEER_A = `public_key=${A}`;
  const SECRET = '42'.repeat(32);
  const name = (key: string): string => `peer ${key.slice(0, 4)}`;

  function said(...lines: readonly string[]): string {
    const read = parseUapiRequest(`set=1\n${lines.join('\n')}\n`);
    if (!read.ok || read.value.kind !== 'set') return expect.fail('no change');
    return changesLine(read.value.changes, name).replace('changed by wg: ', '');
  }

  test.each<[readonly string[], string]>([
    [[PEER_A, 'remove=true'], 'peer QUFB removed'],
    [[PEER_A], 'peer QUFB added'],
    [[PEER_A, 'endpoint=192.0.2.1:5'], 'peer QUFB set: endpoint 192.0.2.1:5'],
    [[PEER_A, 'replace_allowed_ips=true'], 'peer QUFB set: no allowed IPs'],
    [
      [PEER_A, 'replace_allowed_ips=true', 'allowed_ip=10.0.0.0/8', 'allowed_ip=fd00::/64'],
      'peer QUFB set: allowed IPs 10.0.0.0/8, fd00::/64',
    ],
    [
      [PEER_A, 'allowed_ip=10.0.0.0/8', 'allowed_ip=-11.0.0.0/8'],
      'peer QUFB set: further allowed IPs 10.0.0.0/8, without 11.0.0.0/8',
    ],
    [
      [PEER_A, `preshared_key=${SECRET}`, 'persistent_keepalive_interval=25'],
      'peer QUFB set: preshared key, keepalive every 25 s',
    ],
    [
      [PEER_A, `preshared_key=${'00'.repeat(32)}`, 'persistent_keepalive_interval=0'],
      'peer QUFB set: no preshared key, no keepalive',
    ],
    [[`private_key=${SECRET}`, 'listen_port=7', 'fwmark=9'], 'private key set; UDP port 7; fwmark 9'],
    [
      [`private_key=${'00'.repeat(32)}`, 'listen_port=0', 'fwmark=0'],
      'no private key any more; UDP port as it comes; no fwmark',
    ],
    [
      [
        'replace_peers=true',
        ...Array<string>(9)
          .fill(PEER_A)
          .map((line) => `${line}\nendpoint=192.0.2.1:5`),
      ],
      `all peers replaced; ${'peer QUFB set: endpoint 192.0.2.1:5; '.repeat(5)}4 more`,
    ],
  ])('%j', (lines, wanted) => {
    expect(said(...lines)).toBe(wanted);
    expect(said(...lines)).not.toContain('QkJC');
  });
});

test('a name that was looked up again', () => {
  const host = 'vpn.example';
  const to = at('192.0.2.1:5');
  expect(lookUpLine('peer A', { kind: 'found', host, from: at('192.0.2.9:5'), to })).toBe(
    'peer A: vpn.example is 192.0.2.1:5 now, and was 192.0.2.9:5',
  );
  expect(lookUpLine('peer A', { kind: 'found', host, from: undefined, to })).toBe(
    'peer A: vpn.example is 192.0.2.1:5 now',
  );
  expect(lookUpLine('peer A', { kind: 'unresolved', host, code: 'EAI_AGAIN' })).toBe(
    'vpn.example cannot be looked up (EAI_AGAIN): peer A is tried again when there is something to send',
  );
});
