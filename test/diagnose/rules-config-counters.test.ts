/** What counters alone tell: how far a handshake came, which causes that leaves, and who is behind NAT. */
import { describe, expect, test } from 'vitest';
import { checkTexts, judge, rows, type Texts, told } from './checked.ts';
import { CLIENT, fittingFiles, OTHER, PSK_A, PSK_B, SERVER } from './keys.ts';
import { type DumpedPeer, dump, quick, ros, show } from './texts.ts';

const PLACE = '203.0.113.10:51820';
const toServer = { key: SERVER.public, endpoint: PLACE, allowed: '10.66.66.0/24' };
const toClient = { key: CLIENT.public, endpoint: '198.51.100.9:51821', allowed: '10.66.66.2/32' };
const asker = (transfer: string, ...more: readonly { psk: true }[]): string =>
  show(CLIENT.public, 51821, { ...toServer, transfer, ...more[0] });

const NEVER = (n: number, end = ''): string =>
  `warning proven counters-never-received: client.txt line 9: ${n} initiations (${n * 148} bytes) went to ${PLACE}, and nothing was taken in from there${end}`;
const UNCONFIRMED = (n: number): string =>
  `warning proven counters-unconfirmed: server.txt line 9: ${n} initiations (${n * 148} bytes) of 198.51.100.9:51821 were taken and answered, and no session came of any`;

