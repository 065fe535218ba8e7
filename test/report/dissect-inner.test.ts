/** The packet inside, field by field, on packets that were put together octet by octet. */
import { describe, expect, test } from 'vitest';
import { concat, toHex, utf8 } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { dissect } from '../../src/report/dissect.ts';
import type { DissectedField } from '../../src/report/dissect-model.ts';
import { capture, there } from '../diagnose/traffic.ts';
import { be16, be32, bytes, internetChecksum, ipv4, ipv6, udp, V4, V6 } from '../packet/build.ts';
import { KEY_LOG, OFFSET, SESSION, sealed } from './dissect-samples.ts';

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}

/** The line, and the fields of what was sealed, by their path. */
async function inside(plain: Uint8Array, padding?: number) {
  const message = sealed(7, plain, padding);
  const sources = [
    { name: 'f.pcap', open: () => once(capture([...SESSION, there(OFFSET + 1, message)])) },
    { name: 'session.keys', open: () => once(utf8(KEY_LOG)) },
  ];
  for await (const item of dissect(sources, { crypto: nodeCrypto, payloads: true })) {
    if (item.kind !== 'message' || item.at.frame !== 4) continue;
    const sealedPacket = item.fields?.find(({ name }) => name === 'sealedPacket');
    return { summary: item.summary, fields: paths(sealedPacket?.fields ?? []) };
  }
  throw new Error('it was not told of');
}

function paths(fields: readonly DissectedField[], before = '', into = new Map<string, DissectedField>()) {
  for (const field of fields) {
    into.set(`${before}${field.name}`, field);
    paths(field.fields ?? [], `${before}${field.name}.`, into);
  }
  return into;
}

/** With the checksum of its header. */
function ipv4Right(payload: Uint8Array, protocol: number): Uint8Array {
  const packet = ipv4(V4, payload, { protocol });
  packet.set(be16(internetChecksum(packet.subarray(0, 20))), 10);
  return packet;
}

const SYN = concat(
  be16(49472),
  be16(443),
  be32(0x8b1b1e28),
  be32(0),
  bytes(0x60, 2),
  be16(27600),
  be16(0),
  be16(0),
  bytes(2, 4, 5, 0x64),
);

function tcp(): Uint8Array {
  const out = SYN.slice();
  const pseudo = concat(V4.source, V4.destination, bytes(0, 6), be16(out.length));
  out.set(be16(internetChecksum(concat(pseudo, out))), 16);
  return out;
}

const name = (...labels: readonly string[]): Uint8Array =>
  concat(...labels.flatMap((label) => [bytes(label.length), utf8(label)]), bytes(0));
const QUESTION = concat(name('www', 'example', 'org'), be16(28), be16(1));
const QUERY = concat(be16(0xabcd), be16(0x0100), be16(1), be16(0), be16(0), be16(0), QUESTION);
const ANSWER = concat(
  be16(0xabcd),
  be16(0x8180),
  be16(1),
  be16(2),
  be16(0),
  be16(0),
  QUESTION,
  concat(be16(0xc00c), be16(5), be16(1), be32(60), be16(4), bytes(1, 97, 0xc0, 0x10)),
  concat(bytes(1, 97, 0xc0, 0x10), be16(28), be16(1), be32(30), be16(16), V6.source),
);
const dnsEnds = (query: boolean) => ({ ...V4, ...(query ? { destinationPort: 53 } : { sourcePort: 53 }) });

const ECHO6 = (() => {
  const echo = concat(bytes(128, 0), be16(0), be16(0x1234), be16(9), utf8('abcdefgh'));
  const pseudo = concat(V6.source, V6.destination, be32(echo.length), be32(58));
  echo.set(be16(internetChecksum(concat(pseudo, echo))), 2);
  return ipv6(V6, echo, { protocol: 58 });
})();

const TOO_BIG = concat(bytes(3, 4, 0, 0, 0, 0), be16(1300), ipv4(V4, udp(V4, utf8('hello')).subarray(0, 8)));

type Row = readonly [path: string, at: number, length: number, value: unknown, meaning?: unknown];

