/** Rules on what a capture is: what they say of made captures, and that they keep quiet where nothing is wrong. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import type { CaptureDamage } from '../../src/capture/frame.ts';
import { pcapFile } from '../../src/capture/write-pcap.ts';
import { captureDamaged } from '../../src/diagnose/rules/capture-damaged.ts';
import { captureOneSided } from '../../src/diagnose/rules/capture-one-sided.ts';
import { captureTruncated } from '../../src/diagnose/rules/capture-truncated.ts';
import { duplicateFrames } from '../../src/diagnose/rules/duplicate-frames.ts';
import { handshakeNotCaptured } from '../../src/diagnose/rules/handshake-not-captured.ts';
import { initiationNeverArrives } from '../../src/diagnose/rules/initiation-never-arrives.ts';
import { keyMissing } from '../../src/diagnose/rules/key-missing.ts';
import { malformedMessage } from '../../src/diagnose/rules/malformed-message.ts';
import { notWireguard } from '../../src/diagnose/rules/not-wireguard.ts';
import { obfuscated } from '../../src/diagnose/rules/obfuscated.ts';
import { bytes } from '../packet/build.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { CLIENT, FOURTH, fittingFiles, OTHER, SERVER } from './keys.ts';
import {
  back,
  CLIENT_END,
  capture,
  data,
  initiation,
  NAT_END,
  SERVER_END,
  type Sent,
  STUN,
  talk,
  there,
} from './traffic.ts';
import { findingsOf, type Given, ruleNames, said } from './world.ts';

const RULES = [
  captureTruncated,
  captureDamaged,
  captureOneSided,
  duplicateFrames,
  handshakeNotCaptured,
  keyMissing,
  notWireguard,
  obfuscated,
  malformedMessage,
  initiationNeverArrives,
];

const KEYS = { responder: SERVER.public, initiator: CLIENT.public };
const confs = fittingFiles();
const ofServer = { 'server.conf': confs['server.conf'] ?? '' };

/** With both files, so that no key is missing. */
const captured = (packets: readonly Sent[], more: Given = {}): Given => ({
  confs,
  captures: { a: capture(packets) },
  ...more,
});

const retries = (size: number): Sent[] =>
  [0, 5.1, 10.3].map((at) => there(at, concat(initiation(at + 1, SERVER.public), new Uint8Array(size - 148))));

const QUIET: readonly (readonly [string, Given])[] = [
  ['a tunnel that works', captured(talk(0, KEYS))],
  ['nothing at all', {}],
  [
    'an unanswered initiation with both files',
    captured([0, 5.1, 10.2].map((at) => there(at, initiation(at, SERVER.public)))),
  ],
  [
    'an initiation made for a wrong key, to the port of a file',
    captured([there(0, initiation(1, OTHER.public)), there(9, initiation(2, OTHER.public))]),
  ],
  ['an initiation cut by the capture, with files', { confs, captures: {} }],
  ['one client of several that talks', captured(talk(0, KEYS), { at: { a: 'responder' } })],
  [
    'a capture without frames that nobody placed, and files of both ends that dial',
    { captures: { a: capture([]), b: capture([]) }, confs },
  ],
  ['a capture without frames at the initiator', { captures: { a: capture([]) }, confs, at: { a: 'initiator' } }],
  [
    'STUN far from the tunnel',
    captured([
      ...talk(0, KEYS),
      { at: 3, from: { ip: [192, 0, 2, 7], port: 3478 }, to: { ip: [192, 0, 2, 8], port: 9 }, payload: STUN },
    ]),
  ],
  [
    'something else that begins like an initiation, elsewhere',
    captured([
      ...talk(0, KEYS),
      {
        at: 3,
        from: { ip: [192, 0, 2, 7], port: 4000 },
        to: { ip: [192, 0, 2, 8], port: 4001 },
        payload: initiation(1).subarray(0, 60),
      },
    ]),
  ],
];

