/** Link types: what leads to IP, what does not, and what the path says. */
import { describe, expect, test } from 'vitest';
import { concat, EMPTY } from '../../src/base/bytes.ts';
import { Decoder } from '../../src/packet/decode.ts';
import {
  be16,
  be32,
  bytes,
  datagram,
  ethernet,
  frame,
  ipv4,
  ipv6,
  only,
  pppoe,
  skipped,
  tzsp,
  udp,
  V4,
  V6,
  vlan,
} from './build.ts';

const payload = bytes(1, 2, 3, 4, 5);
const four = ipv4(V4, udp(V4, payload));
const six = ipv6(V6, udp(V6, payload));
const sll = (packetType: number, arphrd: number, protocol: number): Uint8Array =>
  concat(be16(packetType), be16(arphrd), be16(6), new Uint8Array(8), be16(protocol));
const sll2 = (packetType: number, arphrd: number, protocol: number): Uint8Array =>
  concat(be16(protocol), be16(0), be32(3), be16(arphrd), bytes(packetType, 6), new Uint8Array(8));
const le32 = (value: number): Uint8Array => be32(value).reverse();

const carried: readonly [name: string, linkType: number, data: Uint8Array, path: string][] = [
  ['NULL, little endian, IPv4', 0, concat(le32(2), four), 'null ipv4'],
  ['NULL, big endian, IPv4', 0, concat(be32(2), four), 'null ipv4'],
  ...[10, 23, 24, 28, 30].flatMap((family): [string, number, Uint8Array, string][] => [
    [`NULL, little endian, family ${family}`, 0, concat(le32(family), six), 'null ipv6'],
    [`NULL, big endian, family ${family}`, 0, concat(be32(family), six), 'null ipv6'],
    [`LOOP, family ${family}`, 108, concat(be32(family), six), 'loop ipv6'],
  ]),
  ['LOOP', 108, concat(be32(2), four), 'loop ipv4'],
  ['Ethernet', 1, ethernet(0x0800, four), 'ethernet ipv4'],
  ['Ethernet with padding', 1, concat(ethernet(0x0800, four), new Uint8Array(20)), 'ethernet ipv4'],
  ['Ethernet, IPv6', 1, ethernet(0x86dd, six), 'ethernet ipv6'],
  ['VLAN 0', 1, ethernet(0x8100, vlan(0, 0x0800, four)), 'ethernet vlan 0 ipv4'],
  ['QinQ', 1, ethernet(0x88a8, vlan(9, 0x8100, vlan(4095, 0x86dd, six))), 'ethernet vlan 9 vlan 4095 ipv6'],
  ['old QinQ', 1, ethernet(0x9100, vlan(9, 0x8100, vlan(7, 0x0800, four))), 'ethernet vlan 9 vlan 7 ipv4'],
  ['PPPoE', 1, ethernet(0x8864, pppoe(0x0021, four, 9)), 'ethernet pppoe ipv4'],
  ['PPPoE in VLAN, IPv6', 1, ethernet(0x8100, vlan(7, 0x8864, pppoe(0x0057, six))), 'ethernet vlan 7 pppoe ipv6'],
  ['PPP', 9, concat(bytes(0xff, 3), be16(0x21), four), 'ppp ipv4'],
  ['PPP without address and control', 9, concat(be16(0x57), six), 'ppp ipv6'],
  ['PPP, compressed protocol', 9, concat(bytes(0x21), four), 'ppp ipv4'],
  ['PPP, both compressed or not', 9, concat(bytes(0xff, 3, 0x57), six), 'ppp ipv6'],
  ['PPP in HDLC', 50, concat(bytes(0xff, 3), be16(0x21), four), 'ppp ipv4'],
  ['Cisco HDLC', 50, concat(bytes(0x0f, 0), be16(0x0800), four), 'hdlc ipv4'],
  ['PPPoE without Ethernet', 51, pppoe(0x0021, four), 'pppoe ipv4'],
  ...[12, 14, 101].flatMap((type): [string, number, Uint8Array, string][] => [
    [`RAW ${type}, IPv4`, type, four, 'raw ipv4'],
    [`RAW ${type}, IPv6`, type, six, 'raw ipv6'],
  ]),
  ['IPV4', 228, four, 'raw ipv4'],
  ['IPV6', 229, six, 'raw ipv6'],
  ['SLL', 113, concat(sll(0, 1, 0x0800), four), 'sll ipv4'],
  ['SLL with VLAN', 113, concat(sll(0, 1, 0x8100), vlan(7, 0x86dd, six)), 'sll vlan 7 ipv6'],
  ['SLL2 of a TUN device', 276, concat(sll2(0, 65534, 0x86dd), six), 'sll2 ipv6'],
  ['TZSP', 128, tzsp(ethernet(0x0800, four)), 'tzsp ethernet ipv4'],
];

