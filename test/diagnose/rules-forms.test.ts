/** Forms of WireGuard around real messages: what is said of them is what is said of the plain ones, and the form is named. */
import { describe, expect, test } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import { openCapture } from '../../src/capture/open.ts';
import { type PcapFrame, pcapFile } from '../../src/capture/write-pcap.ts';
import { rules } from '../../src/diagnose/registry.ts';
import { bytes, ipv4 } from '../packet/build.ts';
import { amnezia, type Form, geneve, lwo, tcpCapture, warp } from './forms.ts';
import { answer, ask, cookieOf, giveCookie, keyLog } from './handshakes.ts';
import { CLIENT_IN, ping, pong, SERVER_IN, Tunnel } from './inside.ts';
import { fittingFiles, OTHER, PSK_A, PSK_B } from './keys.ts';
import { running, tries } from './told.ts';
import { back, capture, data, type Sent, there } from './traffic.ts';
import { findingsOf, type Given, said } from './world.ts';

const FITTING = fittingFiles();

/** Everything but what names the form, and but the figures of the capture that a form changes. */
async function besides(given: Given): Promise<string[]> {
  const findings = await findingsOf(rules, given);
  return findings
    .filter(({ rule }) => rule.name !== 'obfuscated')
    .map(({ rule, severity, certainty, message }) => `${severity} ${certainty} ${rule.name}: ${message}`);
}

async function obfuscatedIn(given: Given) {
  const findings = (await findingsOf(rules, given)).filter(({ rule }) => rule.name === 'obfuscated');
  expect(findings.length).toBe(1);
  return findings[0];
}

interface Story {
  readonly packets: readonly Sent[];
  readonly given: Omit<Given, 'captures'>;
  /** The finding that makes the story. */
  readonly expects: string;
  readonly serverKey?: string;
}

function talking(): Tunnel {
  const tunnel = new Tunnel({ at: 1 });
  for (let i = 0; i < 6; i++) tunnel.there(ping(CLIENT_IN, SERVER_IN), 0.5).back(pong(SERVER_IN, CLIENT_IN), 0.02);
  return tunnel;
}

const talk = talking();
const mismatched = [ask(1, 0x11), ask(6.2, 0x12), ask(11.4, 0x13)];
const STORIES: Readonly<Record<string, Story>> = {
  'a wrong key': {
    packets: [...tries(1, 0x11, { forKey: OTHER }), running(30)],
    given: { confs: fittingFiles({ clientPeer: { key: OTHER.public } }), at: { a: 'responder' } },
    expects: 'wrong-responder-key',
    serverKey: OTHER.public,
  },
  'another PSK, shown by a key log': {
    packets: [
      ...mismatched.flatMap((asked) => [asked, answer(asked, asked.created.sender + 0x100, { psk: PSK_A })]),
      running(30),
    ],
    given: {
      confs: fittingFiles({ clientPeer: { psk: PSK_B }, serverPeer: { psk: PSK_A } }),
      keyLogs: { 'keys.log': keyLog(0x11, 0x12, 0x13) },
      at: { a: 'initiator' },
    },
    expects: 'psk-mismatch',
  },
  'all is well': {
    packets: [...talk.packets, running(20)],
    given: { confs: FITTING, keyLogs: { 'keys.log': keyLog(talk.index) }, at: { a: 'initiator' } },
    expects: '',
  },
};

const only = (form: Form): ((story: Story) => Uint8Array) => {
  return ({ packets }) => capture(inOrder(packets.flatMap((sent) => (sent.to.port === 9 ? [sent] : form(sent)))));
};
const inOrder = (packets: readonly Sent[]): Sent[] => [...packets].sort((a, b) => a.at - b.at);

interface Dressed {
  readonly wrap: (story: Story) => Uint8Array;
  readonly named: string;
  /** Of the story in which all is well. */
  readonly figures: readonly string[];
}

