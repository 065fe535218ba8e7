/** Rules on what is asked inside the tunnel in vain: hosts behind the other end, name servers. */
import { describe, expect, test } from 'vitest';
import { asks, levels, pings, told, unanswered } from './inner-flows.ts';
import {
  ACK,
  CLIENT_IN,
  dns,
  icmpError,
  LAN_HOST,
  LAN_OTHER,
  opened,
  ping,
  pong,
  SERVER_IN,
  SYN,
  Tunnel,
  tcp,
} from './inside.ts';
import { fittingFiles } from './keys.ts';
import { type Given, said } from './world.ts';

const tunnel = (): Tunnel => new Tunnel();
const confs = fittingFiles({ clientPeer: { allowed: '10.66.66.0/24, 192.168.50.0/24' } });
const alive = (count = 3): Tunnel => pings(tunnel(), CLIENT_IN, SERVER_IN, count);

describe('inner-unanswered', () => {
  test('the other end answers, two hosts behind it do not', async () => {
    const on = asks(asks(alive(), CLIENT_IN, LAN_HOST, 5), CLIENT_IN, LAN_OTHER, 5).idle(12);
    const found = await told(opened([on], { confs }));
    expect(said(found)).toEqual([
      'error inner-unanswered: client.conf asked 192.168.50.10, 192.168.50.20 through the tunnel 10 times and got no answer, while 10.66.66.1 at server.conf itself answers: server.conf does not pass it on, or the way back is missing',
    ]);
    expect(found[0]).toMatchObject({
      certainty: 'deduced',
      ruledOut: [{ rule: 'peer-went-away' }, { rule: 'source-not-allowed' }],
    });
    expect(found[0]?.frames.map(({ frame }) => frame)).toEqual([9, 13, 14, 18]);
    expect(found[0]?.fix.linux).toContain(
      'the way back: on the router of that network a route to 10.66.66.0/24 by way of this host, or here: iptables -t nat -A POSTROUTING -s 10.66.66.0/24 -o LAN_INTERFACE -j MASQUERADE',
    );
  });

  test('the internet: masquerading', async () => {
    const on = alive();
    for (const host of ['1.1.1.1', '93.184.216.34'])
      for (let i = 0; i < 3; i++) on.there(tcp(CLIENT_IN, host, { flags: SYN }), 1);
    const [finding] = await told(opened([on.idle(12)]));
    expect(finding).toMatchObject({
      certainty: 'deduced',
      facts: { internet: true, silent: ['1.1.1.1', '93.184.216.34'] },
    });
    expect(finding?.fix.linux?.[2]).toBe(
      'iptables -t nat -A POSTROUTING -s 10.66.66.2 -o OUTER_INTERFACE -j MASQUERADE',
    );
  });

  test('an error inside says it', async () => {
    const on = alive();
    for (let i = 0; i < 3; i++) {
      const asked = ping(CLIENT_IN, LAN_HOST);
      on.there(asked, 1).back(icmpError(SERVER_IN, asked, 3, 13), 0.001);
    }
    const found = await told(opened([on.idle(12)], { confs }));
    expect(said(found)).toEqual([
      'error inner-unanswered: client.conf asked 192.168.50.10 through the tunnel 3 times and got no answer: 10.66.66.1 says “admin prohibited” about 192.168.50.10',
    ]);
    expect(found[0]?.certainty).toBe('proven');
  });

  test('an address in the network of the tunnel that no peer has', async () => {
    const all = fittingFiles({ client: { address: '10.66.66.2/32' }, clientPeer: { allowed: '0.0.0.0/0' } });
    const on = asks(alive(), CLIENT_IN, '10.66.66.200', 5).idle(12);
    const [finding] = await told(opened([on], { confs: all }), 'inner-unanswered');
    expect(finding?.severity).toBe('info');
    expect(finding?.notes).toContain(
      'nobody may have 10.66.66.200: it lies in the network of the tunnel at server.conf, in the AllowedIPs of no peer there',
    );
  });

  test('an error after ARP: that host may be off', async () => {
    const on = alive();
    for (let i = 0; i < 3; i++) {
      const asked = ping(CLIENT_IN, LAN_HOST);
      on.there(asked, 1).back(icmpError(SERVER_IN, asked, 3, 1), 3.1);
    }
    expect(await levels('inner-unanswered', opened([on.idle(12)], { confs }))).toEqual(['warning proven']);
  });

  const closed = (given: Partial<Given> = {}): Given =>
    opened([unanswered(alive(), CLIENT_IN, LAN_HOST, 24)], { confs, sealed: true, ...given });

  test('not opened: by the file and the pattern', async () => {
    const [finding] = await told(closed());
    expect(said(finding === undefined ? [] : [finding])).toEqual([
      'warning inner-unanswered: client.conf sent 24 data messages of 128 bytes, one every 1 s, and server.conf took them and never answered: it may not pass on what goes to 192.168.50.0/24, or the way back is missing',
    ]);
    expect(finding?.certainty).toBe('suspected');
  });

  const silentOwn = unanswered(tunnel(), CLIENT_IN, SERVER_IN, 24);
  const someAnswer = pings(asks(alive(), CLIENT_IN, LAN_HOST, 5), CLIENT_IN, LAN_OTHER, 2, 63).idle(12);
  const streams = alive();
  for (let i = 1; i <= 60; i++) {
    streams.there(ping(CLIENT_IN, LAN_HOST, { size: 56 + 16 * (i % 5) }), 0.4);
    if (i % 26 === 0) streams.back(new Uint8Array(0));
  }

  test.each<[string, Given, string[]]>([
    ['one host alone', opened([asks(alive(), CLIENT_IN, LAN_HOST, 5).idle(12)], { confs }), ['info suspected']],
    ['nothing inside answers', opened([silentOwn], { confs }), ['warning suspected']],
    ['without files', opened([asks(alive(), CLIENT_IN, LAN_HOST, 5).idle(12)]), ['info suspected']],
    ['not opened, the file sends nothing further', closed({ confs: fittingFiles() }), ['info suspected']],
    ['not opened, no file', closed({ confs: {} }), ['info suspected']],
    ['another host behind it answers', opened([someAnswer], { confs }), []],
    [
      'the other end does not answer pings, but others do',
      opened([pings(asks(tunnel(), CLIENT_IN, SERVER_IN, 5), CLIENT_IN, LAN_HOST, 3, 63).idle(12)], { confs }),
      [],
    ],
    ['asked too shortly before the end', opened([asks(alive(), CLIENT_IN, LAN_HOST, 3)], { confs }), []],
    ['asked but twice', opened([asks(alive(), CLIENT_IN, LAN_HOST, 2).idle(12)], { confs }), []],
    ['the host itself refuses', opened([refused()], { confs }), []],
    ['one-way, and no question by its shape', opened([streams.idle(12)], { confs, sealed: true }), []],
    ['all is answered', opened([pings(alive(), CLIENT_IN, LAN_HOST, 20, 63)], { confs }), []],
    ['the answers were cut', cutAnswers(), []],
    ['an address that many listen to', opened([asks(alive(), CLIENT_IN, '224.0.0.5', 8).idle(12)], { confs }), []],
  ])('%s', async (_, given, wanted) => {
    expect(await levels('inner-unanswered', given)).toEqual(wanted);
  });

  function refused(): Tunnel {
    const on = alive();
    for (let i = 0; i < 4; i++) {
      const asked = ping(CLIENT_IN, LAN_HOST);
      on.there(asked, 1).back(icmpError(LAN_HOST, asked, 3, 3));
    }
    return on.idle(12);
  }

  /** A short snaplen: what is asked fits, the larger answers do not. */
  function cutAnswers(): Given {
    const on = alive();
    for (let i = 0; i < 5; i++)
      on.there(ping(CLIENT_IN, LAN_HOST, { size: 8 }), 1).back(pong(LAN_HOST, CLIENT_IN, { size: 900, ttl: 63 }));
    const given = on.idle(12);
    const packets = given.packets.map((sent) => (sent.payload.length > 400 ? { ...sent, kept: 200 } : sent));
    given.packets.splice(0, given.packets.length, ...packets);
    return opened([given], { confs });
  }
});

