/** Endpoints in configurations against where the other end is: private and shared places, another host, an old one. */
import { describe, expect, test } from 'vitest';
import { judge, rows, type Texts, told } from './checked.ts';
import { CLIENT, fittingFiles, OTHER, SERVER } from './keys.ts';
import { dump, show } from './texts.ts';
import { client, ROUTER, routerClient, routerServer } from './two-ends.ts';

describe('endpoint-private-address', () => {
  test.each(
    rows([
      [
        'RFC 1918',
        { 'client.conf': client('192.168.1.10:51820') },
        [
          'info proven endpoint-private-address: the Endpoint at client.conf line 7, 192.168.1.10, is an address of a private network: it is reached from that network only',
        ],
      ],
      [
        'RFC 4193',
        { 'client.conf': client('[fd00::1]:51820') },
        [
          'info proven endpoint-private-address: the Endpoint at client.conf line 7, fd00::1, is an address of a private network: it is reached from that network only',
        ],
      ],
      [
        'one link',
        { 'client.conf': client('[fe80::1%eth0]:51820') },
        [
          'info proven endpoint-private-address: the Endpoint at client.conf line 7, fe80::1, is an address of one link: it is reached from that link only, and needs the interface with it',
        ],
      ],
      [
        'the host itself',
        { 'client.conf': client('127.0.0.1:51820') },
        [
          'info proven endpoint-private-address: the Endpoint at client.conf line 7, 127.0.0.1, is the host itself: right only where a program there carries the packets on',
        ],
      ],
      [
        'RouterOS',
        { 'r.rsc': routerClient('172.16.5.1') },
        [
          'info proven endpoint-private-address: the Endpoint at r.rsc line 5, 172.16.5.1, is an address of a private network: it is reached from that network only',
        ],
      ],
      [
        'wg show, nothing ever taken in',
        {
          's.txt': show(CLIENT.public, 51821, {
            key: SERVER.public,
            endpoint: '192.168.1.10:51820',
            allowed: '10.66.66.0/24',
          }),
        },
        [
          'info proven endpoint-private-address: the Endpoint at s.txt line 7, 192.168.1.10, is an address of a private network: it is reached from that network only',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['a public address', { 'client.conf': client('203.0.113.10:51820') }],
    ['a name', { 'client.conf': client('vpn.lan:51820') }],
    ['172.32 is public', { 'client.conf': client('172.32.0.1:51820') }],
    [
      'a router that is in that network',
      { 'r.rsc': routerClient('172.16.5.1', 'add address=172.16.5.2/24 interface=ether1') },
    ],
    [
      'wg show: it was learned',
      {
        's.txt': show(SERVER.public, 51820, {
          key: CLIENT.public,
          endpoint: '192.168.1.10:40000',
          allowed: '10.66.66.2/32',
          handshake: '12 seconds ago',
          transfer: '1.20 KiB received, 1.30 KiB sent',
        }),
      },
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('endpoint-cgnat', () => {
  test.each(
    rows([
      [
        'an Endpoint',
        { 'client.conf': client('100.72.3.4:51820') },
        [
          'info proven endpoint-cgnat: the Endpoint at client.conf line 7, 100.72.3.4, is an address inside a provider’s network (100.64.0.0/10): it is not reached from outside',
        ],
      ],
      [
        'a router that waits',
        { 'r.rsc': routerServer('100.72.3.4/24', '100.72.3.1') },
        [
          'info deduced endpoint-cgnat: the outer address at r.rsc line 8, 100.72.3.4, is one inside the provider’s network (100.64.0.0/10): nobody outside can begin with this end',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['100.128 is public', { 'client.conf': client('100.128.0.1:51820') }],
    [
      'a router there that begins itself',
      { 'r.rsc': routerClient('203.0.113.10', 'add address=100.72.3.4/24 interface=ether1') },
    ],
    [
      'a router with a public address beside it',
      {
        'r.rsc': routerServer('100.72.3.4/24', '100.72.3.1').replace(
          '/ip route',
          'add address=198.51.100.7/29 interface=ether2\n/ip route',
        ),
      },
    ],
  ])('near miss: %s', async (_, texts) => {
    expect((await told(texts)).filter((line) => line.includes('endpoint-cgnat'))).toEqual([]);
  });
});

describe('endpoint-address-mismatch', () => {
  test.each(
    rows([
      [
        'a wg-quick client of a router whose public address is another one',
        { 'client.conf': client('198.51.100.70:51820'), 'router.rsc': ROUTER },
        [
          'error deduced endpoint-address-mismatch: the Endpoint at client.conf line 7 is 198.51.100.70, and router.rsc is at 198.51.100.7 (router.rsc line 8)',
        ],
        ['a 7: Endpoint = 198.51.100.7:51820'],
      ],
      [
        'a router as client: told by commands',
        {
          'branch.rsc': routerClient('198.51.100.70').replace('name=wg1', `name=wg1 private-key="${CLIENT.secret}"`),
          'router.rsc': ROUTER,
        },
        [
          'error deduced endpoint-address-mismatch: the Endpoint at branch.rsc line 5 is 198.51.100.70, and router.rsc is at 198.51.100.7 (router.rsc line 8)',
        ],
      ],
      [
        'a router that writes to itself',
        { 'r.rsc': routerClient('203.0.113.10', 'add address=203.0.113.10/24 interface=ether1') },
        [
          'error proven endpoint-address-mismatch: the Endpoint at r.rsc line 5, 203.0.113.10, is an address of this router itself (r.rsc line 8)',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    ['the right address', { 'client.conf': client('198.51.100.7:51820'), 'router.rsc': ROUTER }],
    ['a name', { 'client.conf': client('vpn.example.net:51820'), 'router.rsc': ROUTER }],
    ['another family', { 'client.conf': client('[2001:db8::7]:51820'), 'router.rsc': ROUTER }],
    [
      'the router is behind NAT itself',
      { 'client.conf': client('198.51.100.70:51820'), 'router.rsc': routerServer('192.168.1.2/24', '192.168.1.1') },
    ],
    [
      'two ways out',
      {
        'client.conf': client('198.51.100.70:51820'),
        'router.rsc': `${ROUTER}add dst-address=0.0.0.0/0 gateway=192.0.2.1\n`,
      },
    ],
    [
      'a second address of the same router',
      {
        'client.conf': client('198.51.100.6:51820'),
        'router.rsc': ROUTER.replace('/ip route', 'add address=198.51.100.6/29 interface=ether1\n/ip route'),
      },
    ],
    [
      'two wg-quick files: neither says where its host is',
      fittingFiles({ clientPeer: { endpoint: '198.51.100.70:51820' } }),
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});

describe('endpoint-stale', () => {
  const named = client('vpn.example.net:51820');
  const idle = { key: SERVER.public, allowed: '10.66.66.0/24' };
  test.each(
    rows([
      [
        'a name was looked up when the router had another address',
        {
          'client.conf': named,
          'status.txt': show(CLIENT.public, 40123, {
            ...idle,
            endpoint: '198.51.100.70:51820',
            handshake: '2 days, 3 hours, 1 minute ago',
            transfer: '14.20 MiB received, 15.00 MiB sent',
          }),
          'router.rsc': ROUTER,
        },
        [
          'warning deduced endpoint-stale: packets go to 198.51.100.70 (status.txt line 7), which vpn.example.net:51820 was once looked up as, and the other end is at 198.51.100.7 (router.rsc line 8)',
        ],
      ],
      [
        'another client has a living session with it elsewhere',
        {
          'old.txt': show(CLIENT.public, 40123, {
            ...idle,
            endpoint: '203.0.113.10:51820',
            handshake: '5 hours ago',
            transfer: '14.20 MiB received, 15.00 MiB sent',
          }),
          'new.txt': show(OTHER.public, 40124, {
            ...idle,
            endpoint: '203.0.113.77:51820',
            handshake: '40 seconds ago',
            transfer: '1.20 MiB received, 1.00 MiB sent',
          }),
        },
        [
          'warning suspected endpoint-stale: packets go to 203.0.113.10 (old.txt line 7), and the other end is at 203.0.113.77 (a living session of new.txt line 10)',
        ],
      ],
      [
        'the file was changed and not loaded (dump)',
        {
          'client.conf': client('203.0.113.77:51820'),
          'dump.txt': dump(CLIENT, 40123, {
            key: SERVER.public,
            endpoint: '203.0.113.10:51820',
            allowed: '10.66.66.0/24',
            rx: 0,
            tx: 444,
          }),
        },
        [
          'warning proven endpoint-stale: packets go to 203.0.113.10 (dump.txt line 2), and the file has 203.0.113.77:51820 (client.conf line 7): it was not loaded',
          'warning proven counters-never-received: dump.txt line 2: 3 initiations (444 bytes) went to 203.0.113.10:51820, and nothing was taken in from there',
        ],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test.each<readonly [string, Texts]>([
    [
      'a living session with the old address',
      {
        'client.conf': named,
        'status.txt': show(CLIENT.public, 40123, {
          ...idle,
          endpoint: '198.51.100.70:51820',
          handshake: '1 minute, 3 seconds ago',
          transfer: '14.20 MiB received, 15.00 MiB sent',
        }),
        'router.rsc': ROUTER,
      },
    ],
    [
      'it is there',
      {
        'client.conf': named,
        'status.txt': show(CLIENT.public, 40123, {
          ...idle,
          endpoint: '198.51.100.7:51820',
          handshake: '2 days ago',
          transfer: '14.20 MiB received, 15.00 MiB sent',
        }),
        'router.rsc': ROUTER,
      },
    ],
    [
      'a dump does not tell its own time',
      {
        'client.conf': named,
        'dump.txt': dump(CLIENT, 40123, {
          key: SERVER.public,
          endpoint: '198.51.100.70:51820',
          allowed: '10.66.66.0/24',
          handshake: 1_790_000_000,
          rx: 5000,
          tx: 5000,
        }),
        'router.rsc': ROUTER,
      },
    ],
    [
      'the peer has moved: a learned place is not what the file has',
      {
        'client.conf': client('203.0.113.77:51820'),
        'status.txt': show(CLIENT.public, 40123, {
          ...idle,
          endpoint: '203.0.113.10:51820',
          handshake: '1 hour ago',
          transfer: '14.20 MiB received, 15.00 MiB sent',
        }),
      },
    ],
  ])('near miss: %s', async (_, texts) => expect(await told(texts)).toEqual([]));
});