const SETTINGS = { s: [15, 18, 21, 9], h: [[500, 560], 700, 800, [900, 1000]] } as const;
const FORMS: Readonly<Record<string, Dressed>> = {
  WARP: { wrap: only(warp([35, 74, 190])), named: 'Cloudflare WARP', figures: ['client id = I0q+ (35, 74, 190)'] },
  Geneve: { wrap: only(geneve(123)), named: 'Tailscale peer relay', figures: ['network (VNI) = 123'] },
  LWO: {
    wrap: (story) => only(lwo(story.serverKey))(story),
    named: 'Mullvad LWO',
    figures: [
      'key towards 203.0.113.10:51820 = server.conf [Interface]',
      'key towards 10.99.1.2:51821 = client.conf [Interface]',
    ],
  },
  'AmneziaWG, inferred': {
    wrap: ({ packets, serverKey }) =>
      only(amnezia({ junk: 3, ...(serverKey === undefined ? {} : { serverKey }) }))({
        packets,
        given: {},
        expects: '',
      }),
    named: 'AmneziaWG',
    figures: ['S1 = 15', 'S2 = 18', 'S4 = 9', 'H1 = 1234567891', 'H2 = 1234567892', 'H4 = 1234567894'],
  },
  'AmneziaWG with ranges, inferred': {
    wrap: ({ packets, serverKey }) =>
      only(amnezia({ ...SETTINGS, ...(serverKey === undefined ? {} : { serverKey }) }))({
        packets,
        given: {},
        expects: '',
      }),
    named: 'AmneziaWG',
    figures: ['S1 = 15', 'S2 = 18', 'S4 = 9'],
  },
  'udp-over-tcp': {
    wrap: ({ packets }) => tcpCapture(packets.filter(({ to }) => to.port !== 9)),
    named: 'WireGuard in TCP',
    figures: [],
  },
  'udp-over-tcp in small segments': {
    wrap: ({ packets }) =>
      tcpCapture(
        packets.filter(({ to }) => to.port !== 9),
        { segment: 70, first: 2 ** 32 - 40 },
      ),
    named: 'WireGuard in TCP',
    figures: [],
  },
};

describe.each(Object.entries(FORMS))('%s', (name, { wrap, named, figures }) => {
  test.each(Object.entries(STORIES))('%s', async (title, story) => {
    // in a stream the capture shows nothing of other hosts
    const packets = name.startsWith('udp') ? story.packets.filter(({ to }) => to.port !== 9) : story.packets;
    const plain = await besides({ ...story.given, captures: { a: capture(inOrder(packets)) } });
    const dressed = { ...story.given, captures: { a: wrap(story) } };
    expect(await besides(dressed)).toEqual(plain);
    expect(plain.some((line) => line.includes(` ${story.expects}:`))).toBe(story.expects !== '');
    if (story.expects === '') expect(plain.filter((line) => !line.startsWith('info'))).toEqual([]);
    const finding = await obfuscatedIn(dressed);
    expect([finding?.severity, finding?.certainty]).toEqual(['info', 'proven']);
    expect(finding?.message).toContain(named);
    if (title === 'all is well') expect(finding?.facts['figures']).toEqual(expect.arrayContaining([...figures]));
  });
});

