/** Rules on what should be inside the tunnel and is not, or is kept out: names asked outside, networks left out, old handshakes. */
import { describe, expect, test } from 'vitest';
import { checkTexts, judge, rows, type Texts } from './checked.ts';
import { asks, levels, pings, told, unanswered } from './inner-flows.ts';
import { CLIENT_IN, keysFor, opened, SERVER_IN, Tunnel } from './inside.ts';
import { CLIENT, fittingFiles, SERVER } from './keys.ts';
import { quick, ros, type ShownPeer, show } from './texts.ts';
import { tell } from './told.ts';
import { CLIENT_END, type End, NAT_END, type Sent } from './traffic.ts';
import { type Given, said } from './world.ts';

describe('dns-outside-tunnel', () => {
  const RESOLVER: End = { ip: [198, 51, 100, 53], port: 53 };
  const INSIDE: End = { ip: [10, 66, 66, 1], port: 53 };
  const question = (at: number, to: End, from: End = { ip: CLIENT_END.ip, port: 40_000 + at }): Sent => ({
    at,
    from,
    to,
    payload: new Uint8Array(30).with(1, at).with(2, 1),
  });
  const answered = (at: number, to: End): Sent[] => {
    const asked = question(at, to);
    return [asked, { ...asked, at: at + 0.1, from: to, to: asked.from, payload: asked.payload.with(2, 0x81) }];
  };
  const withDns = (dns: string, allowed = '0.0.0.0/0') => {
    const files = fittingFiles({ clientPeer: { allowed } });
    return { ...files, 'client.conf': (files['client.conf'] ?? '').replace('ListenPort', `DNS = ${dns}\nListenPort`) };
  };
  const given = (more: readonly Sent[], confs: Readonly<Record<string, string>> = withDns('10.66.66.1')): Given => ({
    ...opened([pings(new Tunnel(), CLIENT_IN, SERVER_IN, 30)], { confs, more, sealed: true }),
    at: { a: 'initiator' },
  });

  test('another server is asked', async () => {
    const found = await told(given([...answered(5, RESOLVER), ...answered(6, RESOLVER)]), 'dns-outside-tunnel');
    expect(said(found)).toEqual([
      'info dns-outside-tunnel: 2 questions for names went to 198.51.100.53 outside the tunnel, though client.conf line 4 names 10.66.66.1',
    ]);
    expect(found[0]).toMatchObject({ certainty: 'proven', subject: 'capture:a' });
    expect(found[0]?.frames.map(({ frame }) => frame)).toEqual([11, 15]);
  });

  test('the server itself, past the tunnel, and without an answer', async () => {
    const confs = withDns('9.9.9.9', '10.66.66.0/24');
    const asked = [5, 6, 7].map((at) => question(at, { ip: [9, 9, 9, 9], port: 53 }));
    expect(said(await told(given(asked, confs)))).toEqual([
      'warning dns-outside-tunnel: 3 questions for names went to 9.9.9.9 outside the tunnel, 3 of them without an answer: AllowedIPs do not lead to the server that client.conf line 4 names',
    ]);
  });

  test.each<[string, Given, string[]]>([
    ['two without an answer', given([question(5, RESOLVER), question(6, RESOLVER)]), ['info proven']],
    ['before the tunnel was up', given([question(-1, RESOLVER)]), []],
    ['of another host', given([question(5, RESOLVER, { ip: [10, 99, 1, 77], port: 4000 })]), []],
    ['on the tunnel’s own interface', given([question(5, INSIDE, { ip: [10, 66, 66, 2], port: 4000 })]), []],
    ['no DNS in the file', given([question(5, RESOLVER)], fittingFiles()), []],
    ['captured on the way', { ...given([question(5, RESOLVER)]), at: { a: 'between' } }, []],
    ['an answer to somebody outside', given([{ ...question(5, NAT_END), from: { ip: CLIENT_END.ip, port: 53 } }]), []],
  ])('%s', async (_, one, wanted) => {
    expect(await levels('dns-outside-tunnel', one)).toEqual(wanted);
  });
});

