/** Rules on what is inside the tunnel: real messages of the engine, opened with their keys, and the same without them. */
import { describe, expect, test } from 'vitest';
import { asks, levels, pings, told, unanswered } from './inner-flows.ts';
import { CLIENT_IN, LAN_HOST, opened, ping, SERVER_IN, Tunnel, type TunnelOptions, tcp, udp } from './inside.ts';
import { fittingFiles, OTHER } from './keys.ts';
import { data } from './traffic.ts';
import { type Given, said } from './world.ts';

const tunnel = (options?: TunnelOptions): Tunnel => new Tunnel(options);

describe('source-not-allowed', () => {
  const confs = fittingFiles({ serverPeer: { allowed: '10.66.66.9/32' } });
  const strays = (count: number): Tunnel => {
    const on = pings(tunnel(), CLIENT_IN, SERVER_IN, 20);
    for (let i = 0; i < count; i++) on.there(tcp('192.168.1.5', LAN_HOST), 0.2);
    return on.idle(12);
  };

  test('opened: the source, the line, how many', async () => {
    const [finding, ...more] = await told(opened([unanswered(tunnel(), CLIENT_IN, SERVER_IN, 12)], { confs }));
    expect(said([...(finding === undefined ? [] : [finding])])).toEqual([
      'error source-not-allowed: 12 packets from 10.66.66.2 came through the tunnel from client.conf, and server.conf line 8 allows 10.66.66.9/32 for it: dropped after decryption',
    ]);
    expect(finding).toMatchObject({
      certainty: 'proven',
      subject: 'tunnel:10.99.1.2:51821 ~ 203.0.113.10:51820',
      edits: [{ input: 'server.conf', line: 8, kind: 'replace', text: 'AllowedIPs = 10.66.66.9/32, 10.66.66.2/32' }],
    });
    expect(finding?.frames.map(({ frame }) => frame).slice(0, 3)).toEqual([3, 4, 5]);
    expect(said(more)).toEqual([
      'error allowedips-missing-address: client.conf line 3 sends from 10.66.66.2, and server.conf line 8 allows only 10.66.66.9/32 for it',
    ]);
  });

  test('not opened: by the files, since nothing is ever answered', async () => {
    const on = unanswered(tunnel(), CLIENT_IN, SERVER_IN, 24);
    const [finding] = await told(opened([on], { confs, sealed: true }));
    expect(finding).toMatchObject({
      certainty: 'deduced',
      message:
        '24 packets from client.conf with its own address 10.66.66.2 were taken and never answered, and server.conf line 8 allows 10.66.66.9/32 for it: dropped after decryption',
      ruledOut: [{ rule: 'packet-loss' }],
    });
  });

  test('another peer has the whole network there', async () => {
    const two = fittingFiles({ serverPeer: { allowed: '10.66.66.0/24' } });
    const server = `${two['server.conf'] ?? ''}\n[Peer]\nPublicKey = ${OTHER.public}\nAllowedIPs = 10.66.66.0/24\n`;
    const given = opened([unanswered(tunnel(), CLIENT_IN, SERVER_IN, 24)], {
      confs: { 'server.conf': server },
      sealed: true,
    });
    const [finding] = await told(given);
    expect(finding).toMatchObject({
      certainty: 'deduced',
      message:
        '24 packets from 10.99.1.2:51821 were taken and never answered, and server.conf line 8 allows nothing for it: dropped after decryption',
      facts: { owner: 'server.conf line 12' },
      edits: [],
    });
    expect(finding?.fix.linux?.[0]).toContain('server.conf line 12 has it now');
  });

  test('a host behind the client', async () => {
    const on = pings(tunnel(), CLIENT_IN, SERVER_IN, 3);
    for (let i = 0; i < 4; i++) on.there(ping('192.168.88.20', SERVER_IN), 1);
    const [finding] = await told(opened([on.idle(12)], { confs: fittingFiles() }));
    expect(finding?.facts).toMatchObject({ sources: ['192.168.88.20'], packets: 4 });
    expect(finding?.notes).toContain(
      '192.168.88.20 is no address of client.conf itself: it comes from behind it, or from another interface of that host',
    );
  });

  test('strays of connections that are older than the tunnel are information', async () => {
    const found = await told(opened([strays(3)], { confs: fittingFiles() }), 'source-not-allowed');
    expect(found.map(({ severity, rule }) => `${severity} ${rule.name}`)).toEqual(['info source-not-allowed']);
  });

  test.each<[string, Given]>([
    ['the files fit', opened([pings(tunnel(), CLIENT_IN, SERVER_IN, 12)], { confs: fittingFiles() })],
    [
      'answers come all the same: the file is not what ran',
      opened([pings(tunnel(), CLIENT_IN, SERVER_IN, 12)], {
        confs: fittingFiles({ serverPeer: { allowed: '10.66.66.9/32' } }),
      }),
    ],
    [
      'to many, from a link-local address',
      opened(
        [
          pings(tunnel(), CLIENT_IN, SERVER_IN, 2)
            .there(udp('169.254.7.7', '224.0.0.251', [5353, 5353]))
            .idle(12),
        ],
        { confs: fittingFiles() },
      ),
    ],
    ['no file of the receiver', opened([pings(tunnel(), '10.9.9.9', SERVER_IN, 4)], {})],
    [
      'not opened, and it answered before',
      opened([unanswered(pings(tunnel(), CLIENT_IN, SERVER_IN, 2), CLIENT_IN, SERVER_IN, 24)], { confs, sealed: true }),
    ],
    [
      'not opened, and no keepalive shows that it arrived',
      opened([asks(tunnel(), CLIENT_IN, SERVER_IN, 24)], { confs, sealed: true }),
    ],
  ])('not: %s', async (_, given) => {
    const names = (await told(given, 'source-not-allowed')).map(({ rule }) => rule.name);
    expect(names).not.toContain('source-not-allowed');
  });
});