describe('dns-unanswered', () => {
  const asked = (count: number, server: string, code?: (n: number) => number | undefined): Tunnel => {
    const on = alive();
    for (let n = 1; n <= count; n++) {
      on.there(dns(CLIENT_IN, server, n), 1);
      const answer = code?.(n);
      if (answer !== undefined) on.back(dns(server, CLIENT_IN, n, answer));
    }
    return on.idle(12);
  };
  const named = { 'client.conf': (confs['client.conf'] ?? '').replace('ListenPort', 'DNS = 10.66.66.1\nListenPort') };

  test('no answer at all', async () => {
    const found = await told(opened([asked(3, SERVER_IN)], { confs: named }));
    expect(said(found)).toEqual([
      'warning dns-unanswered: client.conf asked 10.66.66.1 for names 3 times through the tunnel, and no answer came',
    ]);
    expect(found[0]).toMatchObject({ certainty: 'proven', facts: { place: 'client.conf line 4' } });
    expect(found[0]?.frames.map(({ frame }) => frame)).toEqual([9, 10, 11]);
  });

  test('refused by the server', async () => {
    const found = await told(opened([asked(3, SERVER_IN, () => 5)], { confs: named }));
    expect(said(found)).toEqual([
      'warning dns-unanswered: client.conf asked 10.66.66.1 for names 3 times through the tunnel, and each answer is “refused” or “server failure” (3)',
    ]);
  });

  test.each<[string, Given, string[]]>([
    ['two of three', opened([asked(3, SERVER_IN, (n) => (n === 2 ? 0 : undefined))]), ['warning proven']],
    [
      'nothing behind the other end answers: that is the cause',
      opened([asks(asked(4, LAN_HOST), CLIENT_IN, LAN_OTHER, 5).idle(12)], { confs }),
      [],
    ],
    ['one question', opened([asked(1, SERVER_IN)]), []],
    ['each answered', opened([asked(5, SERVER_IN, () => 0)]), []],
    ['no such name is an answer', opened([asked(5, SERVER_IN, () => 3)]), []],
    ['one of five lost', opened([asked(5, SERVER_IN, (n) => (n === 2 ? undefined : 0))]), []],
    [
      'too shortly before the end',
      opened([
        asked(0, SERVER_IN)
          .there(dns(CLIENT_IN, SERVER_IN, 1))
          .there(dns(CLIENT_IN, SERVER_IN, 2), 1),
      ]),
      [],
    ],
    ['multicast names', opened([asked(3, '224.0.0.251')]), []],
    ['not opened', opened([asked(5, SERVER_IN)], { sealed: true }), []],
  ])('%s', async (_, given, wanted) => {
    expect(await levels('dns-unanswered', given)).toEqual(wanted);
  });
});

