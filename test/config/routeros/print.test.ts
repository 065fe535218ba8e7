/** RouterOS prints in every layout, as terminals of several widths show them. */
import { describe, expect, test } from 'vitest';
import { formatPrefix } from '../../../src/base/address.ts';
import { toBase64 } from '../../../src/base/base64.ts';
import { parseRosPrint, type RosPrintTable } from '../../../src/config/routeros/print.ts';
import { KEYS, PSK, secretsIn } from '../samples.ts';

const [[PRIVATE_A, PUBLIC_A], [, PUBLIC_B], [PRIVATE_C, PUBLIC_C]] = KEYS;

function only<K extends RosPrintTable['kind']>(
  text: string,
  kind: K,
  command?: string,
): Extract<RosPrintTable, { readonly kind: K }> {
  const { tables, problems } = parseRosPrint(text, command);
  expect(problems).toEqual([]);
  expect(tables.map((table) => table.kind)).toEqual([kind]);
  const [table] = tables;
  if (table?.kind !== kind) throw new Error('no such table');
  return table as Extract<RosPrintTable, { readonly kind: K }>;
}

describe('/interface wireguard print', () => {
  test.each([
    [
      'wide',
      `Flags: X - disabled; R - running 
 0  R name="wg1" mtu=1420 listen-port=13231 private-key="${PRIVATE_A}" public-key="${PUBLIC_A}" 

 1 X  ;;; to the office
      name="wg2" mtu=1412 listen-port=51820 private-key="${PRIVATE_C}" public-key="${PUBLIC_C}" 
`,
    ],
    [
      'narrow',
      `Flags: X - DISABLED; R - RUNNING\r
 0  R name="wg1" mtu=1420 listen-port=13231 \r
      private-key="${PRIVATE_A}" \r
      public-key="${PUBLIC_A}" \r
\r
 1 X  ;;; to the office\r
      name="wg2" mtu=1412 listen-port=51820 \r
      private-key="${PRIVATE_C}" \r
      public-key="${PUBLIC_C}" \r
`,
    ],
    [
      'terse',
      `0 R name=wg1 mtu=1420 listen-port=13231 private-key=${PRIVATE_A} public-key=${PUBLIC_A}
1 X comment=to the office name=wg2 mtu=1412 listen-port=51820 private-key=${PRIVATE_C} public-key=${PUBLIC_C}
`,
    ],
  ])('%s', (_, text) => {
    const { items } = only(text, 'wireguard');
    expect(
      items.map((w) => [
        w.name?.value,
        w.comment?.value,
        w.listenPort?.value,
        w.mtu?.value,
        w.publicKey && toBase64(w.publicKey.value),
        w.privateKey?.value.kind,
        w.running,
        w.disabled,
      ]),
    ).toEqual([
      ['wg1', undefined, 13231, 1420, PUBLIC_A, 'key', true, false],
      ['wg2', 'to the office', 51820, 1412, PUBLIC_C, 'key', false, true],
    ]);
    expect(secretsIn(items)).toEqual([]);
  });
});

