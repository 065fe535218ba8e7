/** One capture in thirty formats: each gives the same 22 WireGuard datagrams. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import type { Datagram, Decoded } from '../../src/packet/datagram.ts';
import { decodeFile } from './read.ts';

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url));
const FORMATS = `${SHARED}captures/public/formats/`;

interface Cases {
  readonly ping_tcp_frames: readonly { src: string; dst: string; udp_payload: number }[];
  readonly format_variants: Readonly<Record<string, { wg_messages: number }>>;
}

const paths: Readonly<Record<string, string>> = {
  'en10mb-ipv6.pcap': 'ethernet ipv6',
  'en10mb-pppoe.pcap': 'ethernet pppoe ipv4',
  'en10mb-qinq.pcap': 'ethernet vlan 10 vlan 100 ipv4',
  'en10mb-vlan.pcap': 'ethernet vlan 100 ipv4',
  'ipv4-228.pcap': 'raw ipv4',
  'loop.pcap': 'loop ipv4',
  'null-le.pcap': 'null ipv4',
  'ppp.pcap': 'ppp ipv4',
  'raw101.pcap': 'raw ipv4',
  'sll.pcap': 'sll ipv4',
  'sll2.pcap': 'sll2 ipv4',
  'tzsp-dlt128.pcap': 'tzsp ethernet ipv4',
  'tzsp-udp37008.pcap': 'ethernet ipv4 udp tzsp ethernet ipv4',
  'tzsp-udp37008-tags.pcap': 'ethernet ipv4 udp tzsp ethernet ipv4',
  'two-interfaces.pcapng': 'either',
};

const datagrams = (all: readonly Decoded[]): Datagram[] => all.filter((found) => found.kind === 'datagram');

describe.skipIf(!existsSync(SHARED))('format variants', () => {
  const cases = JSON.parse(readFileSync(`${SHARED}captures/public/cases.json`, 'utf8')) as Cases;
  const names = readdirSync(FORMATS);

  test('there are 30', () => expect(names.length).toBe(30));

  test.each(names)('%s', async (name) => {
    const reference = datagrams(await decodeFile(`${FORMATS}en10mb-usec-le.pcap`));
    const all = await decodeFile(FORMATS + name);
    const found = datagrams(all);
    const wanted = cases.ping_tcp_frames.slice(0, cases.format_variants[name]?.wg_messages ?? 0);
    const six = (text: string): string => text.replace(/^10\.9\.0\.([12]):/, '[fd00::$1]:');
    const from = name === 'en10mb-ipv6.pcap' ? six : (text: string): string => text;

    expect(wanted.length).toBeGreaterThanOrEqual(21);
    expect(found.map((d) => [d.from.text, d.to.text, d.length])).toEqual(
      wanted.map((w) => [from(w.src), from(w.dst), w.udp_payload]),
    );
    const cut = name === 'en10mb-snap96.pcap' ? 96 - 14 - 20 - 8 : Number.POSITIVE_INFINITY;
    expect(found.map((d) => toHex(d.bytes))).toEqual(
      reference.slice(0, wanted.length).map((d) => toHex(d.bytes.subarray(0, cut))),
    );

    const fragmented = name === 'en10mb-ipfrag.pcap';
    expect(found.map((d) => d.fragments)).toEqual(wanted.map((_, i) => (fragmented && i === 21 ? 2 : 1)));
    const skips = all.filter((one) => one.kind !== 'datagram');
    expect(skips.map((one) => one.kind === 'skip' && one.reason)).toEqual(fragmented ? ['fragment-pending'] : []);
    const carried = new Set(found.map((d) => d.path.join(' ')));
    expect(carried.size).toBe(name === 'two-interfaces.pcapng' ? 2 : 1);
    const expected = paths[name] ?? 'ethernet ipv4';
    if (expected !== 'either') expect([...carried]).toEqual([expected]);
  });

  test('the cut one says how long its datagrams were', async () => {
    const found = datagrams(await decodeFile(`${FORMATS}en10mb-snap96.pcap`));
    const short = found.filter((d) => d.bytes.length < d.length);
    expect(short.map((d) => d.checksum)).toEqual(short.map(() => 'unverifiable'));
    expect(short.length).toBe(20); // all but the two keepalives
  });

  test.each([
    ['en10mb-usec-le.pcap', 'bad'], // all 22 were captured before the card filled it in, as tshark finds too
    ['en10mb-ipv6.pcap', 'ok'],
    ['tzsp-udp37008.pcap', 'bad'],
  ])('checksums of %s are %s', async (name, verdict) => {
    const found = datagrams(await decodeFile(FORMATS + name));
    expect(found.map((d) => d.checksum)).toEqual(Array(22).fill(verdict));
  });

  test('header facts', async () => {
    const found = datagrams(await decodeFile(`${FORMATS}en10mb-usec-le.pcap`));
    expect(found.map((d) => d.tos)).toEqual(found.map((d) => (d.bytes[0] === 4 ? 0 : 0x88)));
    expect(found.map((d) => [d.ttl, d.dontFragment, d.ipLength])).toEqual(found.map((d) => [64, false, d.length + 28]));
    expect(found.slice(0, 4).map((d) => d.ipId)).toEqual([0x024b, 0x2a39, 0x024c, 0x2a3a]);
  });
});
