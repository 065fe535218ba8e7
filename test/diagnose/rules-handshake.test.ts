/** Rules on handshakes that no capture of the set shows: real messages with one thing wrong, and near misses of each. */
import { expect, test } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import { altered, answer, ask, keyLog } from './handshakes.ts';
import { CLIENT, conf, FOURTH, fittingFiles, OTHER, PSK_A, PSK_B, SERVER } from './keys.ts';
import { type Brief, type Made, running, tell, tries, used, works } from './told.ts';
import { back, CLIENT_END, data, initiation, response, SERVER_END, type Sent, there } from './traffic.ts';

const CLIENT_TEXT = '10.99.1.2:51821';
const SERVER_TEXT = '203.0.113.10:51820';
const SERVER_KEY = 'server.conf [Interface] (zo060c…fVk=)';
const OTHER_KEY = 'Xf7dO2…7yI=';

const both = fittingFiles();
const ofClient = { 'client.conf': both['client.conf'] ?? '' };
const ofServer = { 'server.conf': both['server.conf'] ?? '' };
/** The server as it is after it was told of the client’s new key, and keeps the old one. */
const ofServerWithBoth = {
  'server.conf': conf({
    secret: SERVER.secret,
    port: 51820,
    peers: [
      { key: CLIENT.public, allowed: '10.66.66.2/32' },
      { key: OTHER.public, allowed: '10.66.66.3/32' },
    ],
  }),
};

const atServer = (files: Made['files'], ...packets: readonly Sent[]): Made => ({
  packets: [...packets, running(170)],
  at: 'responder',
  ...(files === undefined ? {} : { files }),
});
const atClient = (files: Made['files'], ...packets: readonly Sent[]): Made => ({
  ...atServer(files, ...packets),
  at: 'initiator',
});

/** An answered initiation, and another one of the same client this much later. */
const burst = (gap: number, accepted = true): Sent[] => {
  const first = ask(1, 1);
  const second = ask(1 + gap, 2, { ahead: 0.05 });
  return [first, ...(accepted ? [answer(first, 0x101, { after: 0.001 })] : []), second, ...used(1.05, 1, 0x101)];
};

const LOW_ORDER = new Uint8Array(32);
const HIGH_ORDER = Uint8Array.of(9, ...LOW_ORDER.subarray(1));

/** Three initiations, each answered, the response changed by `change`. */
const answered = (psk: string | undefined, change: (sent: Sent) => Sent = (sent) => sent): Sent[] =>
  tries(0, 1).flatMap((asked, i) => [asked, change(answer(asked, 0x101 + i, psk === undefined ? {} : { psk }))]);

/** A tunnel with data each second from the client, `until` this second of the server’s capture; its rekeying never arrives. */
const filtered = (until: number, size: (n: number) => number = () => 128): Made => {
  const begun = works(0, 1);
  const stream = Array.from({ length: 150 }, (_, n) => there(1.5 + n, data(0x101, 1 + n, size(n))));
  const arrived = [...begun, ...stream.filter(({ at }) => at < until), running(170)];
  return {
    client: [...begun, ...stream, ...tries(120, 5), running(170)],
    server: arrived.map((sent) => ({ ...sent, at: sent.at + 0.002, ttl: sent.from === CLIENT_END ? 60 : 64 })),
    files: both,
  };
};

const twice = ((): Sent[] => {
  const asked = ask(0, 1);
  return [asked, answer(asked, 0x101), answer(asked, 0x102, { after: 0.03 }), ...used(0.05, 1, 0x101)];
})();

/** The same packets of a client that is elsewhere. */
const AWAY = { ip: [192, 0, 2, 40], port: 51821 } as const;
const away = (packets: readonly Sent[]): Sent[] =>
  packets.map((sent) => (sent.from === CLIENT_END ? { ...sent, from: AWAY } : { ...sent, to: AWAY }));

/** Data each way of session `n`, each two seconds from then until then. */
const talks = (from: number, until: number, n: number, counter = 1): Sent[] =>
  Array.from({ length: Math.floor((until - from) / 2) }, (_, i) => [
    there(from + 2 * i, data(0x100 + n, counter + i)),
    back(from + 2 * i + 0.02, data(n, counter + i)),
  ]).flat();