test.each(QUIET)('nothing is said of %s', async (_, given) => {
  expect(said(await findingsOf(RULES, given))).toEqual([]);
});

const LOUD: readonly (readonly [string, Given, readonly string[]])[] = [
  [
    'handshakes that are cut',
    captured(talk(0, KEYS).map((packet) => ({ ...packet, kept: 82 }))),
    [
      'warning capture-truncated: 2 handshake messages were cut short by the capture: nothing cryptographic can be said of them',
    ],
  ],
  [
    'handshakes that are cut, and no files: a key would not help',
    captured(
      talk(0, KEYS).map((packet) => ({ ...packet, kept: 82 })),
      { confs: {} },
    ),
    [
      'warning capture-truncated: 2 handshake messages were cut short by the capture: nothing cryptographic can be said of them',
    ],
  ],
  [
    'only data that is cut',
    captured(talk(0, KEYS).map((packet, i) => (i < 2 ? packet : { ...packet, kept: 82 }))),
    ['info capture-truncated: 4 data packets were cut short by the capture: they cannot be opened'],
  ],
  [
    'frames cut before their UDP header',
    captured(talk(0, KEYS).map((packet) => ({ ...packet, kept: 16 }))),
    ['warning capture-truncated: 6 frames were cut before their UDP header: no WireGuard can be seen in this capture'],
  ],
  [
    'data of a session from before',
    captured([there(0, data(0x22, 700)), back(0.02, data(0x11, 650)), there(1, data(0x22, 701))]),
    [
      'info handshake-not-captured: 3 data packets belong to 0x00000022, 0x00000011, whose handshake is not in the capture',
    ],
  ],
  [
    'one direction of a handshake',
    captured(
      talk(5, KEYS).filter(({ from }) => from === CLIENT_END),
      {
        captures: {
          a: capture(
            [there(0, initiation(9, SERVER.public)), ...talk(5, KEYS)].filter(({ from }) => from === CLIENT_END),
          ),
        },
      },
    ),
    [
      'info capture-one-sided: only packets from 10.99.1.2:51821 to 203.0.113.10:51820 are in the capture, none of the other direction, which there must be: data begins at counter 0 for index 0x00000022, which only the other end can have named',
    ],
  ],
  [
    'responses without initiations',
    captured([back(0, data(0x77, 900)), ...talk(5, KEYS)].filter(({ from }) => from === SERVER_END)),
    [
      'info capture-one-sided: only packets from 203.0.113.10:51820 to 10.99.1.2:51821 are in the capture, none of the other direction, which there must be: it answers initiation 0x00000011, which is not here',
    ],
  ],
  [
    'data that goes on one way for half a minute without a new handshake',
    captured(Array.from({ length: 31 }, (_, i) => there(i, data(0x22, 700 + i)))),
    [
      'info capture-one-sided: only packets from 10.99.1.2:51821 to 203.0.113.10:51820 are in the capture, none of the other direction, which there must be: it goes on for 30 s without a new handshake, so it hears the other end',
    ],
  ],
  [
    'keepalives one way, from the middle of a session: nothing need come back',
    captured([0, 25, 50, 75].map((at, i) => there(at, data(0x22, 3 + i, 32)))),
    ['info handshake-not-captured: 4 data packets belong to 0x00000022, whose handshake is not in the capture'],
  ],
  [
    'both sides of a NAT',
    captured(
      talk(0, KEYS).flatMap((packet) => [
        packet,
        {
          ...packet,
          at: packet.at + 0.0004,
          ttl: 63,
          from: packet.from === CLIENT_END ? NAT_END : packet.from,
          to: packet.to === CLIENT_END ? NAT_END : packet.to,
        },
      ]),
    ),
    [
      'info duplicate-frames: 6 frames show a datagram again that was captured before: each is counted once; 203.0.113.1:51821 is 10.99.1.2:51821 behind a NAT',
    ],
  ],
  [
    'each datagram twice on a bridge',
    captured(talk(0, KEYS).flatMap((packet) => [packet, { ...packet, at: packet.at + 0.0001 }])),
    ['info duplicate-frames: 6 frames show a datagram again that was captured before: each is counted once'],
  ],
  [
    'no keys',
    captured(talk(0, KEYS), { confs: {} }),
    ['info key-missing: no key was handed over: of 2 handshake messages only shape and timing can be judged'],
  ],
  [
    'no keys, seen in two captures',
    { captures: { a: capture(talk(0, KEYS)), b: capture(talk(0.01, KEYS)) } },
    ['info key-missing: no key was handed over: of 2 handshake messages only shape and timing can be judged'],
  ],
  [
    'files of some other tunnel',
    captured(talk(0, { responder: OTHER.public, initiator: FOURTH.public })),
    [
      'info key-missing: client.conf, server.conf and this traffic do not belong together: no MAC1 of 2 handshake messages is for a key that is here',
    ],
  ],
  [
    'files of some other tunnel, and no answer at another port',
    captured([
      { at: 0, from: CLIENT_END, to: { ip: [192, 0, 2, 9], port: 4500 }, payload: initiation(1, OTHER.public) },
    ]),
    [
      'info key-missing: client.conf, server.conf and this traffic do not belong together: no MAC1 of 1 handshake message is for a key that is here',
    ],
  ],
  [
    'STUN on the WireGuard port',
    captured([...talk(0, KEYS), { at: 3, from: { ip: [192, 0, 2, 7], port: 3478 }, to: SERVER_END, payload: STUN }]),
    ['info not-wireguard: beside WireGuard there is STUN: 1 datagram, 192.0.2.7:3478 → 203.0.113.10:51820'],
  ],
  [
    'no WireGuard at all',
    captured([{ at: 0, from: CLIENT_END, to: SERVER_END, payload: STUN }], { at: { a: 'initiator' } }),
    [
      'info not-wireguard: there is no WireGuard in this capture of 1 frame: STUN: 1 datagram, 10.99.1.2:51821 → 203.0.113.10:51820',
    ],
  ],
  [
    'a link type that is not read',
    { confs, captures: { a: capture(talk(0, KEYS), 105) } },
    [
      'info not-wireguard: there is no WireGuard in this capture of 6 frames: 6 frames of link type IEEE802_11, which are not read',
    ],
  ],
  [
    'reserved bytes in use',
    captured(
      [0, 5.1].map((at) =>
        there(
          at,
          initiation(at, SERVER.public).map((b, i) => (i === 2 ? 0x5a : b)),
        ),
      ),
    ),
    [
      'info obfuscated: 2 datagrams of an extended WireGuard: Cloudflare WARP (client id in the reserved bytes), unwrapped and judged as plain messages; client id = AFoA (0, 90, 0)',
    ],
  ],
  [
    'initiations that are all too long',
    captured(retries(190)),
    [
      'error malformed-message: 3 messages from 10.99.1.2:51821 to 203.0.113.10:51820 claim to be an initiation and have 190 bytes instead of 148: the receiver drops them unread',
    ],
  ],
  [
    'a stray one beside a tunnel that works',
    captured([...talk(0, KEYS), there(3, initiation(5).subarray(0, 100))]),
    [
      'info malformed-message: a message from 10.99.1.2:51821 to 203.0.113.10:51820 claims to be an initiation and has 100 bytes instead of 148; the tunnel works all the same',
    ],
  ],
  [
    'a probe from elsewhere, once',
    captured([
      ...talk(0, KEYS),
      { at: 3, from: { ip: [192, 0, 2, 7], port: 9 }, to: SERVER_END, payload: initiation(5).subarray(0, 100) },
    ]),
    [
      'info malformed-message: a message from 192.0.2.7:9 to 203.0.113.10:51820 claims to be an initiation and has 100 bytes instead of 148: the receiver drops it unread',
    ],
  ],
  [
    'nothing at the responder',
    { confs: ofServer, captures: { a: capture([]) }, at: { a: 'responder' } },
    [
      'info initiation-never-arrives: no WireGuard message at all reached this capture; server.conf waits for one peer on port 51820',
    ],
  ],
  [
    'nothing in a capture that may be the responder’s',
    {
      confs: ofServer,
      captures: {
        a: capture([{ at: 0, from: CLIENT_END, to: { ip: [192, 0, 2, 1], port: 53 }, payload: new Uint8Array(40) }]),
      },
    },
    [
      'info initiation-never-arrives: if this was captured on the host of server.conf: no WireGuard message at all reached this capture; server.conf waits for one peer on port 51820',
    ],
  ],
];

