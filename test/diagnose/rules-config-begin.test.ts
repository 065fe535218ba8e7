/** Who begins, and whether it can: Endpoints inside the tunnel, nowhere, or where they do not belong. */
import { describe, expect, test } from 'vitest';
import { judge, rows, type Texts, told } from './checked.ts';
import { CLIENT, fittingFiles, OTHER, SERVER } from './keys.ts';
import { quick, ros, show } from './texts.ts';
import { client, ROUTER, routerClient, routerServer } from './two-ends.ts';

describe('endpoint-loops-into-tunnel', () => {
  const loop = (rest: string): string => `error ${rest}`;
  test.each(
    rows([
      [
        'the address of the other end inside the tunnel',
        { 'client.conf': client('10.66.66.1:51820') },
        [
          loop(
            'deduced endpoint-loops-into-tunnel: the Endpoint at client.conf line 7, 10.66.66.1, is in the tunnel’s own network 10.66.66.0/24 (client.conf line 3)',
          ),
        ],
      ],
      [
        'a public network in AllowedIPs that holds the Endpoint: without it, it works',
        { 'client.conf': client('203.0.113.10:51820', '10.66.66.0/24, 203.0.113.0/24') },
        [
          loop(
            'suspected endpoint-loops-into-tunnel: the Endpoint at client.conf line 7, 203.0.113.10, is in 203.0.113.0/24 of the AllowedIPs, which are routed into the tunnel (client.conf line 8)',
          ),
        ],
        ['a 8: AllowedIPs = 10.66.66.0/24'],
      ],
      [
        'also beside a default route, which wg-quick handles, and the longer prefix it does not',
        { 'client.conf': client('203.0.113.10:51820', '0.0.0.0/0, 203.0.113.0/24') },
        [
          loop(
            'suspected endpoint-loops-into-tunnel: the Endpoint at client.conf line 7, 203.0.113.10, is in 203.0.113.0/24 of the AllowedIPs, which are routed into the tunnel (client.conf line 8)',
          ),
        ],
        ['a 8: AllowedIPs = 0.0.0.0/0'],
      ],
      [
        'the two halves: right for the apps of other systems, so a warning',
        { 'client.conf': client('203.0.113.10:51820', '0.0.0.0/1, 128.0.0.0/1') },
        [
          'warning suspected endpoint-loops-into-tunnel: the Endpoint at client.conf line 7, 203.0.113.10, is in 128.0.0.0/1 of the AllowedIPs, which are routed into the tunnel (client.conf line 8)',
        ],
      ],
      [
        'RouterOS: a route into the tunnel that holds the Endpoint',
        { 'r.rsc': routerClient('203.0.113.10', '/ip route', 'add dst-address=203.0.113.0/24 gateway=wg1') },
        [
          loop(
            'deduced endpoint-loops-into-tunnel: the Endpoint at r.rsc line 5, 203.0.113.10, is in 203.0.113.0/24, which is routed into the tunnel (r.rsc line 9)',
          ),
        ],
      ],
      [
        'RouterOS: the tunnel’s own network',
        { 'r.rsc': routerClient('10.66.66.1') },
        [
          loop(
            'deduced endpoint-loops-into-tunnel: the Endpoint at r.rsc line 5, 10.66.66.1, is in the tunnel’s own network 10.66.66.0/24 (r.rsc line 7)',
          ),
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    [
      'a default route: wg-quick marks its own packets',
      { 'client.conf': client('203.0.113.10:51820', '0.0.0.0/0, ::/0') },
    ],
    ['no routes are made', { 'client.conf': client('203.0.113.10:51820', '203.0.113.0/24', 'Table = off') }],
    [
      'a route of its own',
      {
        'client.conf': client(
          '203.0.113.10:51820',
          '0.0.0.0/1, 128.0.0.0/1',
          'PreUp = ip route add 203.0.113.10 via 192.0.2.1',
        ),
      },
    ],
    [
      'RouterOS: AllowedAddress alone makes no route',
      {
        'r.rsc': routerClient('203.0.113.10').replace(
          '10.66.66.0/24 endpoint',
          '10.66.66.0/24,203.0.113.0/24 endpoint',
        ),
      },
    ],
    [
      'RouterOS: a longer route leads around it',
      {
        'r.rsc': routerClient(
          '203.0.113.10',
          '/ip route',
          'add dst-address=203.0.113.0/24 gateway=wg1',
          'add dst-address=203.0.113.10/32 gateway=192.0.2.1',
        ),
      },
    ],
    [
      'RouterOS: another routing table',
      {
        'r.rsc': routerClient(
          '203.0.113.10',
          '/ip route',
          'add dst-address=203.0.113.0/24 gateway=wg1 routing-table=vpn',
        ),
      },
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('no-endpoint-either-side', () => {
  const without = fittingFiles({ client: { peers: [{ key: SERVER.public, allowed: '10.66.66.0/24' }] } });
  const third = quick(
    OTHER.secret,
    'Address = 10.66.66.3/24',
    `[Peer] ${SERVER.public}`,
    'Endpoint = vpn.example.net:51820',
    'AllowedIPs = 10.66.66.1/32',
  );
  test.each(
    rows([
      [
        'two wg-quick files',
        without,
        [
          'error proven no-endpoint-either-side: neither the [Peer] at client.conf line 6 nor the one at server.conf line 6 has an Endpoint, so nobody begins',
        ],
      ],
      [
        'a third end has one for the same server',
        {
          ...without,
          'server.conf': `${without['server.conf']}\n[Peer]\nPublicKey = ${OTHER.public}\nAllowedIPs = 10.66.66.3/32\n`,
          'third.conf': third,
        },
        [
          'error proven no-endpoint-either-side: neither the [Peer] at client.conf line 6 nor the one at server.conf line 6 has an Endpoint, so nobody begins; by third.conf line 7 it would be vpn.example.net:51820',
        ],
        ['a after 7: Endpoint = vpn.example.net:51820'],
      ],
      [
        'a router at a public address',
        { 'client.conf': without['client.conf'] ?? '', 'router.rsc': ROUTER },
        [
          'error proven no-endpoint-either-side: neither the [Peer] at client.conf line 6 nor the one at router.rsc line 5 has an Endpoint, so nobody begins; by router.rsc line 8 it would be 198.51.100.7:51820',
        ],
        ['a after 7: Endpoint = 198.51.100.7:51820'],
      ],
      [
        'wg show of both ends',
        {
          'a.txt': show(CLIENT.public, 51821, { key: SERVER.public, allowed: '10.66.66.0/24' }),
          'b.txt': show(SERVER.public, 51820, { key: CLIENT.public, allowed: '10.66.66.2/32' }),
        },
        [
          'error proven no-endpoint-either-side: neither the [Peer] at a.txt line 6 nor the one at b.txt line 6 has an Endpoint, so nobody begins',
        ],
      ],
      [
        'RouterOS: an Endpoint that counts for nothing',
        {
          'client.conf': without['client.conf'] ?? '',
          'router.rsc': routerServer(
            '192.168.1.2/24',
            '192.168.1.1',
            ' endpoint-address=203.0.113.99 endpoint-port=51821 responder=yes',
          ),
        },
        [
          'error proven no-endpoint-either-side: neither the [Peer] at client.conf line 6 nor the one at router.rsc line 5 has an Endpoint, so nobody begins',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['the client has one', fittingFiles()],
    [
      'the server has one',
      {
        ...without,
        'server.conf': (without['server.conf'] ?? '').replace(
          'AllowedIPs',
          'Endpoint = 198.51.100.9:51821\nAllowedIPs',
        ),
      },
    ],
    ['one file alone', { 'client.conf': without['client.conf'] ?? '' }],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('endpoint-on-server', () => {
  const server = (endpoint: string, listen = 'ListenPort = 51820'): string =>
    quick(
      SERVER.secret,
      'Address = 10.66.66.1/24',
      listen,
      `[Peer] ${CLIENT.public}`,
      `Endpoint = ${endpoint}`,
      'AllowedIPs = 10.66.66.2/32',
    );
  test.each(
    rows([
      [
        'its own place',
        { 'client.conf': client('vpn.example.net:51820'), 'server.conf': server('VPN.example.net:51820') },
        [
          'info proven endpoint-on-server: the Endpoint at server.conf line 8, VPN.example.net:51820, is the place of this end itself: client.conf line 7 has the same for it',
        ],
        ['b 8 out'],
      ],
      [
        'a client without a port of its own',
        { 'client.conf': client('203.0.113.10:51820'), 'server.conf': server('198.51.100.9:40000') },
        [
          'info proven endpoint-on-server: the Endpoint at server.conf line 8, 198.51.100.9:40000, is for an end that begins by itself and has no ListenPort (client.conf): its port is another one at each start',
        ],
        ['b 8 out'],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test('near miss: two sites at fixed places', async () => {
    const a = client('203.0.113.10:51820', '10.66.66.0/24', 'ListenPort = 51821');
    expect(await told({ 'a.conf': a, 'b.conf': server('198.51.100.9:51821') })).toEqual([]);
  });
});

describe('an export without show-sensitive: whose key is meant, is told by its address', () => {
  const hidden = (port: number, address = '10.66.66.2/24'): string =>
    ros(
      '/interface wireguard',
      'add listen-port=13231 mtu=1380 name=wg1',
      '/interface wireguard peers',
      `add allowed-address=10.66.66.0/24 endpoint-address=203.0.113.10 endpoint-port=${port} interface=wg1 public-key="${SERVER.public}"`,
      '/ip address',
      `add address=${address} interface=wg1`,
    );
  const server = (...lines: readonly string[]): string =>
    quick(SERVER.secret, 'Address = 10.66.66.1/24', 'ListenPort = 51820', 'MTU = 1420', ...lines);
  const peer = [`[Peer] ${CLIENT.public}`, 'AllowedIPs = 10.66.66.2/32'];

  test('the two are compared', () =>
    judge(
      { 'router.rsc': hidden(51999), 'server.conf': server(...peer) },
      [
        'error suspected endpoint-port-mismatch: router.rsc line 5 writes to port 51999 of server.conf, which listens on 51820 (server.conf line 4)',
        'info proven mtu-differs: the MTUs of the two ends differ: 1420 at server.conf line 5, 1380 at router.rsc line 3',
      ],
      [],
    ));

  test.each<readonly [string, Texts]>([
    [
      'its address is not among those of the peers',
      { 'router.rsc': hidden(51999, '10.66.66.9/24'), 'server.conf': server(...peer) },
    ],
    [
      'two peers could be meant',
      {
        'router.rsc': hidden(51999),
        'server.conf': server(...peer, `[Peer] ${OTHER.public}`, 'AllowedIPs = 10.66.0.0/16'),
      },
    ],
  ])('else only what the key of the other end shows: %s', async (_, texts) => {
    expect((await told(texts)).filter((line) => !line.includes('allowedips-nested'))).toEqual([
      'error suspected endpoint-port-mismatch: router.rsc line 5 writes to port 51999 of server.conf, which listens on 51820 (server.conf line 4)',
    ]);
  });
});