describe('allowedips-missing-lan', () => {
  /** Lines: 2 interface, 3 peer, 4 tunnel address, 5 LAN, 6 route, then further ones. */
  const router = (...more: readonly string[]): string =>
    ros(
      `/interface wireguard add name=wireguard1 listen-port=51821 private-key="${CLIENT.secret}"`,
      `/interface wireguard peers add interface=wireguard1 public-key="${SERVER.public}" endpoint-address=203.0.113.10 endpoint-port=51820 allowed-address=10.66.66.0/24,10.10.0.0/24`,
      '/ip address add address=10.66.66.2/24 interface=wireguard1',
      '/ip address add address=192.168.88.1/24 interface=bridge1',
      ...more,
    );
  const route = '/ip route add dst-address=10.10.0.0/24 gateway=wireguard1';
  const server = (allowed: string): string =>
    quick(
      SERVER.secret,
      'Address = 10.66.66.1/24',
      'ListenPort = 51820',
      `[Peer] ${CLIENT.public}`,
      `AllowedIPs = ${allowed}`,
    );
  const FOUND =
    'the hosts of 192.168.88.0/24 (router.rsc line 5) reach 10.10.0.0/24 through the tunnel of router.rsc (router.rsc line 6), and server.conf line 8 allows only 10.66.66.2/32 for it';

  test('by the files', async () => {
    const { findings } = await checkTexts({ 'router.rsc': router(route), 'server.conf': server('10.66.66.2/32') });
    const found = findings.filter(({ rule }) => rule === 'allowedips-missing-lan');
    expect(found.map(({ severity, certainty, message }) => `${severity} ${certainty}: ${message}`)).toEqual([
      `warning deduced: ${FOUND}`,
    ]);
    expect(found[0]?.edits).toEqual([
      { input: 'b', line: 8, kind: 'replace', text: 'AllowedIPs = 10.66.66.2/32, 192.168.88.0/24' },
    ]);
  });

  test.each<[string, Texts]>([
    ['it is there', { 'router.rsc': router(route), 'server.conf': server('10.66.66.2/32, 192.168.88.0/24') }],
    [
      'a part of it is there: so it is meant',
      { 'router.rsc': router(route), 'server.conf': server('10.66.66.2/32, 192.168.88.20/32') },
    ],
    ['everything is allowed', { 'router.rsc': router(route), 'server.conf': server('0.0.0.0/0') }],
    ['no route leads from it into the tunnel', { 'router.rsc': router(), 'server.conf': server('10.66.66.2/32') }],
    [
      'it is masqueraded',
      {
        'router.rsc': router(route, '/ip firewall nat add chain=srcnat action=masquerade out-interface=wireguard1'),
        'server.conf': server('10.66.66.2/32'),
      },
    ],
    ['only one file', { 'router.rsc': router(route) }],
  ])('not: %s', async (_, texts) => {
    const { findings } = await checkTexts(texts);
    expect(findings.map(({ rule }) => rule)).not.toContain('allowedips-missing-lan');
  });

  const files = { 'router.rsc': router(route), 'server.conf': server('10.66.66.2/32') };

  test('packets of its hosts are dropped', async () => {
    const on = asks(pings(new Tunnel(), CLIENT_IN, SERVER_IN, 3), '192.168.88.20', '10.10.0.7', 4).idle(12);
    const said = await tell({ packets: on.packets, files: { ...files, 'keys.log': keysFor(on) } });
    expect(said.lines.slice(0, 2)).toEqual([
      'error proven source-not-allowed',
      'warning proven allowedips-missing-lan',
    ]);
    expect(said.finding('allowedips-missing-lan')).toMatchObject({ facts: { packets: 4 }, frames: 'a9 a10 a11 a12' });
  });

  test('not opened: data is never answered', async () => {
    const on = unanswered(new Tunnel(), '192.168.88.20', '10.10.0.7', 24);
    const said = await tell({ packets: on.packets, files });
    expect(said.lines).toContain('warning deduced allowedips-missing-lan');
    expect(said.finding('allowedips-missing-lan')?.frames).toMatch(/^a3 a4 /);
  });
});

describe('handshake-stale', () => {
  const peer = (handshake: string, more: Partial<ShownPeer> = {}): ShownPeer => ({
    key: CLIENT.public,
    endpoint: '198.51.100.9:51821',
    allowed: '10.66.66.2/32',
    handshake,
    transfer: '4444 B received, 9999 B sent',
    ...more,
  });
  const server = (one: ShownPeer): string => show(SERVER.public, 51820, one);
  const keepalive = { keepalive: 'every 25 seconds' };

  test.each(
    rows([
      [
        'a keepalive goes out every 25 seconds',
        { 'server.txt': server(peer('2 hours, 10 minutes ago', keepalive)) },
        [
          'info deduced handshake-stale: the last handshake with server.txt [Peer] line 6 (pOCSkr…ogk=) (server.txt line 10) is 2 h 10 min old although a keepalive goes out every 25 s',
        ],
      ],
      [
        'more went out between two texts',
        {
          'before.txt': server(peer('5 minutes ago')),
          'later.txt': server(peer('15 minutes ago', { transfer: '4444 B received, 11479 B sent' })),
        },
        [
          'info proven handshake-stale: the last handshake with before.txt [Peer] line 6 (pOCSkr…ogk=) (later.txt line 10) is 15 min 0 s old although 1480 bytes went out meanwhile and nothing came in',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<[string, Texts]>([
    ['idle without keepalive: any age is normal', { 'server.txt': server(peer('9 hours ago')) }],
    ['within what a handshake takes', { 'server.txt': server(peer('3 minutes, 10 seconds ago', keepalive)) }],
    [
      'nowhere to send to',
      {
        'server.txt': server({ key: CLIENT.public, allowed: '10.66.66.2/32', handshake: '9 hours ago', ...keepalive }),
      },
    ],
    [
      'never: another finding',
      { 'server.txt': server({ key: CLIENT.public, endpoint: '198.51.100.9:1', ...keepalive }) },
    ],
    [
      'something came in between two texts',
      {
        'before.txt': server(peer('5 minutes ago')),
        'later.txt': server(peer('15 minutes ago', { transfer: '4476 B received, 11479 B sent' })),
      },
    ],
  ])('not: %s', async (_, texts) => {
    const { findings } = await checkTexts(texts);
    expect(findings.map(({ rule }) => rule)).not.toContain('handshake-stale');
  });
});