const stay = (at: number, n: number, until: number): Sent[] => [...works(at, n), ...talks(at + 2, until + 2, n)];

/** Three initiations of the client; each response is lost behind the capture. */
const lost = (at: number, n: number): Sent[] => tries(at, n).flatMap((asked) => [asked, answer(asked, 0x100 + n)]);

/** Somebody with no key that is known here, who sends to whatever port is open. */
const SCANNER = { ip: [192, 0, 2, 66], port: 40_000 } as const;
const noise = (at: number, payload: Uint8Array): Sent => ({ at, from: SCANNER, to: SERVER_END, payload });
const BLANK = concat(Uint8Array.of(1), new Uint8Array(147));
const odd = (at: number, type: number, size: number): Sent =>
  noise(
    at,
    concat(
      Uint8Array.of(type, 0, 0, 0),
      Uint8Array.from({ length: size - 4 }, (_, i) => 0x80 + 13 * i),
    ),
  );
const scan: readonly Sent[] = [
  noise(2, initiation(0x8000)),
  odd(3, 1, 44),
  odd(4, 2, 92),
  noise(4.2, initiation(0x8001)),
  noise(5, BLANK),
  odd(6, 4, 32),
  noise(6.9, initiation(0x8002)),
  odd(9, 4, 32),
  odd(10, 2, 44),
  ...Array.from({ length: 25 }, (_, i) => noise(20 + i, BLANK)),
  odd(50, 4, 32),
];

const brief = (kind: string, index: number, frames: string, facts: Brief['facts']): Brief => {
  const [severity, certainty] = kind.split(' ') as [Brief['severity'], Brief['certainty']];
  return { severity, certainty, subject: `handshake:0x${index.toString(16).padStart(8, '0')}`, frames, facts };
};

/** A peer of the server that listens on the port that the server has, as wg-quick files of one mould do. */
const LAPTOP = { ip: [10, 99, 1, 3], port: 51820 } as const;
const FROM_SERVER = { by: SERVER, forKey: OTHER, from: SERVER_END, to: LAPTOP };
const ofServerAlone = (...packets: readonly Sent[]): Made => ({
  packets: [...packets, running(170)],
  files: ofServerWithBoth,
});
const laptopBegan = ((): Sent[] => {
  const asked = ask(0, 9, { by: OTHER, from: LAPTOP });
  const used = { ...there(0.05, data(0x109, 0, 32)), from: LAPTOP };
  return [asked, answer(asked, 0x109), used, { ...back(0.07, data(9, 0, 32)), to: LAPTOP }];
})();