describe('/interface wireguard peers print', () => {
  const detail = `Flags: X - DISABLED; D - DYNAMIC 
 0    ;;; mullvad ie-dub-001
      interface=wg1 name="peer4" public-key="${PUBLIC_B}" 
      endpoint-address=146.70.189.2 endpoint-port=51820 current-endpoint-address=146.70.189.2 
      current-endpoint-port=51820 allowed-address=0.0.0.0/0,
                                                  ::/0 preshared-key="${PSK}" 
      persistent-keepalive=25s client-endpoint="" client-allowed-address=::/0 rx=3568.3MiB tx=356.8MiB 
      last-handshake=1m35s 

 1 X  interface=wg1 name="peer5" public-key="${PUBLIC_C}" private-key="" endpoint-address="" 
      endpoint-port=0 current-endpoint-address="" current-endpoint-port=0 allowed-address=10.0.0.7/32 responder=yes
      client-endpoint="" rx=0 tx=444 
`;

  test('detail', () => {
    const { items } = only(detail, 'peers');
    const [first, second] = items;
    expect([first?.line, first?.comment?.value, first?.interface?.value]).toEqual([2, 'mullvad ie-dub-001', 'wg1']);
    expect(first?.publicKey && toBase64(first.publicKey.value)).toBe(PUBLIC_B);
    expect(first?.allowedAddresses.map(({ value }) => formatPrefix(value))).toEqual(['0.0.0.0/0', '::/0']);
    expect(first?.presharedKey?.value.kind).toBe('key');
    expect([first?.currentEndpointAddress?.value, first?.currentEndpointPort?.value]).toEqual(['146.70.189.2', 51820]);
    expect(first?.lastHandshakeMs).toEqual({ value: 95_000, line: 8, column: 22, raw: '1m35s' });
    expect(first?.rx?.value).toEqual({ bytes: 3741633741, uncertaintyBytes: 52429 });
    expect(first?.client.endpoint).toBeUndefined();

    expect([second?.disabled, second?.endpointAddress, second?.endpointPort?.value]).toEqual([true, undefined, 0]);
    expect([second?.privateKey, second?.presharedKey, second?.lastHandshakeMs]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(second?.responder?.value).toBe(true);
    expect(second?.tx?.value).toEqual({ bytes: 444, uncertaintyBytes: 0 });
    expect(secretsIn(items)).toEqual([]);
  });

  test('terse, with comments that hold anything', () => {
    const { items } = only(
      `0 comment=koooo-wg-2 interface=wg-user name=peer9 public-key=${PUBLIC_A} private-key= endpoint-address= endpoint-port=0 current-endpoint-address=192.0.2.7 current-endpoint-port=50610 allowed-address=192.168.30.2/32 preshared-key= client-address=192.168.30.2/32 client-endpoint= rx=35.6MiB tx=340.5MiB last-handshake=1h21m
1 comment=user=81708658 wg=192.168.30.5 interface=wg-user name=peer12 public-key=${PUBLIC_B} allowed-address=192.168.30.5/32 persistent-keepalive=25s rx=180 tx=92
`,
      'peers',
    );
    expect(
      items.map((p) => [
        p.comment?.value,
        p.name?.value,
        p.lastHandshakeMs?.value,
        p.rx?.value.bytes,
        p.endpointPort?.value,
      ]),
    ).toEqual([
      ['koooo-wg-2', 'peer9', 4_860_000, 37_329_306, 0],
      ['user=81708658 wg=192.168.30.5', 'peer12', undefined, 180, undefined],
    ]);
  });

  test('columns', () => {
    const text = `Flags: X - DISABLED
Columns: INTERFACE, PUBLIC-KEY, ENDPOINT-ADDRESS, ENDPOINT-PORT, ALLOWED-ADDRESS
 #   INTERFACE   PUBLIC-KEY                                    ENDPOINT-ADDRESS  ENDPOINT-PORT  ALLOWED-ADDRESS
;;; phone
 0   wireguard1  ${PUBLIC_A}                                0  10.0.3.2/32    
                                                                                                10.0.3.3/32    
 1 X wireguard1  ${PUBLIC_B}  vpn.example.net           51820  0.0.0.0/0      
`;
    const { items } = only(text, 'peers');
    expect(
      items.map((p) => [
        p.line,
        p.comment?.value,
        p.interface?.value,
        p.publicKey && toBase64(p.publicKey.value),
        p.endpointAddress?.value,
        p.endpointPort?.value,
        p.allowedAddresses.map(({ value }) => formatPrefix(value)),
        p.disabled,
      ]),
    ).toEqual([
      [5, 'phone', 'wireguard1', PUBLIC_A, undefined, 0, ['10.0.3.2/32', '10.0.3.3/32'], false],
      [7, undefined, 'wireguard1', PUBLIC_B, 'vpn.example.net', 51820, ['0.0.0.0/0'], true],
    ]);
  });

  test('columns whose headings were cut', () => {
    const text = `Columns: INTERFACE, PUBLIC-KEY, ENDPOINT-ADDRESS, ENDPOINT-PORT,
  ALLOWED-ADDRESS
# INTERFACE        PUBLIC-KEY                                    ENDPOIN  E  ALLOWED-A
0 wireguard-TMask  ${PUBLIC_C}  0.0.0.0  0  0.0.0.0/0
`;
    const [peer] = only(text, 'peers').items;
    expect([peer?.interface?.value, peer?.endpointAddress?.value, peer?.endpointPort?.value]).toEqual([
      'wireguard-TMask',
      '0.0.0.0',
      0,
    ]);
    expect(peer?.allowedAddresses).toHaveLength(1);
  });
});

describe('/ip firewall filter print', () => {
  const detail = `Flags: X - disabled, I - invalid; D - dynamic 
 0  D ;;; special dummy rule to show fasttrack counters
      chain=forward action=passthrough 

 1    ;;; defconf: accept established,related,untracked
      chain=input action=accept connection-state=established,related,untracked log=no log-prefix="" 

 2 X  chain=input action=accept protocol=udp in-interface-list=WAN dst-port=13231 log=no 
      log-prefix="" 

 3  I ;;; in/out-interface matcher not possible when interface (ether2) is slave - use master instead (bridge)
      chain=input action=drop in-interface=ether2 log=no log-prefix="" 

 4    chain=input action=drop in-interface-list=!LAN 
`;
  test('detail', () => {
    const table = only(detail, 'firewall');
    expect(table.complete).toBe(true);
    expect(
      table.items.map((r) => [
        r.number,
        r.chain?.value,
        r.action.value,
        [r.disabled, r.invalid, r.dynamic],
        r.matchers.map((m) => `${m.name}=${m.kind === 'text' ? m.value : ''}`),
      ]),
    ).toEqual([
      [0, 'forward', 'passthrough', [false, false, true], []],
      [1, 'input', 'accept', [false, false, false], ['connection-state=established,related,untracked']],
      [2, 'input', 'accept', [true, false, false], ['protocol=udp', 'in-interface-list=WAN', 'dst-port=13231']],
      [3, 'input', 'drop', [false, true, false], ['in-interface=ether2']],
      [4, 'input', 'drop', [false, false, false], ['in-interface-list=!LAN']],
    ]);
    expect(table.items[1]?.comment?.value).toBe('defconf: accept established,related,untracked');
  });

  test.each<[string, string]>([
    [
      'RouterOS 7',
      `Columns: CHAIN, ACTION, BYTES, PACKETS
 # CHAIN    ACTION    BYTES  PACKETS
;;; LAN outbound
20 forward  accept  874 062    1 675
21 input    drop          0        0
`,
    ],
    [
      'RouterOS 6 and early 7',
      `Flags: X - disabled, I - invalid, D - dynamic
 #    CHAIN                                          ACTION                            BYTES         PACKETS
20    ;;; LAN outbound
      forward                                        accept                          874 062           1 675
21    input                                          drop                                  0               0
`,
    ],
  ])('stats of %s', (_, text) => {
    const table = only(text, 'firewall', '/ip firewall filter print stats');
    expect(table.complete).toBe(false);
    expect(
      table.items.map((r) => [
        r.table,
        r.number,
        r.comment?.value,
        r.chain?.value,
        r.action.value,
        r.bytes?.value.bytes,
        r.packets?.value,
      ]),
    ).toEqual([
      ['filter', 20, 'LAN outbound', 'forward', 'accept', 874_062, 1675],
      ['filter', 21, undefined, 'input', 'drop', 0, 0],
    ]);
  });

  test('which table it is', () => {
    const nat = ' 0    ;;; NAT\n      chain=srcnat action=masquerade out-interface=ether1\n';
    expect(only(nat, 'firewall').items[0]?.table).toBe('nat');
    const mangle = ' 0    chain=forward action=change-mss new-mss=clamp-to-pmtu\n';
    expect(only(mangle, 'firewall').items[0]?.table).toBe('mangle');
    const v6 = only(' 0    chain=input action=drop\n', 'firewall', '/ipv6/firewall/raw/print');
    expect([v6.items[0]?.family, v6.items[0]?.table]).toEqual(['ipv6', 'raw']);
  });
});

test('addresses and routes', () => {
  const addresses = only(
    `Flags: D - DYNAMIC
Columns: ADDRESS, NETWORK, INTERFACE
#   ADDRESS            NETWORK       INTERFACE  
;;; defconf
0   192.168.88.1/24    192.168.88.0  bridge     
1 D 203.0.113.9/24     203.0.113.0   ether1     
`,
    'addresses',
  );
  expect(addresses.items.map((a) => [formatPrefix(a.address.value), a.interface?.value, a.dynamic])).toEqual([
    ['192.168.88.1/24', 'bridge', false],
    ['203.0.113.9/24', 'ether1', true],
  ]);
  const routes = only(
    `Flags: D - DYNAMIC; A - ACTIVE; c - CONNECT, s - STATIC, d - DHCP
Columns: DST-ADDRESS, GATEWAY, DISTANCE
#     DST-ADDRESS      GATEWAY       DISTANCE
  DAd 0.0.0.0/0        203.0.113.1          1
0  As 10.10.0.0/24     wg-cloud             1
1  s  10.20.0.0/24     wg-old               1
`,
    'routes',
  );
  expect(
    routes.items.map((r) => [
      r.destination && formatPrefix(r.destination.value),
      r.gateway?.value,
      r.active,
      r.dynamic,
    ]),
  ).toEqual([
    ['0.0.0.0/0', '203.0.113.1', true, true],
    ['10.10.0.0/24', 'wg-cloud', true, false],
    ['10.20.0.0/24', 'wg-old', false, false],
  ]);
});

test('settings', () => {
  const clock = only(
    `                  time: 00:07:12
                  date: 1970-01-02
  time-zone-autodetect: yes
        time-zone-name: Europe/Riga
            gmt-offset: +02:00
`,
    'clock',
  );
  expect([clock.clock.date?.value, clock.clock.time?.value, clock.clock.timeZone?.value]).toEqual([
    '1970-01-02',
    '00:07:12',
    'Europe/Riga',
  ]);
  const ntp = only('         enabled: no\n         servers: \n          status: stopped\n', 'ntp-client');
  expect([ntp.ntpClient.enabled?.value, ntp.ntpClient.status?.value]).toEqual([false, 'stopped']);
});

test('two prints one after the other', () => {
  const { tables } = parseRosPrint(
    `0 R name=wg1 mtu=1420 listen-port=13231 public-key=${PUBLIC_A}\n0 interface=wg1 public-key=${PUBLIC_B} allowed-address=::/0\n`,
  );
  expect(tables.map((t) => [t.kind, t.line])).toEqual([
    ['wireguard', 1],
    ['peers', 2],
  ]);
});

test('a key that was cut is a problem at its place', () => {
  const { problems, faults } = parseRosPrint(' 0    interface=wg1 public-key="YG4jDu..." allowed-address=::/0\n');
  expect(problems).toMatchObject([{ line: 1, column: 33, message: 'public-key contains a dot' }]);
  expect(faults).toMatchObject([{ setting: 'public-key', fault: 'character', itemLine: 1 }]);
});