test.each(carried)('%s', (_, linkType, data, path) => {
  const found = datagram(new Decoder().decode(frame(linkType, data)));
  expect(found.bytes).toEqual(payload);
  expect(found.length).toBe(payload.length);
  expect(found.path.join(' ')).toBe(path);
  expect(found.from.text).toBe(path.endsWith('ipv4') ? '192.0.2.1:40000' : '[2001:db8::1]:40000');
  expect(found.to.text).toBe(path.endsWith('ipv4') ? '198.51.100.2:51820' : '[2001:db8::2]:51820');
  expect(found.checksum).toBe('ok');
});

const five = [1, 2, 3, 4, 5].reduce<[number, Uint8Array]>(
  ([type, data], id) => [0x8100, vlan(id, type, data)],
  [0x0800, four],
);

const refused: readonly [name: string, linkType: number, data: Uint8Array, reason: string, detail: RegExp][] = [
  ['ARP', 1, ethernet(0x0806, new Uint8Array(28)), 'not-ip', /^ARP$/],
  ['LLC', 1, ethernet(0x0026, new Uint8Array(38)), 'not-ip', /LLC/],
  ['an unnamed type', 1, ethernet(0x0601, new Uint8Array(38)), 'not-ip', /ethertype 0x0601/],
  ['five VLAN tags', 1, ethernet(...five), 'not-ip', /VLAN/],
  ['half a VLAN tag', 1, ethernet(0x8100, bytes(0, 1)), 'not-ip', /VLAN/],
  ['PPPoE discovery', 1, ethernet(0x8863, new Uint8Array(28)), 'not-ip', /discovery/],
  ['PPPoE with a code', 1, ethernet(0x8864, bytes(0x11, 9, 0, 0, 0, 2, 0, 0x21)), 'not-ip', /session/],
  ['PPPoE too short', 1, ethernet(0x8864, bytes(0x11, 0, 0)), 'not-ip', /PPPoE header/],
  ['PPP LCP', 1, ethernet(0x8864, pppoe(0xc021, new Uint8Array(8))), 'not-ip', /LCP/],
  ['an unnamed PPP protocol', 9, bytes(0x40, 0x02), 'not-ip', /0x4002/],
  ['half a PPP header', 9, bytes(0xff, 3, 0), 'not-ip', /PPP header/],
  ['IPv6 where IPv4 was said', 1, ethernet(0x0800, six), 'ip-malformed', /IPv4/],
  ['IPv4 where IPv6 was said', 229, four, 'ip-malformed', /IPv6/],
  ['RAW with another version', 101, bytes(0x50, 0, 0, 0), 'not-ip', /first octet/],
  ['an empty frame', 1, EMPTY, 'not-ip', /Ethernet header/],
  ['an empty RAW frame', 101, EMPTY, 'not-ip', /first octet/],
  ['NULL with another family', 0, be32(7), 'not-ip', /family 7/],
  ['half a NULL header', 0, bytes(2, 0), 'not-ip', /loopback/],
  ['an empty HDLC frame', 50, EMPTY, 'not-ip', /HDLC/],
  ['SLL with ARP', 113, sll(0, 1, 0x0806), 'not-ip', /ARP/],
  ['SLL2 of netlink', 276, sll2(0, 824, 0x0800), 'not-ip', /netlink/],
  ['half an SLL2 header', 276, new Uint8Array(19), 'not-ip', /cooked/],
  ['half an SLL header', 113, new Uint8Array(15), 'not-ip', /cooked/],
  ['TZSP keepalive', 128, bytes(1, 4, 0, 0, 1), 'tzsp', /./],
  ['TZSP with 802.11', 128, bytes(1, 0, 0, 18, 1, 0), 'link-type', /18/],
  ['USER0', 147, four, 'link-type', /USER0|147/],
  ['a link type without name', 60000, four, 'link-type', /60000/],
];

test.each(refused)('skips %s', (_, linkType, data, reason, detail) => {
  const found = skipped(new Decoder().decode(frame(linkType, data)));
  expect(found.reason).toBe(reason);
  expect(found.detail).toMatch(detail);
});

test.each([
  [0, 'in'],
  [1, 'in'],
  [2, 'in'],
  [3, undefined],
  [4, 'out'],
] as const)('cooked packet type %i is %s', (packetType, direction) => {
  const decoder = new Decoder();
  expect(datagram(decoder.decode(frame(113, concat(sll(packetType, 1, 0x0800), four)))).direction).toBe(direction);
  expect(datagram(decoder.decode(frame(276, concat(sll2(packetType, 1, 0x0800), four)))).direction).toBe(direction);
});

test('the container knows the direction better than the link layer', () => {
  const data = concat(sll(0, 1, 0x0800), four);
  expect(datagram(new Decoder().decode(frame(113, data, { direction: 'out' }))).direction).toBe('out');
});

test('frame check sequences are no payload', () => {
  const whole = concat(ethernet(0x0800, ipv4(V4, udp(V4, payload), { total: 0 })), bytes(9, 9, 9, 9));
  const found = datagram(new Decoder().decode(frame(1, whole, { fcsBytes: 4 })));
  expect([found.bytes, found.length, found.ipLength]).toEqual([payload, 5, 33]);
  expect(skipped(new Decoder().decode(frame(1, bytes(1, 2), { fcsBytes: 4 }))).reason).toBe('not-ip');
});