const FIRES: readonly (readonly [string, string, Made, Brief])[] = [
  [
    'clock-skew',
    'an hour ahead',
    atServer(ofServer, ...works(0, 1, { ahead: 3600 })),
    brief('info proven', 1, 'a1', { skew: '60 min 0 s', ahead: true, from: CLIENT_TEXT }),
  ],
  [
    'clock-skew',
    'a minute behind',
    atServer(ofServer, ...works(0, 1, { ahead: -60 })),
    brief('info proven', 1, 'a1', { skew: '60 s', ahead: false, from: CLIENT_TEXT }),
  ],
  [
    'duplicate-identity',
    'each goes on with its own session after the handshake of the other',
    atServer(ofServer, ...stay(0, 1, 30), ...away(stay(10, 2, 60)), ...stay(40, 3, 80)),
    {
      ...brief('error proven', 1, 'a1 a14 a55 a68 a109', {
        key: 'server.conf [Peer] line 7 (pOCSkr…ogk=)',
        places: [CLIENT_TEXT, '192.0.2.40:51821'],
        overlaps: 2,
      }),
      subject: 'tunnel:server.conf [Peer] line 7 (pOCSkr…ogk=)',
    },
  ],
  [
    'duplicate-identity',
    'each goes on with its retries after the other was answered',
    atServer(ofServer, ...lost(0, 1), ...away(lost(2, 11))),
    {
      ...brief('error proven', 1, 'a1 a3 a5 a7 a9 a11', {
        key: 'server.conf [Peer] line 7 (pOCSkr…ogk=)',
        places: [CLIENT_TEXT, '192.0.2.40:51821'],
        overlaps: 4,
      }),
      subject: 'tunnel:server.conf [Peer] line 7 (pOCSkr…ogk=)',
    },
  ],
  [
    'initiation-flood',
    'two within 12 ms',
    atServer(ofServer, ...burst(0.012)),
    brief('warning proven', 2, 'a3', { gapMs: 12, dropped: 1, responder: SERVER_KEY }),
  ],
  [
    'key-changed',
    'the client now writes for another responder',
    atClient(ofClient, ...works(0, 1), ...tries(130, 5, { forKey: OTHER })),
    brief('warning proven', 5, 'a1 a5 a6 a7', {
      which: 'responder',
      before: 'client.conf [Peer] line 7 (zo060c…fVk=)',
      now: 'a key that is not here',
      from: CLIENT_TEXT,
    }),
  ],
  [
    'key-changed',
    'the client now shows another key of its own',
    atServer(ofServerWithBoth, ...works(0, 1), ...tries(130, 5, { by: OTHER })),
    brief('warning proven', 5, 'a1 a5 a6 a7', {
      which: 'initiator',
      before: 'server.conf [Peer] line 6 (pOCSkr…ogk=)',
      now: `server.conf [Peer] line 10 (${OTHER_KEY})`,
      from: CLIENT_TEXT,
    }),
  ],
  [
    'path-filtered',
    'data of one size goes on arriving',
    filtered(150),
    brief('warning suspected', 5, 'a124 a130 a136', { lost: 3, missingIn: 'server.pcap', to: SERVER_TEXT }),
  ],
  [
    'path-filtered',
    'data of many sizes goes on arriving',
    filtered(150, (n) => 128 + 16 * (n % 5)),
    brief('warning suspected', 5, 'a124 a130 a136', { lost: 3, missingIn: 'server.pcap', to: SERVER_TEXT }),
  ],
  [
    'response-unexpected',
    'nobody asked',
    atClient({}, ...works(0, 1), back(9, response(0x77, 0x55))),
    brief('info proven', 0x55, 'a5', { from: SERVER_TEXT, index: '0x00000055', second: false }),
  ],
  [
    'response-unexpected',
    'two different ones for one initiation',
    atClient({}, ...twice),
    brief('info proven', 1, 'a2 a3', { from: SERVER_TEXT, index: '0x00000001', second: true }),
  ],
  [
    'response-unsealable',
    'made with a preshared key that is in no file',
    atClient({ ...both, 'keys.log': keyLog(1) }, ...answered(PSK_A)),
    brief('error proven', 1, 'a2 a1 a3 a5', { tried: 1, from: SERVER_TEXT, responses: 1 }),
  ],
  [
    'response-unsealable',
    'the preshared key of both files does not open it either',
    atClient(
      { ...fittingFiles({ clientPeer: { psk: PSK_B }, serverPeer: { psk: PSK_B } }), 'keys.log': keyLog(1, 2, 3) },
      ...answered(PSK_A),
    ),
    brief('error proven', 1, 'a2 a4 a6 a1 a3 a5', { tried: 2, from: SERVER_TEXT, responses: 3 }),
  ],
  [
    'stray-initiations',
    'a scanner beside a tunnel that works',
    atServer(ofServer, ...works(0, 1), ...scan),
    brief('info deduced', 0x8000, 'a5 a8 a9 a11', { from: '192.0.2.66:40000', to: SERVER_TEXT, initiations: 4 }),
  ],
  [
    'stray-initiations',
    'one alone, and no retry for as long as three would take',
    atServer(ofServer, noise(2, initiation(0x8000))),
    brief('info deduced', 0x8000, 'a1', { from: '192.0.2.66:40000', to: SERVER_TEXT, initiations: 1 }),
  ],
  [
    'timestamp-suspect',
    'a clock that starts in 2008',
    atServer(ofServer, ...tries(0, 1, { ahead: -15 * 365 * 86_400 })),
    brief('warning suspected', 1, 'a1 a2 a3', {
      timestamp: '2008-11-17 22:13:20 UTC',
      behind: '14 years 361 days',
      from: CLIENT_TEXT,
    }),
  ],
  [
    'timestamp-suspect',
    'a minute behind',
    atServer(ofServer, ...tries(0, 1, { ahead: -60 })),
    brief('warning suspected', 1, 'a1 a2 a3', {
      timestamp: '2023-11-14 22:12:20 UTC',
      behind: '60 s',
      from: CLIENT_TEXT,
    }),
  ],
  [
    'timestamp-unsealable',
    'somebody else with the client’s public key',
    atServer(ofServer, ...tries(0, 1, { by: OTHER, claims: CLIENT })),
    brief('error proven', 1, 'a1 a2 a3', { responder: SERVER_KEY, from: CLIENT_TEXT, initiations: 3 }),
  ],
  [
    'weak-shared-secret',
    'an ephemeral of zeros in the initiation, seen without any private key',
    atServer(ofClient, ...tries(0, 1).map((sent) => altered(sent, 8, LOW_ORDER))),
    brief('error proven', 1, 'a1 a2 a3', {
      message: 'initiation',
      from: CLIENT_TEXT,
      to: 'client.conf [Peer] line 7 (zo060c…fVk=)',
      messages: 3,
    }),
  ],
  [
    'weak-shared-secret',
    'an ephemeral of zeros in the response',
    atClient(both, ...answered(undefined, (sent) => altered(sent, 12, LOW_ORDER))),
    brief('error proven', 1, 'a2 a4 a6', { message: 'response', from: SERVER_TEXT, to: CLIENT_TEXT, messages: 3 }),
  ],
  [
    'wrong-responder-key',
    'for another peer of the server, from one that its own port cannot tell from the server, but its key can',
    ofServerAlone(ask(0, 1, { from: LAPTOP, by: CLIENT }), ...tries(60, 5, { from: LAPTOP, forKey: OTHER })),
    brief('error suspected', 5, 'a2 a3 a4', {
      madeFor: 'server.conf [Peer] line 10 (Xf7dO2…7yI=)',
      madeForKey: OTHER.public,
      responder: SERVER_KEY,
      responderKey: SERVER.public,
      to: SERVER_TEXT,
      initiations: 3,
    }),
  ],
];

