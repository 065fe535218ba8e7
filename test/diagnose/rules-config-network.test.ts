/** Networks in configurations: addresses given twice, host bits, prefixes and routes that meet, packet sizes. */
import { describe, expect, test } from 'vitest';
import { judge, rows, type Texts, told } from './checked.ts';
import { CLIENT, FOURTH, fittingFiles, OTHER, SERVER } from './keys.ts';
import { quick, ros, show } from './texts.ts';

const END = 'Endpoint = 203.0.113.10:51820';
const spoke = (secret: string, address: string, ...lines: readonly string[]): string =>
  quick(secret, `Address = ${address}`, ...lines, `[Peer] ${SERVER.public}`, END, 'AllowedIPs = 10.66.66.0/24');
const hub = (one: string, other: string): string =>
  quick(
    SERVER.secret,
    'Address = 10.66.66.1/24',
    'ListenPort = 51820',
    `[Peer] ${CLIENT.public}`,
    `AllowedIPs = ${one}`,
    `[Peer] ${OTHER.public}`,
    `AllowedIPs = ${other}`,
  );

describe('address-duplicate', () => {
  test.each(
    rows([
      [
        'two clients of one server, which has another address for the second',
        {
          'one.conf': spoke(CLIENT.secret, '10.66.66.2/24'),
          'two.conf': spoke(OTHER.secret, '10.66.66.2/24, fd00::3/64'),
          'hub.conf': hub('10.66.66.2/32', '10.66.66.3/32, fd00::3/128'),
        },
        [
          'error proven address-duplicate: 10.66.66.2 is the Address at one.conf line 3 and at two.conf line 3, which are both peers of hub.conf; for two.conf line 3 it has 10.66.66.3/24',
          'warning proven allowedips-missing-address: two.conf line 3 sends from 10.66.66.2, and hub.conf line 12 allows only 10.66.66.3/32, fd00::3/128 for it',
        ],
        ['b 3: Address = 10.66.66.3/24, fd00::3/64'],
      ],
      [
        'the two ends themselves',
        fittingFiles({ client: { address: '10.66.66.1/24' }, serverPeer: { allowed: '10.66.66.0/24' } }),
        [
          'error proven address-duplicate: 10.66.66.1 is the Address at client.conf line 3 and at server.conf line 3, which are each other’s peers',
        ],
      ],
      [
        'a router and a phone at one server, known by its wg show',
        {
          'router.rsc': ros(
            '/interface wireguard',
            `add listen-port=13231 name=wg1 private-key="${OTHER.secret}"`,
            '/interface wireguard peers',
            `add allowed-address=10.66.66.0/24 endpoint-address=203.0.113.10 endpoint-port=51820 interface=wg1 public-key="${SERVER.public}"`,
            '/ip address',
            'add address=10.66.66.2/24 interface=wg1',
          ),
          'phone.conf': spoke(CLIENT.secret, '10.66.66.2/24'),
          'hub.txt': show(
            SERVER.public,
            51820,
            { key: CLIENT.public, allowed: '10.66.66.2/32' },
            { key: OTHER.public, allowed: '10.66.66.7/32' },
          ),
        },
        [
          'error proven address-duplicate: 10.66.66.2 is the Address at router.rsc line 7 and at phone.conf line 3, which are both peers of hub.txt; for router.rsc line 7 it has 10.66.66.7/24',
          'error proven allowedips-missing-address: router.rsc line 7 sends from 10.66.66.2, and hub.txt line 10 allows only 10.66.66.7/32 for it',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    [
      'two devices of a provider that gives all of them one address',
      { 'a.conf': spoke(CLIENT.secret, '10.2.0.2/32'), 'b.conf': spoke(OTHER.secret, '10.2.0.2/32') },
    ],
    [
      'the same file twice',
      { 'a.conf': spoke(CLIENT.secret, '10.66.66.2/24'), 'b.conf': spoke(CLIENT.secret, '10.66.66.2/24') },
    ],
    [
      'other tunnels',
      {
        'a.conf': spoke(CLIENT.secret, '10.66.66.1/24'),
        'b.conf': quick(
          FOURTH.secret,
          'Address = 10.66.66.1/24',
          `[Peer] ${OTHER.public}`,
          'AllowedIPs = 10.66.66.2/32',
        ),
      },
    ],
    [
      'link-local addresses',
      fittingFiles({
        client: { address: '10.66.66.2/24, fe80::1/64' },
        server: { address: '10.66.66.1/24, fe80::1/64' },
      }),
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('cidr-host-bits', () => {
  test.each(
    rows([
      [
        'a client that gets the whole network, others of which are in it',
        { 'hub.conf': hub('10.66.66.2/24', '10.66.66.3/32') },
        [
          'warning proven cidr-host-bits: AllowedIPs 10.66.66.2/24 at hub.conf line 8 is the whole network 10.66.66.0/24, not the one address 10.66.66.2',
          'info proven allowedips-nested: 10.66.66.0/24 at hub.conf line 8 contains 10.66.66.3/32 (line 12): that one belongs to another peer',
        ],
        ['a 8: AllowedIPs = 10.66.66.2/32'],
      ],
      [
        'nothing else is in that network: information',
        fittingFiles({ clientPeer: { allowed: '192.168.88.1/24, 10.66.66.0/24' } }),
        [
          'info proven cidr-host-bits: AllowedIPs 192.168.88.1/24 at client.conf line 9 is the whole network 192.168.88.0/24, not the one address 192.168.88.1',
        ],
        ['a 9: AllowedIPs = 192.168.88.0/24, 10.66.66.0/24'],
      ],
      [
        'IPv6, RouterOS',
        {
          'r.rsc': ros(
            '/interface wireguard',
            'add name=wg1',
            '/interface wireguard peers',
            `add allowed-address=fd00:1::2/64 interface=wg1 public-key="${CLIENT.public}"`,
            `add allowed-address=fd00:1::3/128 interface=wg1 public-key="${OTHER.public}"`,
          ),
        },
        [
          'warning proven cidr-host-bits: AllowedIPs fd00:1::2/64 at r.rsc line 5 is the whole network fd00:1::/64, not the one address fd00:1::2',
          'info proven allowedips-nested: fd00:1::/64 at r.rsc line 5 contains fd00:1::3/128 (line 6): that one belongs to another peer',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['without a length it is the one address', { 'hub.conf': hub('10.66.66.2', '10.66.66.3') }],
    ['Address keeps its host part', { 'hub.conf': hub('10.66.66.2/32', '10.66.66.3/32') }],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('allowedips-nested', () => {
  const many = Array.from({ length: 8 }, (_, i) => `10.1.0.${i + 1}/32`).join(', ');
  test.each(
    rows([
      [
        'one within another',
        { 'hub.conf': hub('10.1.0.0/16', '10.1.7.0/24') },
        [
          'info proven allowedips-nested: 10.1.0.0/16 at hub.conf line 8 contains 10.1.7.0/24 (line 12): that one belongs to another peer',
        ],
      ],
      [
        'many within one',
        { 'hub.conf': hub('10.1.0.0/16', many) },
        [
          'info proven allowedips-nested: 10.1.0.0/16 at hub.conf line 8 contains 10.1.0.1/32 (line 12), 10.1.0.2/32 (line 12), 10.1.0.3/32 (line 12), 10.1.0.4/32 (line 12), 10.1.0.5/32 (line 12), 10.1.0.6/32 (line 12) and 2 more: those belong to other peers',
        ],
      ],
      [
        'wg show',
        {
          's.txt': show(
            SERVER.public,
            51820,
            { key: CLIENT.public, allowed: '10.1.0.0/16' },
            { key: OTHER.public, allowed: '10.1.7.0/24' },
          ),
        },
        [
          'info proven allowedips-nested: 10.1.0.0/16 at s.txt line 7 contains 10.1.7.0/24 (line 10): that one belongs to another peer',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['a default route holds everything', { 'hub.conf': hub('0.0.0.0/0, ::/0', '10.1.7.0/24') }],
    ['within one peer', { 'hub.conf': hub('10.1.0.0/16, 10.1.7.0/24', '10.2.0.0/16') }],
    ['side by side', { 'hub.conf': hub('10.1.0.0/17', '10.1.128.0/17') }],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('route-overlap', () => {
  const site = (allowed: string, ...lines: readonly string[]): string =>
    ros(
      '/interface wireguard',
      'add listen-port=13231 name=wg1',
      '/interface wireguard peers',
      `add allowed-address=${allowed} endpoint-address=203.0.113.10 endpoint-port=51820 interface=wg1 public-key="${SERVER.public}"`,
      '/ip address',
      'add address=10.66.66.2/24 interface=wg1',
      'add address=192.168.88.1/24 interface=bridge',
      '/ip route',
      'add dst-address=0.0.0.0/0 gateway=192.0.2.1',
      ...lines,
    );
  const wg0 = quick(
    CLIENT.secret,
    'Address = 10.66.66.2/24',
    `[Peer] ${SERVER.public}`,
    END,
    'AllowedIPs = 10.66.66.0/24, 10.9.0.0/16',
  );
  const routes = (...lines: readonly string[]): string =>
    [
      'default via 192.0.2.1 dev eth0 proto dhcp metric 100',
      '10.66.66.0/24 dev wg0 proto kernel scope link src 10.66.66.2',
      ...lines,
      '',
    ].join('\n');
  test.each(
    rows([
      [
        'both sites have the network that RouterOS comes with',
        { 'r.rsc': site('10.66.66.0/24,192.168.88.0/24') },
        [
          'warning deduced route-overlap: 192.168.88.0/24 at r.rsc line 5 is in the machine’s own network 192.168.88.0/24 on bridge (r.rsc line 8): packets for it do not enter the tunnel',
        ],
      ],
      [
        'a route of less distance',
        {
          'r.rsc': site(
            '10.66.66.0/24,10.9.0.0/16',
            'add distance=2 dst-address=10.9.0.0/16 gateway=wg1',
            'add distance=1 dst-address=10.9.0.0/16 gateway=192.168.88.2',
          ),
        },
        [
          'warning deduced route-overlap: 10.9.0.0/16 at r.rsc line 5 is not routed into the tunnel: the route to 10.9.0.0/16 through 192.168.88.2 wins (r.rsc line 12)',
        ],
      ],
      [
        'ip route: another VPN was there first',
        {
          'wg0.conf': wg0,
          'routes.txt': routes('10.9.0.0/16 dev tun0 scope link', '10.9.0.0/16 dev wg0 scope link metric 50'),
        },
        [
          'warning deduced route-overlap: 10.9.0.0/16 at wg0.conf line 8 is not routed into the tunnel: the route to 10.9.0.0/16 through tun0 wins (routes.txt line 3)',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    [
      'another network',
      { 'r.rsc': site('10.66.66.0/24,192.168.89.0/24', 'add dst-address=192.168.89.0/24 gateway=wg1') },
    ],
    [
      'a single address within the own network',
      { 'r.rsc': site('10.66.66.0/24,192.168.88.77/32', 'add dst-address=192.168.88.77/32 gateway=wg1') },
    ],
    [
      'the own network is part of a larger one',
      { 'r.rsc': site('192.168.0.0/16,10.66.66.0/24', 'add dst-address=192.168.0.0/16 gateway=wg1') },
    ],
    [
      'the tunnel has the better metric',
      {
        'wg0.conf': wg0,
        'routes.txt': routes('10.9.0.0/16 dev wg0 scope link', '10.9.0.0/16 dev tun0 scope link metric 50'),
      },
    ],
    [
      'routes of another machine',
      {
        'wg7.conf': wg0,
        'routes.txt': routes('10.9.0.0/16 dev tun0 scope link', '10.9.0.0/16 dev wg0 scope link metric 50'),
      },
    ],
  ])('near miss: %s', async (_, texts) => {
    expect((await told(texts)).filter((line) => line.includes('route-overlap'))).toEqual([]);
  });
});

describe('mtu-too-large', () => {
  const mtu = (bytes: number, end = END): string =>
    quick(
      CLIENT.secret,
      'Address = 10.66.66.2/24',
      `MTU = ${bytes}`,
      `[Peer] ${SERVER.public}`,
      end,
      'AllowedIPs = 10.66.66.0/24',
    );
  const pppoe = (bytes: number): string =>
    ros(
      '/interface pppoe-client',
      'add add-default-route=yes disabled=no interface=ether1 name=pppoe-out1 user=u',
      '/interface wireguard',
      `add listen-port=13231 mtu=${bytes} name=wg1`,
      '/interface wireguard peers',
      `add allowed-address=10.66.66.0/24 endpoint-address=203.0.113.10 endpoint-port=51820 interface=wg1 public-key="${SERVER.public}"`,
    );
  test.each(
    rows([
      [
        'the whole of Ethernet',
        { 'a.conf': mtu(1500) },
        [
          'warning suspected mtu-too-large: MTU 1500 at a.conf line 4 makes packets of 1560 bytes over IPv4, and Ethernet carries 1500',
        ],
        ['a 4: MTU = 1420'],
      ],
      [
        'one byte too many over IPv4',
        { 'a.conf': mtu(1441) },
        [
          'warning suspected mtu-too-large: MTU 1441 at a.conf line 4 makes packets of 1501 bytes over IPv4, and Ethernet carries 1500',
        ],
        ['a 4: MTU = 1420'],
      ],
      [
        'one byte too many over IPv6',
        { 'a.conf': mtu(1421, 'Endpoint = [2001:db8::1]:51820') },
        [
          'warning suspected mtu-too-large: MTU 1421 at a.conf line 4 makes packets of 1501 bytes over IPv6, and Ethernet carries 1500',
        ],
        ['a 4: MTU = 1420'],
      ],
      [
        'PPPoE on the router',
        { 'r.rsc': pppoe(1440) },
        [
          'warning suspected mtu-too-large: MTU 1440 at r.rsc line 5 makes packets of 1500 bytes over IPv4, and the PPPoE at r.rsc line 3 carries 1492',
        ],
      ],
      [
        'jumbo frames are somebody’s plan: information',
        { 'a.conf': mtu(8920) },
        [
          'info suspected mtu-too-large: MTU 8920 at a.conf line 4 makes packets of 8980 bytes over IPv4, and Ethernet carries 1500',
        ],
        ['a 4: MTU = 1420'],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['1440 is right over IPv4', { 'a.conf': mtu(1440) }],
    ['1420 is right over IPv6', { 'a.conf': mtu(1420, 'Endpoint = [2001:db8::1]:51820') }],
    ['1432 is right on PPPoE over IPv4', { 'r.rsc': pppoe(1432) }],
    ['1280', { 'a.conf': mtu(1280) }],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('mtu-differs', () => {
  const pair = (one: string, other: string): Texts => {
    const files = fittingFiles();
    const set = (text = '', mtu: string): string =>
      mtu === '' ? text : text.replace('ListenPort', `MTU = ${mtu}\nListenPort`);
    return { 'client.conf': set(files['client.conf'], one), 'server.conf': set(files['server.conf'], other) };
  };
  test('two files', () =>
    judge(
      pair('1420', '1360'),
      [
        'info proven mtu-differs: the MTUs of the two ends differ: 1420 at client.conf line 4, 1360 at server.conf line 4',
      ],
      [],
    ));
  test.each<readonly [string, Texts]>([
    ['the same', pair('1380', '1380')],
    ['one leaves it to wg-quick', pair('1380', '')],
    [
      'files of other tunnels',
      { ...pair('1380', '1380'), 'other.conf': quick(FOURTH.secret, 'MTU = 1280', `[Peer] ${OTHER.public}`, END) },
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});