describe('AmneziaWG', () => {
  const lines =
    'Jc = 3\nJmin = 40\nJmax = 70\nS1 = 15\nS2 = 18\nS3 = 21\nS4 = 9\nH1 = 500-560\nH2 = 700\nH3 = 800\nH4 = 900-1000';
  const withSettings = (file: string, text = lines): string =>
    (FITTING[file] ?? '').replace('ListenPort', `${text}\nListenPort`);
  const awg = amnezia({ ...SETTINGS, junk: 3 });
  const healthy = {
    captures: { a: only(awg)({ packets: talk.packets, given: {}, expects: '' }) },
    keyLogs: { 'keys.log': keyLog(talk.index) },
  };

  test('by the settings of a file, junk counted', async () => {
    const confs = { 'client.conf': withSettings('client.conf'), 'server.conf': withSettings('server.conf') };
    const finding = await obfuscatedIn({ ...healthy, confs });
    expect(finding).toMatchObject({
      severity: 'info',
      message:
        '17 datagrams of an extended WireGuard: AmneziaWG, 14 of them unwrapped and judged as plain messages; S1 = 15, S2 = 18, S3 = 21, S4 = 9, H1 = 500-560, H2 = 700, H3 = 800, H4 = 900-1000',
      facts: {
        figures: ['S1 = 15', 'S2 = 18', 'S3 = 21', 'S4 = 9', 'H1 = 500-560', 'H2 = 700', 'H3 = 800', 'H4 = 900-1000'],
      },
    });
    expect(finding?.notes).toEqual([
      expect.stringMatching(/^named AmneziaWG by the settings in client\.conf; S1 = 15, /),
      expect.stringMatching(/^3 datagrams of these flows could not be read: junk before the initiations/),
    ]);
    expect((await besides({ ...healthy, confs })).filter((line) => !line.startsWith('info'))).toEqual([]);
  });

  test('without any key: the answer names the index, and both end in zeros', async () => {
    const finding = await obfuscatedIn({ captures: healthy.captures });
    expect(finding?.message).toBe(
      '17 datagrams of an extended WireGuard: AmneziaWG, 14 of them unwrapped and judged as plain messages; S1 = 15, S2 = 18, S4 = 9, H1 = 543, H2 = 700, H4 = 909-988',
    );
    expect(finding?.notes[0]).toMatch(
      /by an answer that names the index of an initiation, both of them ending in sixteen zeros/,
    );
  });

  test('a session that began before the capture, by the settings alone', async () => {
    const confs = { 'client.conf': withSettings('client.conf', lines.replace('900-1000', '900')) };
    const form = amnezia({ s: SETTINGS.s, h: [500, 700, 800, 900] });
    const finding = await obfuscatedIn({
      captures: { a: only(form)({ packets: talk.packets.slice(2), given: {}, expects: '' }) },
      confs,
    });
    expect(finding?.facts).toMatchObject({ count: 12, unwrapped: 12 });
  });

  test('cookies and the MAC2 of the retry, made over the other type word', async () => {
    const refused = ask(1, 0x21);
    const cookie = cookieOf(5);
    // the cookie is sealed with the MAC1 that stood on the wire
    const [wire] = awg(refused);
    const mac1 = wire?.payload.subarray(15 + 116, 15 + 132) ?? new Uint8Array(16);
    const seen = refused.payload.slice();
    seen.set(mac1, 116);
    const reply = giveCookie({ ...refused, payload: seen }, cookie);
    const retry = ask(6.2, 0x22, { cookie });
    const taken = [retry, answer(retry, 0x122), there(6.3, data(0x122, 0, 32)), back(6.4, data(0x22, 0, 32))];
    const packets = [refused, reply, ...taken].flatMap(amnezia({ ...SETTINGS, cookie }));
    const findings = await findingsOf(rules, {
      confs: FITTING,
      captures: { a: capture(inOrder([...packets, running(20)])) },
      at: { a: 'initiator' },
    });
    expect(said(findings).filter((line) => line.includes('cookie'))).toEqual([
      expect.stringMatching(/^info under-load-cookie: .*/),
    ]);
    expect(findings.find(({ rule }) => rule.name === 'obfuscated')?.facts['figures']).toEqual(
      expect.arrayContaining(['S3 = 21', 'H3 = 800']),
    );
  });

  const failing = (form: Form | undefined): Uint8Array =>
    capture(inOrder([...tries(1, 0x31).flatMap((sent) => form?.(sent) ?? [sent]), running(30)]));
  const REFUSED: readonly (readonly [string, Given, string])[] = [
    [
      'the other end is plain',
      {
        confs: { 'client.conf': withSettings('client.conf'), 'server.conf': FITTING['server.conf'] ?? '' },
        captures: { a: failing(awg) },
      },
      'the initiations to 203.0.113.10:51820 are AmneziaWG with S1 = 15 and H1 = 5NN, and server.conf has no AmneziaWG settings: that end drops them in silence',
    ],
    [
      'it has other settings',
      {
        confs: { 'server.conf': withSettings('server.conf', lines.replace('S1 = 15', 'S1 = 20')) },
        captures: { a: failing(awg) },
      },
      'the initiations to 203.0.113.10:51820 are AmneziaWG with S1 = 15 and H1 = 5NN, and server.conf has S1 = 20 and H1 = 500-560: that end drops them in silence',
    ],
    [
      'this end is plain',
      { confs: { 'server.conf': withSettings('server.conf') }, captures: { a: failing(undefined) } },
      'the initiations to 203.0.113.10:51820 are plain WireGuard, and server.conf has S1 = 15 and H1 = 500-560: that end drops them in silence',
    ],
    [
      'it is plain WARP that goes to a plain end',
      { confs: FITTING, captures: { a: failing(warp([1, 2, 3])) } },
      'the initiations to 203.0.113.10:51820 are Cloudflare WARP (client id in the reserved bytes), and server.conf is a plain WireGuard: that end drops them in silence',
    ],
  ];
  test.each(REFUSED)('%s: an error, and the silence is explained', async (_, given, wanted) => {
    for (const at of ['initiator', 'responder'] as const) {
      const findings = await findingsOf(rules, { ...given, at: { a: at } });
      const [first, ...more] = findings.filter(({ severity }) => severity !== 'info');
      expect([first?.rule.name, first?.certainty, first?.message.replace(/H1 = 5\d\d,/, 'H1 = 5NN,')]).toEqual([
        'obfuscated',
        'deduced',
        wanted,
      ]);
      expect(more.map(({ rule }) => rule.name)).toEqual([]);
    }
  });

  test('the answer is in a form that the initiator does not read', async () => {
    const packets = mismatched.flatMap((asked) => [
      ...awg(asked),
      ...amnezia({ ...SETTINGS, s: [15, 30, 21, 9] })(answer(asked, asked.created.sender + 0x100)),
    ]);
    const confs = {
      'client.conf': withSettings('client.conf'),
      'server.conf': withSettings('server.conf', lines.replace('S2 = 18', 'S2 = 30')),
    };
    const findings = await findingsOf(rules, {
      confs,
      captures: { a: capture(inOrder([...packets, running(30)])) },
      at: { a: 'initiator' },
    });
    expect(said(findings.filter(({ severity }) => severity !== 'info'))).toEqual([
      'error obfuscated: the responses to 10.99.1.2:51821 are AmneziaWG with S2 = 30 and H2 = 700, and client.conf has S2 = 18 and H2 = 700: that end drops them in silence',
    ]);
  });

  test('settings that fit are no error while nothing answers: it is something else', async () => {
    const confs = { 'client.conf': withSettings('client.conf'), 'server.conf': withSettings('server.conf') };
    const findings = await findingsOf(rules, { confs, captures: { a: failing(awg) }, at: { a: 'responder' } });
    expect(said(findings.filter(({ severity }) => severity !== 'info')).map((line) => line.replace(/:.*/, ''))).toEqual(
      ['error responder-silent'],
    );
  });

  test('header protection: said, and not read', async () => {
    const key = Buffer.alloc(32, 9).toString('base64');
    const confs = { 'client.conf': withSettings('client.conf', `${lines}\nHeaderProtectionKey = ${key}`) };
    const closed = [0, 5.1].map((at) =>
      there(
        at,
        Uint8Array.from({ length: 163 }, (_, i) => (i * 97 + at * 50 + 11) & 255),
      ),
    );
    const finding = await obfuscatedIn({ confs, captures: { a: capture(closed) }, at: { a: 'initiator' } });
    expect(finding?.notes).toEqual([
      expect.stringMatching(/^its header protection \(AmneziaWG 3\) hides type and index/),
    ]);
    expect(JSON.stringify(finding)).not.toContain(key);
  });

  test('only junk, before plain initiations: named for what it is', async () => {
    const plain = amnezia({ s: [0, 0, 0, 0], h: [1, 2, 3, 4], junk: 4 });
    const findings = await findingsOf(rules, {
      confs: FITTING,
      captures: { a: only(plain)({ packets: [...talk.packets, running(20)], given: {}, expects: '' }) },
      at: { a: 'initiator' },
    });
    expect(said(findings).filter((line) => /obfuscated|not-wireguard/.test(line))).toEqual([
      'info obfuscated: 4 datagrams of an extended WireGuard: junk before the initiations, as AmneziaWG sends it (Jc, I1 to I5)',
    ]);
  });
});