test.each(FIRES)('%s: %s', async (rule, _name, made, wanted) => {
  expect((await tell(made)).finding(rule)).toEqual(wanted);
});

const SILENT = 'error deduced responder-silent';
const REKEY = 'error deduced rekey-failed';
const STRAY = 'info deduced stray-initiations';
const AWAY_FROM = 'info suspected peer-went-away';
const UNCONFIRMED = 'error deduced session-unconfirmed';

/** What the report holds instead; the rule itself must not have fired and been hidden either. */
const QUIET: readonly (readonly [string, string, Made, readonly string[]])[] = [
  ['clock-skew', 'under a minute', atServer(ofServer, ...works(0, 1, { ahead: -59 })), []],
  ['clock-skew', 'the other base, as boringtun counts', atServer(ofServer, ...works(0, 1, { ahead: 27 })), []],
  [
    'clock-skew',
    'the tunnel fails: then it may be no harmless skew',
    atServer(ofServer, ...tries(0, 1, { ahead: 86_400 })),
    [SILENT],
  ],
  [
    'duplicate-identity',
    'one client that commutes, with a handshake in each place',
    atServer(ofServer, ...stay(0, 1, 20), ...away(stay(40, 2, 60)), ...stay(80, 3, 100), ...away(stay(120, 4, 140))),
    [AWAY_FROM, AWAY_FROM],
  ],
  [
    'duplicate-identity',
    'one client on two lines, whose sessions go on from the one to the other',
    atServer(
      ofServer,
      ...stay(0, 1, 20),
      ...away([...talks(22, 60, 1, 11), ...stay(62, 2, 80)]),
      ...talks(82, 120, 2, 10),
      ...stay(122, 3, 140),
    ),
    [AWAY_FROM, 'info proven endpoint-roamed'],
  ],
  [
    'duplicate-identity',
    'what was under way in the place it left comes seconds later',
    atServer(ofServer, ...stay(0, 1, 44), ...away(stay(40, 2, 84)), ...stay(80, 3, 100)),
    [AWAY_FROM, AWAY_FROM],
  ],
  [
    'duplicate-identity',
    'nothing but answered handshakes, here and there: it may as well move',
    atServer(
      ofServer,
      ...[0, 1, 2, 3].flatMap((i) =>
        (i % 2 === 0 ? lost : (a: number, n: number) => away(lost(a, n)))(30 * i, 1 + 5 * i),
      ),
    ),
    [UNCONFIRMED, UNCONFIRMED],
  ],
  ['initiation-flood', '20 ms is enough', atServer(ofServer, ...burst(0.02)), ['info proven handshake-retried']],
  ['initiation-flood', 'the first was not accepted', atServer(ofServer, ...burst(0.012, false).slice(0, 2)), [SILENT]],
  ['key-changed', 'the same keys', atServer(both, ...works(0, 1), ...tries(130, 5)), [REKEY, SILENT]],
  [
    'key-changed',
    'the new key works',
    atServer(ofServerWithBoth, ...works(0, 1), ...works(130, 5, { by: OTHER })),
    ['info proven keepalive-only'],
  ],
  [
    'key-changed',
    'MAC1 was altered on the way: the static key still opens for the same responder',
    atServer(ofServer, ...works(0, 1), ...tries(130, 5).map((sent) => altered(sent, 117, Uint8Array.of(1, 2, 3)))),
    ['error deduced modified-in-transit'],
  ],
  [
    'path-filtered',
    'the data vanishes too, from the moment of the first lost initiation',
    filtered(120),
    ['error proven initiation-lost-on-path', 'info suspected packet-loss'],
  ],
  ['path-filtered', 'the initiations do arrive', atServer(both, ...works(0, 1), ...tries(130, 5)), [REKEY, SILENT]],
  [
    'response-unexpected',
    'so early that its initiation may stand before the capture',
    atClient(both, ...works(0, 1), back(5, response(0x77, 0x55, CLIENT.public))),
    [],
  ],
  [
    'response-unexpected',
    'the same response twice: a copy',
    atClient(both, ...works(0, 1).flatMap((sent) => [sent, { ...sent, at: sent.at + 0.0001 }])),
    ['info proven duplicate-frames'],
  ],
  [
    'response-unexpected',
    'a capture of one direction',
    {
      packets: [...works(0, 1), ...works(9, 2), running(30)].filter(({ from }) => from !== CLIENT_END),
      files: both,
    },
    ['info proven capture-one-sided'],
  ],
  [
    'response-unsealable',
    'the preshared key of one file opens it',
    atClient(
      { ...fittingFiles({ clientPeer: { psk: PSK_B }, serverPeer: { psk: PSK_A } }), 'keys.log': keyLog(1) },
      ...answered(PSK_A),
    ),
    ['error proven psk-mismatch', 'error proven psk-differs'],
  ],
  [
    'response-unsealable',
    'no ephemeral is known',
    atClient(ofClient, ...answered(PSK_A)),
    ['error suspected psk-mismatch'],
  ],
  [
    'response-unsealable',
    'its initiator used it: the preshared key is just not here',
    atClient({ ...both, 'keys.log': keyLog(1) }, ...answered(PSK_A).slice(0, 2), ...used(0.05, 1, 0x101)),
    [],
  ],
  [
    'response-unsealable',
    'a point of low order: no preshared key was tried',
    atClient({ ...both, 'keys.log': keyLog(1) }, ...answered(undefined, (sent) => altered(sent, 12, LOW_ORDER))),
    ['error proven weak-shared-secret'],
  ],
  ...['responder-silent', 'wrong-responder-key', 'malformed-message', 'keepalive-only', 'capture-one-sided'].map(
    (rule): [string, string, Made, string[]] => [
      rule,
      'a scanner beside a tunnel that works',
      atServer(rule === 'responder-silent' ? undefined : ofServer, ...works(0, 1), there(1, data(0x101, 1)), ...scan),
      ['info proven malformed-message', STRAY, ...(rule === 'responder-silent' ? ['info proven key-missing'] : [])],
    ],
  ),
  [
    'stray-initiations',
    'a client with some other server’s key: it keeps trying',
    atServer(ofServer, ...tries(0, 1, { forKey: OTHER })),
    ['error proven wrong-responder-key'],
  ],
  [
    'stray-initiations',
    'the same beside a scanner',
    atServer(ofServer, ...tries(0, 1, { forKey: OTHER }), ...scan),
    ['error proven wrong-responder-key', 'info proven malformed-message', STRAY],
  ],
  [
    'stray-initiations',
    'its first one, and the end of the capture',
    {
      packets: [...works(0, 1), { ...ask(30, 2, { forKey: OTHER }), from: AWAY }, running(42)],
      at: 'responder',
      files: ofServer,
    },
    ['error proven wrong-responder-key'],
  ],
  [
    'stray-initiations',
    'a client that no file knows, and no file of the server',
    atServer(undefined, ...tries(0, 1, { by: OTHER })),
    ['error suspected responder-silent', 'info proven key-missing'],
  ],
  [
    'stray-initiations',
    'one that is made for the right key',
    atServer(ofServer, ask(0, 1, { by: OTHER })),
    ['error proven unknown-initiator'],
  ],
  ['timestamp-suspect', 'under a minute', atServer(ofServer, ...tries(0, 1, { ahead: -59 })), [SILENT]],
  ['timestamp-suspect', 'ahead of the capture', atServer(ofServer, ...tries(0, 1, { ahead: 3600 })), [SILENT]],
  [
    'timestamp-suspect',
    'the same skew worked before: the greatest timestamp is in the capture, and less',
    atServer(ofServer, ...works(0, 1, { ahead: -3600 }), ...tries(130, 5, { ahead: -3600 })),
    [REKEY, SILENT, 'info proven clock-skew'],
  ],
  [
    'timestamp-suspect',
    'it went back within the capture: that is proven',
    atServer(ofServer, ...works(0, 1), ...tries(130, 5, { ahead: -3600 })),
    ['error proven timestamp-replayed'],
  ],
  ['timestamp-unsealable', 'the client itself', atServer(ofServer, ...tries(0, 1)), [SILENT]],
  [
    'timestamp-unsealable',
    'the responder’s private key is not here',
    atServer(ofClient, ...tries(0, 1, { by: OTHER, claims: CLIENT })),
    ['error suspected responder-silent'],
  ],
  [
    'weak-shared-secret',
    'a point of high order: only the static key does not open',
    atServer(ofServer, ...tries(0, 1).map((sent) => altered(sent, 8, HIGH_ORDER))),
    ['error proven static-unsealable'],
  ],
  [
    'wrong-responder-key',
    'the server itself asks a peer that began before and has the same port',
    ofServerAlone(...laptopBegan, ...tries(130, 5, FROM_SERVER)),
    ['info suspected peer-went-away'],
  ],
  [
    'wrong-responder-key',
    'what asks for a peer of the server may be the server',
    ofServerAlone(...tries(0, 1, FROM_SERVER)),
    [],
  ],
  [
    'wrong-responder-key',
    'the server has answered elsewhere',
    ofServerAlone(...works(0, 1), ...tries(130, 5, { to: LAPTOP, forKey: FOURTH })),
    ['error suspected no-response'],
  ],
  [
    'wrong-responder-key',
    'another key has answered there',
    ofServerAlone(
      ...((asked) => [asked, answer(asked, 0x109)])(ask(0, 9, { forKey: OTHER, to: LAPTOP })),
      ...tries(60, 5, { to: LAPTOP, forKey: FOURTH }),
    ),
    [REKEY],
  ],
  [
    'no-response',
    'the endpoint that a status shows was learned',
    {
      ...ofServerAlone(...laptopBegan, ...tries(130, 5, FROM_SERVER)),
      at: 'initiator',
      files: {
        'wg.txt': `interface: wg0\n  public key: ${SERVER.public}\n  private key: (hidden)\n  listening port: 51820\n\npeer: ${OTHER.public}\n  endpoint: 10.99.1.3:51820\n  allowed ips: 10.66.66.3/32\n`,
      },
    },
    ['info suspected peer-went-away', 'info proven endpoint-private-address'],
  ],
  [
    'key-changed',
    'a wrong key at one end explains what the other end asks in vain',
    atServer(
      { 'server.conf': fittingFiles({ serverPeer: { endpoint: '10.99.1.2:51821' } })['server.conf'] ?? '' },
      ...tries(0, 1, { forKey: OTHER }),
      ...tries(2, 5, { by: SERVER, forKey: CLIENT, from: SERVER_END, to: CLIENT_END }),
    ),
    ['error proven wrong-responder-key', 'info proven endpoint-private-address'],
  ],
];

test.each(QUIET)('not %s: %s', async (rule, _name, made, wanted) => {
  const { lines, hidden } = await tell(made);
  expect(lines).toEqual(wanted);
  expect(hidden).not.toContain(rule);
});