test.each(LOUD)('%s', async (_, given, wanted) => {
  const findings = await findingsOf(RULES, given);
  expect(said(findings)).toEqual(wanted);
  for (const { message, notes } of findings) {
    for (const sentence of [message, ...notes]) expect(sentence).not.toMatch(/\.$|^[A-Z][a-z]/);
  }
});

test('what another capture saw leave is not said to have never been sent', async () => {
  const given = {
    confs,
    captures: {
      a: capture([there(0, initiation(1, SERVER.public)), there(9, initiation(2, SERVER.public))]),
      b: capture([]),
    },
  };
  const findings = await findingsOf(RULES, { ...given, at: { a: 'initiator', b: 'responder' } });
  expect(ruleNames(findings)).toEqual([]);
});

const DAMAGE: readonly (readonly [CaptureDamage, string])[] = [
  [
    {
      kind: 'truncated-record',
      message: 'the file ends 40 bytes before the end of a record',
      offset: 1200,
      framesBefore: 6,
    },
    'the capture is damaged at byte 1200, after 6 frames: the file ends 40 bytes before the end of a record',
  ],
  [
    {
      kind: 'bad-record',
      message: 'a record header that does not make sense',
      offset: 90,
      framesBefore: 1,
      resumedAt: 300,
    },
    'the capture is damaged at byte 90, after 1 frame: a record header that does not make sense; reading went on at byte 300',
  ],
];