describe('fields', () => {
  test.each<[string, Uint8Array, string, readonly Row[]]>([
    [
      'TCP',
      ipv4Right(tcp(), 6),
      '192.0.2.1:49472 → 198.51.100.2:443 TCP SYN, MSS 1380, 0 bytes; accepted',
      [
        ['ipv4.checksum', 26, 2, expect.stringMatching(/^0x/), 'right'],
        ['ipv4.protocol', 25, 1, 6, 'TCP'],
        ['tcp.sourcePort', 36, 2, 49472],
        ['tcp.sequence', 40, 4, 0x8b1b1e28],
        ['tcp.headerLength', 48, 1, 24, expect.any(String)],
        ['tcp.flags', 48, 2, '0x0002', 'SYN'],
        ['tcp.window', 50, 2, 27600],
        ['tcp.checksum', 52, 2, `0x${toHex(tcp().subarray(16, 18))}`, 'right'],
        ['tcp.options', 56, 4, undefined, 'MSS 1380'],
        ['padding', 60, 4, undefined, 'zero'],
      ],
    ],
    [
      'a DNS query',
      ipv4Right(udp(dnsEnds(true), QUERY), 17),
      'DNS query: www.example.org AAAA; accepted',
      [
        ['udp.length', 40, 2, 8 + QUERY.length],
        ['udp.checksum', 42, 2, expect.any(String), 'right'],
        ['dns.id', 44, 2, '0xabcd'],
        ['dns.questions', 48, 2, 1],
        ['dns.question', 56, QUESTION.length, 'www.example.org', 'AAAA'],
      ],
    ],
    [
      'its answer',
      ipv4Right(udp(dnsEnds(false), ANSWER), 17),
      'DNS answer, no error: www.example.org AAAA; accepted',
      [
        ['dns.answers', 50, 2, 2],
        ['dns.answer', 56 + QUESTION.length + 16, 30, 'a.example.org', 'AAAA 2001:db8::1 TTL 30'],
      ],
    ],
    [
      'ICMPv6',
      ECHO6,
      '2001:db8::1 → 2001:db8::2 ICMPv6 echo request id 4660 seq 9, 16 bytes; accepted',
      [
        ['ipv6.source', 24, 16, '2001:db8::1'],
        ['ipv6.hopLimit', 23, 1, 64],
        ['icmpv6.type', 56, 1, 128, 'echo request'],
        ['icmpv6.checksum', 58, 2, expect.any(String), 'right'],
        ['icmpv6.identifier', 60, 2, 0x1234],
        ['payload', 64, 8, undefined],
      ],
    ],
    [
      'an ICMP error',
      ipv4Right(TOO_BIG, 1),
      'ICMP fragmentation-needed, about 192.0.2.1:40000 → 198.51.100.2:51820 UDP',
      [
        ['icmp.nextHopMtu', 42, 2, 1300],
        ['icmp.checksum', 38, 2, '0x0000', 'wrong'],
        ['quoted', 44, 28, '192.0.2.1:40000 → 198.51.100.2:51820 UDP'],
      ],
    ],
    [
      'a fragment',
      ipv4(V4, new Uint8Array(24), { fragmentAt: 1480 }),
      'fragment at 1480, 24 bytes',
      [['ipv4.fragmentOffset', 22, 2, 1480, expect.any(String)]],
    ],
    [
      'another protocol',
      ipv4(V4, new Uint8Array(12), { protocol: 47 }),
      'GRE, 12 bytes',
      [['payload', 36, 12, undefined]],
    ],
    [
      'no IP',
      bytes(0x50, ...new Uint8Array(31)),
      'no IP packet (inner-version), 32 bytes',
      [['inner', 16, 32, undefined, 'no IP packet: inner-version']],
    ],
  ])('%s', async (_, plain, line, rows) => {
    const { summary, fields } = await inside(plain);
    expect(summary).toContain(line);
    for (const [path, at, length, value, meaning] of rows) {
      const { bytes: hex, fields: _fields, name: _name, ...rest } = fields.get(path) ?? { name: path };
      expect({ path, ...rest }).toEqual({
        path,
        at,
        length,
        ...(value === undefined ? {} : { value }),
        ...(meaning === undefined ? {} : { meaning }),
      });
      // offsets count in the message, and the packet begins at its byte 16
      const there = concat(plain, new Uint8Array(16));
      if (hex !== undefined) expect(hex).toBe(toHex(there.subarray(at - 16, at - 16 + length)));
    }
  });

  test('one wrong byte shows in the checksums', async () => {
    const packet = ipv4Right(tcp(), 6);
    packet[8] = 63;
    packet[25] = (packet[25] ?? 0) ^ 1;
    const { fields } = await inside(packet);
    expect(fields.get('ipv4.checksum')?.meaning).toBe('wrong');
    expect(fields.get('tcp.checksum')?.meaning).toBe('wrong');
  });

  test('more padding than there has to be', async () => {
    const { fields } = await inside(ipv4Right(tcp(), 6), 100);
    expect(fields.get('padding')).toMatchObject({ length: 100, meaning: 'zero' });
  });
});