describe('LWO', () => {
  test('under a key that is not here it is named all the same, by what two initiations have in common', async () => {
    const form = lwo(OTHER.public);
    const packets = [...tries(1, 0x41, { forKey: OTHER }).flatMap(form), running(30)];
    const finding = await obfuscatedIn({ captures: { a: capture(inOrder(packets)) }, at: { a: 'initiator' } });
    expect([finding?.severity, finding?.certainty, finding?.message]).toEqual([
      'info',
      'suspected',
      '3 datagrams of an extended WireGuard: Mullvad LWO (header XORed with the receiver’s public key); key towards 203.0.113.10:51820 = a key that is not here',
    ]);
  });

  test('one datagram sent again is no sign of it', async () => {
    const [sent] = lwo(OTHER.public)(ask(0, 0x41, { forKey: OTHER }));
    const packets = [0, 5, 10].flatMap((at) => (sent === undefined ? [] : [{ ...sent, at }]));
    const findings = await findingsOf(rules, { captures: { a: capture(packets) } });
    expect(said(findings).filter((line) => line.includes('obfuscated'))).toEqual([]);
  });
});

test('a program between two forms: one tunnel, seen on both sides of it', async () => {
  const inner = { ip: [172, 17, 0, 2], port: 40_000 } as const;
  const outer = { ip: [172, 17, 0, 2], port: 40_001 } as const;
  const form = amnezia();
  const packets = talk.packets.flatMap((sent): Sent[] => {
    const up = sent.to.port === 51820;
    const plain = up ? { ...sent, to: inner } : { ...sent, from: inner };
    const [dressed] = form(sent);
    if (dressed === undefined) return [];
    const other = up ? { ...dressed, from: outer } : { ...dressed, to: outer };
    return up ? [plain, { ...other, at: sent.at + 0.001 }] : [other, { ...plain, at: sent.at + 0.001 }];
  });
  const given = {
    confs: FITTING,
    keyLogs: { 'keys.log': keyLog(talk.index) },
    captures: { a: capture(inOrder(packets)) },
  };
  expect((await besides(given)).filter((line) => !line.startsWith('info'))).toEqual([]);
  expect((await obfuscatedIn(given))?.facts).toMatchObject({ unwrapped: 14 });
});

