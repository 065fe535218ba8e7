/** Configurations beside captures: packets show where an end is, and that a pair works whatever its files say. */
import { describe, expect, test } from 'vitest';
import { CLIENT, fittingFiles, OTHER, SERVER } from './keys.ts';
import { quick, ros } from './texts.ts';
import { running, tell, tries, works } from './told.ts';
import { CLIENT_END, data, type End, NAT_END, SERVER_END, type Sent } from './traffic.ts';

const WRONG_END = { ip: [203, 0, 113, 99], port: 51820 } as const;
const FIT = fittingFiles();
/** The address of SERVER_END is an address of the router, and its way out another one. */
const ROUTER = ros(
  '/interface wireguard',
  `add listen-port=51820 name=wg1 private-key="${SERVER.secret}"`,
  '/interface wireguard peers',
  `add allowed-address=10.66.66.2/32 interface=wg1 public-key="${CLIENT.public}"`,
  '/ip address',
  'add address=198.51.100.7/29 interface=ether1',
  '/ip route',
  'add dst-address=0.0.0.0/0 gateway=198.51.100.1',
);

describe('endpoint-address-mismatch', () => {
  const files = fittingFiles({ clientPeer: { endpoint: '203.0.113.99:51820' } });

  test('nothing answers at the Endpoint, and the end with this key answers elsewhere', async () => {
    const packets = [...tries(1, 0x10, { to: WRONG_END }), ...works(30, 0x20, { by: OTHER }), running(60)];
    const found = (await tell({ packets, files })).finding('endpoint-address-mismatch');
    expect(found).toMatchObject({
      severity: 'error',
      certainty: 'deduced',
      subject: 'file:client.conf',
      facts: { written: '203.0.113.99', wanted: '203.0.113.10', shownBy: 'capture' },
      frames: 'a1 a2 a3 a4',
    });
  });

  test.each([
    ['it answers there, too', [...works(1, 0x10, { to: WRONG_END }), ...works(30, 0x20)]],
    ['nobody wrote there', works(30, 0x20)],
    ['nobody answers anywhere', [...tries(1, 0x10, { to: WRONG_END }), ...tries(30, 0x20)]],
    ['another key answers elsewhere', [...tries(1, 0x10, { to: WRONG_END }), ...works(30, 0x20, { forKey: OTHER })]],
  ])('near miss: %s', async (_, packets) => {
    expect((await tell({ packets: [...packets, running(60)], files })).finding('endpoint-address-mismatch')).toBe(
      undefined,
    );
  });

  test('the export says another address than the file, and the pair has worked: information', async () => {
    const told = await tell({
      packets: [...works(1, 0x10), running(20)],
      files: { 'client.conf': FIT['client.conf'] ?? '', 'router.rsc': ROUTER },
    });
    expect(told.finding('endpoint-address-mismatch')).toMatchObject({ severity: 'info', facts: { shownBy: 'router' } });
    expect(told.finding('endpoint-address-mismatch')?.frames).not.toBe('');
  });
});

describe('endpoint-port-mismatch: a port that is forwarded', () => {
  const FORWARDED: End = { ip: [10, 99, 1, 1], port: 51999 };
  const files = fittingFiles({ clientPeer: { endpoint: '10.99.1.1:51999' } });
  const messages = (n: number, from: End, to: End): Sent[] => [
    { at: n, from, to, payload: data(0x22, n) },
    { at: n + 0.1, from: to, to: from, payload: data(0x11, n) },
  ];
  const bothSides = (n: number): Sent[] => {
    const [asked, answered] = messages(n, CLIENT_END, FORWARDED);
    const [inside, outside] = messages(n, NAT_END, SERVER_END);
    return [asked, inside, outside, answered].flatMap((sent, i) =>
      sent === undefined ? [] : [{ ...sent, at: sent.at + i / 1000, ttl: i % 2 === 0 ? 64 : 63 }],
    );
  };

  test.each([
    ['data went there and came back', [1, 2, 3].flatMap((n) => messages(n, CLIENT_END, FORWARDED)), 'info'],
    ['the router translates both addresses', [1, 2, 3].flatMap(bothSides), 'info'],
    ['nothing came back', [1, 2, 3].flatMap((n) => messages(n, CLIENT_END, FORWARDED).slice(0, 1)), 'error'],
  ])('%s', async (_, packets, severity) => {
    expect((await tell({ packets, files })).finding('endpoint-port-mismatch')).toMatchObject({ severity });
  });
});