test.each(DAMAGE)('damage %#', async (damage, wanted) => {
  const [finding, ...rest] = await findingsOf([captureDamaged], captured(talk(0, KEYS), { damage: [damage, damage] }));
  expect(rest).toEqual([]);
  expect([finding?.severity, finding?.message]).toEqual(['warning', wanted]);
  expect(finding?.notes[0]).toContain('further damage at byte');
});

test('a file that ends in mid-record, as the reader finds it', async () => {
  const whole = capture(talk(0, KEYS));
  const findings = await findingsOf(RULES, { confs, captures: { a: whole.subarray(0, whole.length - 40) } });
  expect(ruleNames(findings)).toContain('capture-damaged');
});

describe('AmneziaWG settings in a file', () => {
  const amnezia = {
    ...confs,
    'client.conf': (confs['client.conf'] ?? '').replace('ListenPort', 'S1 = 42\nH1 = 12345\nListenPort'),
  };
  const junk = [0, 5.1, 10.2].map((at) => there(at, bytes(0x39, 0x30, 0, 0, ...new Uint8Array(186).fill(7))));

  test('the other end has none: said, and not taken for certain', async () => {
    const given: Given = { confs: amnezia, captures: { a: capture(junk) }, at: { a: 'initiator' } };
    const findings = await findingsOf(RULES, given);
    expect(said(findings)).toEqual([
      'info obfuscated: 3 datagrams on the port of client.conf have no WireGuard type: client.conf has AmneziaWG settings',
    ]);
    expect([findings[0]?.certainty, findings[0]?.notes[0]]).toEqual([
      'suspected',
      expect.stringMatching(/^server\.conf has no such settings/),
    ]);
  });

  test('without such settings unknown datagrams are only not WireGuard', async () => {
    const findings = await findingsOf(RULES, { confs, captures: { a: capture(junk) }, at: { a: 'initiator' } });
    expect(ruleNames(findings)).toEqual(['not-wireguard']);
  });
});