describe('inner-invalid', () => {
  const ethernet = new Uint8Array(64).fill(0xff);
  const lying = ping(CLIENT_IN, SERVER_IN).with(2, 9);

  test('no IP, and a length that lies', async () => {
    const on = tunnel().there(ethernet).there(lying, 1).there(new Uint8Array(16).fill(0x45), 1).idle(12);
    const [finding, ...more] = await told(opened([on], { confs: fittingFiles() }));
    expect(more).toEqual([]);
    expect(said(finding === undefined ? [] : [finding])).toEqual([
      'error inner-invalid: 3 packets that client.conf put into the tunnel (100 % of its data) are no valid IP: 1 neither IPv4 nor IPv6; 1 shorter than its own IP header says; 1 shorter than an IP header',
    ]);
    expect(finding).toMatchObject({ certainty: 'proven', frames: [{ frame: 3 }, { frame: 4 }, { frame: 5 }] });
  });

  test.each<[string, Tunnel, string[]]>([
    ['one among many', pings(tunnel(), CLIENT_IN, SERVER_IN, 12).there(ethernet).idle(12), ['warning proven']],
    ['padding behind the packet is right', pings(tunnel(), CLIENT_IN, SERVER_IN, 12), []],
    ['keepalives are empty', tunnel().idle(1).idle(1), []],
  ])('%s', async (_, on, wanted) => {
    expect(await levels('inner-invalid', opened([on], { confs: fittingFiles() }))).toEqual(wanted);
  });
});

describe('counter-exhausted', () => {
  const BEYOND = 2 ** 64 - 4096;
  const late = (counter: number): Tunnel =>
    pings(tunnel(), CLIENT_IN, SERVER_IN, 3).counter('there', counter).there(ping(CLIENT_IN, SERVER_IN)).idle(12);

  test('beyond the last', async () => {
    const found = await told(opened([late(BEYOND)], { confs: fittingFiles() }));
    expect(said(found)).toEqual([
      'warning counter-exhausted: 2 data messages from 10.99.1.2:51821 in session 0x00000111 have counters beyond the last that a session may use: nobody takes that',
    ]);
    expect(found[0]).toMatchObject({
      certainty: 'proven',
      subject: 'session:0x00000111',
      frames: [{ frame: 9 }, { frame: 10 }],
    });
  });

  test.each<[string, Tunnel, { sealed?: true }, string[]]>([
    ['nothing opens it', late(BEYOND), { sealed: true }, ['warning suspected']],
    ['far from it', late(2 ** 60), {}, []],
  ])('%s', async (_, on, how, wanted) => {
    expect(await levels('counter-exhausted', opened([on], { confs: fittingFiles(), ...how }))).toEqual(wanted);
  });
});

describe('routing-loop', () => {
  const OUTER = ['10.99.1.2', '203.0.113.10'] as const;
  const wrapped = (index: number, ports: readonly [number, number] = [51821, 51820]): Uint8Array =>
    udp(...OUTER, ports, data(index, 7));

  test('its own messages inside', async () => {
    const on = pings(tunnel(), CLIENT_IN, SERVER_IN, 2);
    for (let i = 0; i < 3; i++) on.there(wrapped(0x111), 1);
    const found = await told(opened([on.idle(12)]));
    expect(said(found)).toEqual([
      'error routing-loop: 3 packets inside the tunnel of 10.99.1.2:51821 are WireGuard data messages to 203.0.113.10:51820: the tunnel’s own messages are routed into the tunnel',
    ]);
    expect(found[0]).toMatchObject({ certainty: 'proven', frames: [{ frame: 7 }, { frame: 8 }, { frame: 9 }] });
    expect(found[0]?.fix.linux?.[0]).toBe(
      'on the sending end: ip route get 203.0.113.10   (must not show the WireGuard interface)',
    );
  });

  test('each end takes the other for the way', async () => {
    const on = pings(tunnel(), CLIENT_IN, SERVER_IN, 2);
    for (let ttl = 60; ttl > 54; ttl -= 2)
      on.there(ping(CLIENT_IN, LAN_HOST, { ttl })).back(ping(CLIENT_IN, LAN_HOST, { ttl: ttl - 1 }));
    const found = (await told(opened([on.idle(12)]))).filter(({ rule }) => rule.name === 'routing-loop');
    expect(said(found)).toEqual([
      'error routing-loop: 3 packets to 192.168.50.10 that 10.99.1.2:51821 sent through the tunnel came back into it at the other end: each end takes the other for the way there',
    ]);
  });

  test.each<[string, Uint8Array, string[]]>([
    [
      'another tunnel to the same place',
      udp('192.168.88.9', OUTER[1], [40_000, 51820], data(0x4242, 7)),
      ['info proven'],
    ],
    ['WireGuard to another port', wrapped(0x111, [51821, 51999]), []],
    ['to that port, and no WireGuard', udp(...OUTER, [51821, 51820], new Uint8Array(40).fill(9)), []],
    ['a message of another length', udp(...OUTER, [51821, 51820], data(0x111, 1).with(0, 1)), []],
  ])('%s', async (_, inner, wanted) => {
    const on = pings(tunnel(), CLIENT_IN, SERVER_IN, 2).there(inner).idle(12);
    expect(await levels('routing-loop', opened([on]))).toEqual(wanted);
  });
});