describe('one end', () => {
  test.each(
    rows([
      ['initiations and nothing else', { 'client.txt': asker('0 B received, 444 B sent') }, [NEVER(3)]],
      [
        'in KiB, as wg show rounds it, it is no longer certain',
        { 'client.txt': asker('0 B received, 2.89 KiB sent') },
        [NEVER(20).replace('2960', '2959')],
      ],
      [
        'a single one may be on its way: information',
        { 'client.txt': asker('0 B received, 148 B sent') },
        [
          `info proven counters-never-received: client.txt line 9: 1 initiation (148 bytes) went to ${PLACE}, and nothing was taken in from there`,
        ],
      ],
      [
        'initiations taken and answered',
        { 'server.txt': show(SERVER.public, 51820, { ...toClient, transfer: '444 B received, 276 B sent' }) },
        [UNCONFIRMED(3)],
      ],
      [
        'a print of RouterOS',
        {
          'print.txt': `/interface wireguard peers print detail\nFlags: X - disabled; D - dynamic \n 0   interface=wg1 name="peer1" public-key="${SERVER.public}" private-key="" endpoint-address=203.0.113.10 endpoint-port=51820 current-endpoint-address=203.0.113.10 current-endpoint-port=51820 allowed-address=10.66.66.0/24 preshared-key="" rx=0 tx=592\n`,
        },
        [
          `warning proven counters-never-received: print.txt line 3: 4 initiations (592 bytes) went to ${PLACE}, and nothing was taken in from there`,
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['nothing at all was sent', { 'client.txt': asker('0 B received, 0 B sent') }],
    ['no whole number of initiations', { 'client.txt': asker('0 B received, 500 B sent') }],
    [
      'an answer was taken in',
      {
        'client.txt': show(CLIENT.public, 51821, {
          ...toServer,
          handshake: '5 seconds ago',
          transfer: '92 B received, 180 B sent',
        }),
      },
    ],
    ['too much to tell', { 'client.txt': asker('0 B received, 1.20 MiB sent') }],
    [
      'a session stood',
      {
        'server.txt': show(SERVER.public, 51820, {
          ...toClient,
          handshake: '1 minute ago',
          transfer: '444 B received, 276 B sent',
        }),
      },
    ],
    [
      'AmneziaWG has other sizes',
      { 'client.txt': asker('0 B received, 444 B sent').replace('  listening port', '  jc: 4\n  listening port') },
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('both ends', () => {
  const side = (a: DumpedPeer, b: DumpedPeer): Texts => ({
    'client.txt': dump(CLIENT, 51821, a),
    'server.txt': dump(SERVER, 51820, b),
  });
  const a = (rx: number, tx: number, psk?: string): DumpedPeer => ({
    ...toServer,
    rx,
    tx,
    ...(psk === undefined ? {} : { psk }),
  });
  const b = (rx: number, tx: number, psk?: string): DumpedPeer => ({
    ...toClient,
    rx,
    tx,
    ...(psk === undefined ? {} : { psk }),
  });

  test.each<readonly [string, Texts, readonly string[], RegExp]>([
    [
      'nothing arrives: not the keys, not the PSK',
      side(a(0, 444), b(0, 0)),
      ['counters-never-received'],
      /the two have each other’s keys, so these are not the reason/,
    ],
    [
      'it arrives and is answered, and the PSKs are the same',
      side(a(0, 444, PSK_A), b(444, 276, PSK_A)),
      ['counters-never-received', 'counters-unconfirmed'],
      /the PresharedKeys are the same: what is left is the way back/,
    ],
    [
      'it arrives and is answered, and the PSKs differ',
      side(a(0, 444, PSK_A), b(444, 276, PSK_B)),
      ['psk-differs', 'counters-never-received', 'counters-unconfirmed'],
      /the PresharedKeys differ: answers arrive and cannot be opened/,
    ],
    [
      'hidden PSKs: lost answers and another PSK count the same',
      {
        'client.txt': asker('0 B received, 444 B sent', { psk: true }),
        'server.txt': show(SERVER.public, 51820, { ...toClient, psk: true, transfer: '444 B received, 276 B sent' }),
      },
      ['counters-never-received', 'counters-unconfirmed'],
      /the counters are the same for both/,
    ],
    [
      'both begin and both answer',
      side(a(888, 1440), b(888, 1440)),
      ['counters-unconfirmed', 'counters-unconfirmed'],
      /each forgets its own initiation/,
    ],
    [
      'the other end has no such peer',
      side(a(0, 444), { ...b(0, 0), key: OTHER.public }),
      ['key-mismatch', 'counters-never-received'],
      /server\.txt has no peer with the key of client\.txt/,
    ],
  ])('%s', async (_, texts, rules, note) => {
    const { findings } = await checkTexts(texts);
    expect(findings.map(({ rule }) => rule)).toEqual(rules);
    expect(findings.flatMap(({ notes }) => notes).join('\n')).toMatch(note);
    expect(findings.flatMap(({ missing }) => missing).length).toBeGreaterThan(rules.includes('key-mismatch') ? -1 : 0);
  });

  test('what arrived and was answered stands in the sentence', async () => {
    expect(await told(side(a(0, 444), b(444, 276)))).toEqual([
      'warning proven counters-never-received: client.txt line 2: 3 initiations (444 bytes) went to 203.0.113.10:51820, and nothing was taken in from there; the other end took them and answered',
      'warning proven counters-unconfirmed: server.txt line 2: 3 initiations (444 bytes) of 198.51.100.9:51821 were taken and answered, and no session came of any',
    ]);
  });

  test('a fault that both the files and what runs show is told once', async () => {
    const files = fittingFiles({ clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_B } });
    const said = await told({ ...files, ...side(a(0, 444, PSK_A), b(444, 276, PSK_B)) });
    expect(said.filter((line) => line.includes('psk-differs'))).toEqual([
      'error proven psk-differs: the PresharedKeys of one tunnel differ: client.conf line 8 and server.conf line 8',
    ]);
  });

  test('the port that a server has learned is not held against the ListenPort of a client', async () => {
    const status = show(SERVER.public, 51820, {
      ...toClient,
      endpoint: '198.51.100.9:40123',
      handshake: '3 seconds ago',
      transfer: '1.20 KiB received, 1.10 KiB sent',
    });
    expect(
      (await told({ ...fittingFiles(), 'server.txt': status })).filter((line) => !line.startsWith('info')),
    ).toEqual([]);
  });
});

describe('keepalive-missing-behind-nat', () => {
  const learned = (port: number): string =>
    show(SERVER.public, 51820, {
      ...toClient,
      endpoint: `198.51.100.9:${port}`,
      handshake: '3 seconds ago',
      transfer: '1.20 KiB received, 1.10 KiB sent',
    });
  const files = fittingFiles();
  const router = (wan: string, gateway: string, ...peer: readonly string[]): string =>
    ros(
      '/interface wireguard',
      `add listen-port=13231 name=wg1 private-key="${CLIENT.secret}"`,
      '/interface wireguard peers',
      `add allowed-address=10.66.66.0/24 endpoint-address=203.0.113.10 endpoint-port=51820 interface=wg1 public-key="${SERVER.public}"${peer.join('')}`,
      '/ip address',
      'add address=10.66.66.2/24 interface=wg1',
      `add address=${wan} interface=ether1`,
      '/ip route',
      `add dst-address=0.0.0.0/0 gateway=${gateway}`,
    );
  const server = files['server.conf'] ?? '';
  test.each(
    rows([
      [
        'the server has learned another port than the client listens on',
        { ...files, 'server.txt': learned(40123) },
        [
          'info deduced keepalive-missing-behind-nat: client.conf is behind NAT (it listens on port 51821, and server.txt line 7 has it at port 40123) and has no PersistentKeepalive for server.conf (client.conf line 8): after a while of silence server.conf cannot reach it',
        ],
        ['a after 8: PersistentKeepalive = 25'],
      ],
      [
        'a router with a private address towards the internet',
        { 'branch.rsc': router('192.168.1.2/24', '192.168.1.1'), 'server.conf': server },
        [
          'info deduced keepalive-missing-behind-nat: branch.rsc is behind NAT (its way out is 192.168.1.2, branch.rsc line 8) and has no PersistentKeepalive for server.conf (branch.rsc line 5): after a while of silence server.conf cannot reach it',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['no NAT', { ...files, 'server.txt': learned(51821) }],
    [
      'it has one',
      { ...files, 'client.conf': `${files['client.conf']}PersistentKeepalive = 25\n`, 'server.txt': learned(40123) },
    ],
    [
      'a router that has one',
      { 'branch.rsc': router('192.168.1.2/24', '192.168.1.1', ' persistent-keepalive=25s'), 'server.conf': server },
    ],
    [
      'a router with a public address',
      { 'branch.rsc': router('198.51.100.9/24', '198.51.100.1'), 'server.conf': server },
    ],
    [
      'the server has an Endpoint for it: a port is forwarded',
      {
        'branch.rsc': router('192.168.1.2/24', '192.168.1.1'),
        'server.conf': server.replace('AllowedIPs', 'Endpoint = 198.51.100.9:13231\nAllowedIPs'),
      },
    ],
    [
      'a client that picks its port anew',
      {
        'client.conf': quick(
          CLIENT.secret,
          'Address = 10.66.66.2/24',
          `[Peer] ${SERVER.public}`,
          `Endpoint = ${PLACE}`,
          'AllowedIPs = 10.66.66.0/24',
        ),
        'server.conf': server,
        'server.txt': learned(40123),
      },
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});