test('an empty capture of an unread link type is no finding of its own', async () => {
  const given = { captures: { a: pcapFile({ linkType: 105 }, []) } };
  expect(await findingsOf([notWireguard], given)).toEqual([]);
});

describe.skipIf(SHARED_ABSENT)('captures of real peers', () => {
  const lab = (path: string) => shared(`captures/lab/${path}`);
  const text = (url: URL) => readFileSync(url, 'utf8');
  const binary = (url: URL) => new Uint8Array(readFileSync(url));

  /** `both` sides, or one of them with its place told. */
  function view(name: string, which: 'both' | 'client' | 'server'): Given {
    const files: Record<string, string> = {};
    const captures: Record<string, Uint8Array> = {};
    const at: Record<string, 'initiator' | 'responder'> = {};
    for (const side of which === 'both' ? (['client', 'server'] as const) : [which]) {
      files[`${side}.conf`] = text(lab(`${name}/${side}.conf`));
      const path = lab(`${name}/${side}.pcap`);
      if (!existsSync(fileURLToPath(path))) continue;
      captures[`${side}.pcap`] = binary(path);
      if (which !== 'both') at[`${side}.pcap`] = side === 'client' ? 'initiator' : 'responder';
    }
    return { confs: files, captures, at };
  }

  const expected: Readonly<Record<string, string>> = {
    'any-interface-on-nat-router both': 'info duplicate-frames',
    'any-interface-on-nat-router client': 'info duplicate-frames',
    'path-drop server': 'info initiation-never-arrives',
    'snaplen-96 both': 'warning capture-truncated',
    'snaplen-96 client': 'warning capture-truncated',
    'snaplen-96 server': 'warning capture-truncated',
  };
  const names = SHARED_ABSENT ? [] : readdirSync(fileURLToPath(lab('')));

  test.each(names.flatMap((name) => (['both', 'client', 'server'] as const).map((which) => [name, which] as const)))(
    '%s, %s',
    async (name, which) => {
      const findings = await findingsOf(RULES, view(name, which));
      const lines = [...new Set(findings.map(({ rule, severity }) => `${severity} ${rule.name}`))];
      expect(lines.join()).toBe(expected[`${name} ${which}`] ?? '');
    },
  );

  test('a configuration that has not the peer whose initiation was answered', async () => {
    const server = text(lab('healthy/server.conf')).replace(/PublicKey = .*/, `PublicKey = ${OTHER.public}`);
    const findings = await findingsOf(RULES, {
      confs: { 'server.conf': server },
      captures: { a: binary(lab('healthy/server.pcap')) },
    });
    expect(said(findings)).toEqual([
      expect.stringMatching(
        /^info key-missing: server\.conf is not what ran: it has no peer .{44}, and yet its initiation was answered$/,
      ),
    ]);
  });

  test.each([
    ['psk_wrong_order.keys', ['key-missing']],
    ['psk_initiator.keys', []],
  ])('%s: the order of the lines of a key log', async (file, wanted) => {
    const keyLogs = { [file]: text(shared(`captures/public/${file}`)) };
    const captures = { a: binary(shared('captures/public/wireguard-psk.pcap')) };
    const findings = await findingsOf([keyMissing], { keyLogs, captures });
    expect(ruleNames(findings)).toEqual(wanted);
    for (const { message } of findings)
      expect(message).toMatch(
        /^the key log is out of order: the PSK that opens the response to 0x[0-9a-f]{8} stands at psk_wrong_order\.keys:\d$/,
      );
  });
});