test('endpoint-stale: what runs writes to a place that is silent, and its key answers elsewhere', async () => {
  const status = `interface: wg0\n  public key: ${CLIENT.public}\n  private key: (hidden)\n  listening port: 51821\n\npeer: ${SERVER.public}\n  endpoint: 203.0.113.99:51820\n  allowed ips: 10.66.66.0/24\n  latest handshake: 2 hours ago\n  transfer: 5.00 MiB received, 6.00 MiB sent\n`;
  const packets = [...tries(1, 0x10, { to: WRONG_END }), ...works(30, 0x20, { by: OTHER }), running(60)];
  expect((await tell({ packets, files: { 'status.txt': status } })).finding('endpoint-stale')).toMatchObject({
    severity: 'warning',
    certainty: 'deduced',
    facts: { runs: '203.0.113.99', wanted: '203.0.113.10' },
    frames: 'a4',
  });
});

describe('a pair that works: the file is not what ran', () => {
  test.each([
    ['endpoint-loops-into-tunnel', fittingFiles({ clientPeer: { allowed: '10.66.66.0/24, 203.0.113.0/24' } })],
    [
      'no-endpoint-either-side',
      fittingFiles({ client: { peers: [{ key: SERVER.public, allowed: '10.66.66.0/24' }] } }),
    ],
  ])('%s is information', async (rule, files) => {
    const silent = await tell({ files });
    expect(silent.finding(rule)?.severity).toBe('error');
    const found = (await tell({ packets: [...works(1, 0x10), running(20)], files })).finding(rule);
    expect(found?.severity).toBe('info');
    expect(found?.frames).not.toBe('');
  });

  test.each([
    ['endpoint-private-address', '192.168.1.10:51820'],
    ['endpoint-cgnat', '100.64.7.7:51820'],
  ])('%s is not said at all', async (rule, endpoint) => {
    const files = fittingFiles({ clientPeer: { endpoint } });
    expect((await tell({ files })).finding(rule)?.severity).toBe('info');
    expect((await tell({ packets: [...works(1, 0x10), running(20)], files })).finding(rule)).toBe(undefined);
  });
});

describe('keepalive-missing-behind-nat', () => {
  const client = [...works(1, 0x10), running(20)];
  const server = [...works(1, 0x10, { from: NAT_END }), running(20)];

  test('one initiation is seen to come from two places', async () => {
    expect((await tell({ client, server, files: FIT })).finding('keepalive-missing-behind-nat')).toMatchObject({
      severity: 'info',
      certainty: 'proven',
      facts: { shownBy: '10.99.1.2:51821 is seen as 203.0.113.1:51821' },
      frames: 'a1 b1',
    });
  });

  test.each([
    ['no NAT', client, FIT],
    ['it sends keepalives', server, { ...FIT, 'client.conf': `${FIT['client.conf']}PersistentKeepalive = 25\n` }],
    [
      'another end is behind NAT',
      server,
      {
        'other.conf': quick(OTHER.secret, `[Peer] ${SERVER.public}`, 'Endpoint = 203.0.113.10:51820'),
        'server.conf': FIT['server.conf'] ?? '',
      },
    ],
  ])('near miss: %s', async (_, there, files) => {
    expect((await tell({ client, server: there, files })).finding('keepalive-missing-behind-nat')).toBe(undefined);
  });
});