test('a second identity in the same flow, with a PSK (post-quantum handshakes of NordLynx and Mullvad), is no fault', async () => {
  const second = { index: 0x51, at: 12, by: OTHER, psk: PSK_A } as const;
  const first = talking();
  const later = new Tunnel(second);
  for (let i = 0; i < 4; i++) later.there(ping(CLIENT_IN, SERVER_IN), 0.5).back(pong(SERVER_IN, CLIENT_IN), 0.02);
  const server = `${FITTING['server.conf'] ?? ''}\n[Peer]\nPublicKey = ${OTHER.public}\nPresharedKey = ${PSK_A}\nAllowedIPs = 10.66.66.2/32\n`;
  const captures = { a: capture(inOrder([...first.packets, ...later.packets, running(40)])) };
  for (const confs of [{}, { 'server.conf': server }, FITTING]) {
    for (const at of ['initiator', 'responder'] as const) {
      const names = (await findingsOf(rules, { confs, captures, at: { a: at } })).filter(
        ({ severity, rule }) => severity !== 'info' && rule.group !== 'config',
      );
      expect(said(names)).toEqual([]);
    }
  }
});

test.each(Object.entries(FORMS).filter(([name]) => !name.startsWith('udp')))(
  '%s: an ICMP error about it is about the initiation in it',
  async (_, { wrap }) => {
    const asked = tries(1, 0x61);
    const dressed = wrap({ packets: asked, given: {}, expects: '' });
    const reader = await openCapture(once(dressed));
    if (!reader.ok) throw new Error('no capture');
    const frames: PcapFrame[] = [];
    for await (const batch of reader.value.batches()) {
      for (const item of batch)
        if (item.kind === 'frame') frames.push({ time: item.frame.time, bytes: item.frame.bytes.slice() });
    }
    const last = frames.at(-1);
    if (last === undefined) throw new Error('no frames');
    // with enough of the message that it is not taken for a plain one whose beginning is missing
    const ends = { source: bytes(203, 0, 113, 10), destination: bytes(10, 99, 1, 2) };
    const refused = ipv4(ends, concat(bytes(3, 3, 0, 0, 0, 0, 0, 0), last.bytes.subarray(0, 128)), { protocol: 1 });
    const captures = { a: pcapFile({ linkType: 101 }, [...frames, { ...last, bytes: refused }]) };
    const findings = await findingsOf(rules, { confs: FITTING, captures, at: { a: 'initiator' } });
    expect(findings.map(({ rule }) => rule.name)).toContain('icmp-unreachable');
  },
);

async function* once(whole: Uint8Array): AsyncGenerator<Uint8Array> {
  yield whole;
}