describe('mss-too-large', () => {
  interface Talk {
    readonly mss?: number;
    readonly answers?: number;
    /** Of what the server sends: one hop less than 64 where it is behind the other end. */
    readonly ttl?: number;
    readonly lost?: boolean;
    readonly again?: boolean;
    readonly acknowledged?: boolean;
  }
  /** A host behind the client gets something of a host behind the server. */
  const download = ({
    mss = 1460,
    answers = 1372,
    ttl = 63,
    lost = false,
    again = false,
    acknowledged = false,
  }: Talk = {}): Tunnel => {
    const [host, server] = ['192.168.88.20', LAN_HOST];
    const on = tunnel()
      .there(tcp(host, server, { flags: SYN, mss, sequence: 99, ttl: 63 }))
      .back(
        tcp(server, host, {
          ports: [443, 40_000],
          flags: SYN | ACK,
          mss: answers,
          sequence: 999,
          acknowledged: 100,
          ttl,
        }),
      )
      .there(tcp(host, server, { sequence: 100, acknowledged: 1000, payload: 300, ttl: 63 }));
    const segment = (sequence: number, payload: number) =>
      tcp(server, host, { ports: [443, 40_000], sequence, acknowledged: 400, payload, ttl });
    if (!lost) on.back(segment(1000, 1380));
    on.back(segment(2380, 200)).there(tcp(host, server, { sequence: 400, acknowledged: lost ? 1000 : 2580, ttl: 63 }));
    if (again) on.back(segment(1000, 1380), 0.3);
    if (acknowledged) on.there(tcp(host, server, { sequence: 400, acknowledged: 2580, ttl: 63 }));
    return on.idle(12);
  };
  const told1 = async (on: Tunnel, mtu?: number) =>
    (await told(opened([on], { confs: withMtu(mtu) }), 'mss-too-large')).filter(
      ({ rule }) => rule.name === 'mss-too-large',
    );
  const withMtu = (mtu: number | undefined) => {
    const files = fittingFiles({
      clientPeer: { allowed: '0.0.0.0/0' },
      serverPeer: { allowed: '10.66.66.2/32, 192.168.88.0/24' },
    });
    const client = files['client.conf'] ?? '';
    return mtu === undefined
      ? files
      : { ...files, 'client.conf': client.replace('ListenPort', `MTU = ${mtu}\nListenPort`) };
  };

  test('by the file', async () => {
    const found = await told1(download(), 1412);
    expect(said(found)).toEqual([
      'info mss-too-large: 192.168.88.20 announces MSS 1460 through the tunnel (1 connection): packets of 1500 bytes do not fit MTU 1412 (client.conf line 4), MSS 1372 does',
    ]);
    expect(found[0]).toMatchObject({ certainty: 'proven', frames: [{ frame: 3 }] });
    expect(found[0]?.fix.linux?.[1]).toBe(
      'iptables -t mangle -A FORWARD -i wg0 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu',
    );
  });

  test('with the damage seen', async () => {
    const found = await told1(download({ lost: true }), 1412);
    expect(said(found)).toEqual([
      'warning mss-too-large: 192.168.88.20 announces MSS 1460 through the tunnel (1 connection; in 1 of them large segments never came): packets of 1500 bytes do not fit MTU 1412 (client.conf line 4), MSS 1372 does',
    ]);
    expect(found[0]?.frames.map(({ frame }) => frame)).toEqual([3, 6]);
  });

  test.each<[string, Tunnel, number | undefined, string[]]>([
    ['no file says the MTU', download(), undefined, ['info suspected']],
    ['it fits exactly', download({ mss: 1380 }), undefined, []],
    ['the end of the tunnel itself sends, and keeps to its MTU', download({ ttl: 64 }), undefined, []],
    ['only the answer is too large', download({ mss: 1372, answers: 1380 }), 1412, ['info proven']],
    ['both fit the file exactly', download({ mss: 1372 }), 1412, []],
    ['sent again, and there', download({ lost: true, again: true }), undefined, ['info suspected']],
    ['it came by another way', download({ lost: true, acknowledged: true }), undefined, ['info suspected']],
  ])('%s', async (_, on, mtu, wanted) => {
    const found = await told1(on, mtu);
    expect(found.map(({ severity, certainty }) => `${severity} ${certainty}`)).toEqual(wanted);
  });
});