describe('cut by the snap length', () => {
  const whole = ethernet(0x8100, vlan(7, 0x0800, four));

  test.each(Array.from({ length: whole.length }, (_, n) => n))('at %i octets', (n) => {
    const found = only(new Decoder().decode(frame(1, whole.subarray(0, n), { wireLength: whole.length })));
    const header = 14 + 4 + 20 + 8;
    if (n < header) expect(found).toMatchObject({ kind: 'skip', reason: 'cut' });
    else {
      expect(found).toMatchObject({ kind: 'datagram', length: 5, ipLength: 33, checksum: 'unverifiable' });
      expect(found.kind === 'datagram' && found.bytes).toEqual(payload.subarray(0, n - header));
    }
  });
});

describe('TZSP over UDP 37008', () => {
  const outer = { ...V4, sourcePort: 37008, destinationPort: 37008 };
  const mirror = (inner: Uint8Array): Uint8Array => ethernet(0x0800, ipv4(outer, udp(outer, inner)));

  test.each([0, 1, 2, 3])('%i levels deep', (depth) => {
    let data = ethernet(0x86dd, six);
    for (let i = 0; i < depth; i++) data = mirror(tzsp(data));
    const found = datagram(new Decoder().decode(frame(1, data, { direction: 'in' })));
    expect(found.bytes).toEqual(payload);
    expect(found.path).toEqual([...Array(depth).fill(['ethernet', 'ipv4', 'udp', 'tzsp']).flat(), 'ethernet', 'ipv6']);
    expect(found.direction).toBe(depth === 0 ? 'in' : undefined);
  });

  test('four levels deep the fourth is left packed', () => {
    let data = ethernet(0x86dd, six);
    for (let i = 0; i < 4; i++) data = mirror(tzsp(data));
    const found = datagram(new Decoder().decode(frame(1, data)));
    expect(found.to.port).toBe(37008);
    expect(found.bytes).toEqual(tzsp(ethernet(0x86dd, six)));
  });

  test('one port is enough', () => {
    const ends = { ...V4, sourcePort: 5000, destinationPort: 37008 };
    const data = ipv4(ends, udp(ends, tzsp(ethernet(0x86dd, six))));
    expect(datagram(new Decoder().decode(frame(101, data))).path).toContain('tzsp');
    const other = { ...V4, sourcePort: 5000, destinationPort: 5001 };
    const plain = ipv4(other, udp(other, tzsp(ethernet(0x86dd, six))));
    expect(datagram(new Decoder().decode(frame(101, plain))).path).not.toContain('tzsp');
  });

  test('a frame the sensor cut gives a cut datagram', () => {
    const inner = ethernet(0x0800, ipv4(V4, udp(V4, new Uint8Array(100)), { total: 0 }));
    const found = datagram(new Decoder().decode(frame(1, mirror(tzsp(inner.subarray(0, 60), inner.length)))));
    expect([found.length, found.bytes.length, found.ipLength]).toEqual([100, 18, 128]);
  });

  test.each([
    ['ARP', tzsp(ethernet(0x0806, new Uint8Array(28))), 'not-ip'],
    ['a keepalive', bytes(1, 4, 0, 0, 1), 'tzsp'],
    ['802.11', bytes(1, 0, 0, 18, 1, 0, 0), 'link-type'],
  ])('%s is no datagram of its own', (_, inner, reason) => {
    expect(skipped(new Decoder().decode(frame(1, mirror(inner)))).reason).toBe(reason);
  });

  test.each([1, 2, 3, 4])('a WireGuard message of type %i on this port stays one', (type) => {
    const message = concat(bytes(type, 0, 0, 0), new Uint8Array(60).fill(0xa5));
    const found = datagram(new Decoder().decode(frame(1, mirror(message), { direction: 'out' })));
    expect(found.bytes).toEqual(message);
    expect([found.path, found.direction]).toEqual([['ethernet', 'ipv4'], 'out']);
  });
});

test('paths and endpoints are the same objects again', () => {
  const decoder = new Decoder();
  const a = datagram(decoder.decode(frame(1, ethernet(0x0800, four))));
  const b = datagram(decoder.decode(frame(1, ethernet(0x0800, four.slice()))));
  expect(a.path).toBe(b.path);
  expect(a.from).toBe(b.from);
  expect(a.to).toBe(b.to);
});

test('an endpoint outlives the bytes it was read from', () => {
  const data = ethernet(0x0800, four.slice());
  const { from } = datagram(new Decoder().decode(frame(1, data)));
  data.fill(0);
  expect([...from.ip]).toEqual([192, 0, 2, 1]);
});

test('more paths than are remembered still come out right', () => {
  const decoder = new Decoder();
  for (let i = 0; i < 6000; i++) {
    const data = ethernet(0x88a8, vlan(i % 4096, 0x8100, vlan((i * 7) % 4096, 0x0800, four)));
    expect(datagram(decoder.decode(frame(1, data))).path.join()).toBe(
      `ethernet,vlan ${i % 4096},vlan ${(i * 7) % 4096},ipv4`,
    );
  }
});
