/** The packet inside a data message, one level deep: IP, then TCP, UDP with DNS names, or ICMP. */
import { dnsCodeName, dnsTypeName, isDnsAnswer, readDns } from '../analyze/inner/dns-message.ts';
import { InnerReader, TCP } from '../analyze/inner/read.ts';
import { endpoint, formatIp } from '../base/address.ts';
import { type Bytes, isZero, toHex, u8, u16be, u32be } from '../base/bytes.ts';
import { Summer } from '../packet/checksum.ts';
import { errorOf, ICMP, ICMPV6 } from '../packet/icmp.ts';
import { notUdp } from '../packet/names.ts';
import { UDP } from '../packet/udp.ts';
import type { Packet } from '../packet/walk.ts';
import { ipVersion, refuseInner } from '../wg/inner-packet.ts';
import type { DissectedField } from './dissect-model.ts';

export interface Inner {
  readonly summary: string;
  readonly fields: readonly DissectedField[];
}

const DNS_PORTS = [53, 5353];

/** One for many packets: it holds readers. */
export class InnerFields {
  readonly #reader = new InnerReader();
  readonly #quote = new InnerReader();
  readonly #summer = new Summer();
  readonly #base: number;
  readonly #payloads: boolean;
  #plain: Bytes = new Uint8Array(0);

  /** `base`: where in the message the packet begins; `payloads`: their bytes are wanted. */
  constructor(base: number, payloads: boolean) {
    this.#base = base;
    this.#payloads = payloads;
  }

  read(plain: Bytes): Inner {
    this.#plain = plain;
    const refused = refuseInner(plain, plain.length, '', true);
    if (refused !== undefined || !this.#reader.read(plain)) {
      const why = refused === undefined ? 'its headers make no sense' : refused.kind;
      return {
        summary: `no IP packet (${why}), ${plain.length} bytes`,
        fields: [this.#one('inner', 0, plain.length, undefined, `no IP packet: ${why}`)],
      };
    }
    const { packet } = this.#reader;
    const ip = packet.addressBytes === 4 ? this.#ipv4() : this.#ipv6();
    const transport = this.#transport();
    const padding = plain.length - packet.wireEnd;
    return {
      summary: `${this.#ends()} ${transport.summary}`,
      fields: [ip, ...transport.fields, ...(padding > 0 ? [this.#padding(packet.wireEnd, padding)] : [])],
    };
  }

  #bytes(at: number, length: number): Bytes {
    return this.#plain.subarray(at, at + length);
  }

  #one(
    name: string,
    at: number,
    length: number,
    value?: DissectedField['value'],
    meaning?: string,
    fields?: readonly DissectedField[],
  ): DissectedField {
    const group = fields !== undefined || length > 16;
    return {
      name,
      at: this.#base + at,
      length,
      ...(group && !(this.#payloads && fields === undefined) ? {} : { bytes: toHex(this.#bytes(at, length)) }),
      ...(value === undefined ? {} : { value }),
      ...(meaning === undefined ? {} : { meaning }),
      ...(fields === undefined ? {} : { fields }),
    };
  }

  #u8(name: string, at: number, meaning?: string): DissectedField {
    return this.#one(name, at, 1, u8(this.#plain, at), meaning);
  }

  #u16(name: string, at: number, meaning?: string): DissectedField {
    return this.#one(name, at, 2, u16be(this.#plain, at), meaning);
  }

  #hex16(name: string, at: number, meaning?: string): DissectedField {
    return this.#one(name, at, 2, `0x${toHex(this.#bytes(at, 2))}`, meaning);
  }

  #address(name: string, at: number, size: number): DissectedField {
    return this.#one(name, at, size, formatIp(this.#bytes(at, size)));
  }

  #ends(): string {
    const { packet, sourcePort, destinationPort, kind } = this.#reader;
    return endsOf(packet, kind === 'tcp' || kind === 'udp' ? [sourcePort, destinationPort] : undefined);
  }

  #ipv4(): DissectedField {
    const plain = this.#plain;
    const { packet } = this.#reader;
    const header = (u8(plain, 0) & 15) * 4;
    const flags = u8(plain, 6) >>> 5;
    const sum = this.#summer.sum(plain, 0, header) % 0xffff === 0;
    const names = ['more fragments', 'don’t fragment', 'reserved'].filter((_, bit) => (flags & (1 << bit)) !== 0);
    return this.#one('ipv4', 0, header, undefined, undefined, [
      this.#one('version', 0, 1, ipVersion(plain)),
      this.#one('headerLength', 0, 1, header, 'lower half of this byte, in words of 4'),
      this.#one('tos', 1, 1, `0x${toHex(this.#bytes(1, 1))}`, tosText(u8(plain, 1))),
      this.#u16('totalLength', 2),
      this.#hex16('identification', 4),
      this.#one('flags', 6, 1, `0x${flags.toString(16)}`, names.join(', ') || 'none'),
      this.#one('fragmentOffset', 6, 2, packet.fragmentAt, 'lower 13 bits, in words of 8'),
      this.#u8('ttl', 8),
      this.#u8('protocol', 9, protocolName(u8(plain, 9))),
      this.#hex16('checksum', 10, sum ? 'right' : 'wrong'),
      this.#address('source', 12, 4),
      this.#address('destination', 16, 4),
      ...(header > 20 ? [this.#one('options', 20, header - 20)] : []),
    ]);
  }

  #ipv6(): DissectedField {
    const plain = this.#plain;
    const { packet } = this.#reader;
    const extensions = packet.at - 40;
    return this.#one('ipv6', 0, packet.at, undefined, undefined, [
      this.#one('version', 0, 1, 6),
      this.#one('trafficClass', 0, 2, `0x${packet.tos.toString(16).padStart(2, '0')}`, tosText(packet.tos)),
      this.#one('flowLabel', 1, 3, `0x${(u32be(plain, 0) & 0xfffff).toString(16).padStart(5, '0')}`),
      this.#u16('payloadLength', 4),
      this.#u8('nextHeader', 6, protocolName(u8(plain, 6))),
      this.#u8('hopLimit', 7),
      this.#address('source', 8, 16),
      this.#address('destination', 24, 16),
      ...(extensions > 0
        ? [this.#one('extensionHeaders', 40, extensions, undefined, `up to ${protocolName(packet.protocol)}`)]
        : []),
    ]);
  }

  #transport(): Inner {
    const { kind, packet } = this.#reader;
    const rest = packet.end - packet.at;
    if (kind === 'tcp') return this.#tcp();
    if (kind === 'udp') return this.#udp();
    const isIcmp = packet.protocol === (packet.addressBytes === 4 ? ICMP : ICMPV6);
    if (isIcmp && kind !== 'part' && rest >= 8) return this.#icmp();
    const what = kind === 'part' ? `fragment at ${packet.fragmentAt}` : protocolName(packet.protocol);
    return { summary: `${what}, ${rest} bytes`, fields: [this.#payload(packet.at, packet.end)] };
  }

  #payload(at: number, end: number): DissectedField {
    const length = end - at;
    return this.#payloads && length > 0
      ? this.#one('payload', at, length)
      : { name: 'payload', at: this.#base + at, length };
  }

  #padding(at: number, length: number): DissectedField {
    return this.#one('padding', at, length, undefined, isZero(this.#bytes(at, length)) ? 'zero' : 'not zero');
  }

  /** Over the pseudo header, too, but for ICMP of IPv4 (RFC 792, RFC 9293 §3.1, RFC 8200 §8.1). */
  #checksum(at: number, pseudo: boolean): DissectedField {
    const { packet } = this.#reader;
    const { payload, sourceAt, addressBytes, end } = packet;
    if (packet.isFragment || packet.routed)
      return this.#hex16('checksum', at, 'not checked: not the whole packet is here');
    if (packet.protocol === UDP && u16be(payload, at) === 0) return this.#hex16('checksum', at, 'none');
    const length = end - packet.at;
    const head = pseudo
      ? this.#summer.sum(packet.header, sourceAt, sourceAt + 2 * addressBytes) + packet.protocol + length
      : 0;
    const sum = head + this.#summer.sum(payload, packet.at, end);
    return this.#hex16('checksum', at, sum % 0xffff === 0 ? 'right' : 'wrong');
  }

  #tcp(): Inner {
    const { packet, payloadAt, payloadEnd, flags } = this.#reader;
    const plain = this.#plain;
    const { at } = packet;
    const size = this.#reader.segmentSize();
    const words = flagWords(flags);
    const length = payloadEnd - payloadAt;
    const bits = u16be(plain, at + 12) & 0xfff;
    const fields = this.#one('tcp', at, payloadAt - at, undefined, undefined, [
      this.#u16('sourcePort', at),
      this.#u16('destinationPort', at + 2),
      this.#one('sequence', at + 4, 4, u32be(plain, at + 4)),
      this.#one('acknowledgment', at + 8, 4, u32be(plain, at + 8)),
      this.#one('headerLength', at + 12, 1, payloadAt - at, 'upper half of this byte, in words of 4'),
      this.#one('flags', at + 12, 2, `0x${bits.toString(16).padStart(4, '0')}`, words),
      this.#u16('window', at + 14),
      this.#checksum(at + 16, true),
      this.#u16('urgentPointer', at + 18),
      ...(payloadAt - at > 20
        ? [
            this.#one(
              'options',
              at + 20,
              payloadAt - at - 20,
              undefined,
              size === undefined ? undefined : `MSS ${size}`,
            ),
          ]
        : []),
    ]);
    return {
      summary: `TCP ${words}${size === undefined ? '' : `, MSS ${size}`}, ${length} bytes`,
      fields: [fields, ...(length > 0 ? [this.#payload(payloadAt, payloadEnd)] : [])],
    };
  }

  #udp(): Inner {
    const { packet, payloadAt, payloadEnd, sourcePort, destinationPort } = this.#reader;
    const { at } = packet;
    const fields = this.#one('udp', at, 8, undefined, undefined, [
      this.#u16('sourcePort', at),
      this.#u16('destinationPort', at + 2),
      this.#u16('length', at + 4),
      this.#checksum(at + 6, true),
    ]);
    const isDns = DNS_PORTS.includes(sourcePort) || DNS_PORTS.includes(destinationPort);
    const dns = isDns && !packet.isFragment ? this.#dns(payloadAt, payloadEnd) : undefined;
    if (dns !== undefined) return { summary: dns.summary, fields: [fields, ...dns.fields] };
    const length = payloadEnd - payloadAt;
    return {
      summary: `UDP, ${length} bytes`,
      fields: [fields, ...(length > 0 ? [this.#payload(payloadAt, payloadEnd)] : [])],
    };
  }

  #dns(from: number, end: number): Inner | undefined {
    const message = readDns(this.#plain.subarray(from, end));
    if (message === undefined) return undefined;
    const { flags, questions, answers, counts } = message;
    const isAnswer = isDnsAnswer(flags);
    const what = isAnswer ? `answer, ${dnsCodeName(flags)}` : 'query';
    const asked = questions.map(({ name, type }) => `${name} ${dnsTypeName(type)}`).join(', ');
    const field = this.#one(
      'dns',
      from,
      end - from,
      undefined,
      message.whole ? undefined : 'not all that it claims could be read',
      [
        this.#hex16('id', from),
        this.#hex16('flags', from + 2, what),
        ...(['questions', 'answers', 'authorities', 'additional'] as const).map((name, i) =>
          this.#one(name, from + 4 + 2 * i, 2, counts[i] ?? 0),
        ),
        ...questions.map(({ name, type, at, length }) =>
          this.#one('question', from + at, length, name, dnsTypeName(type), []),
        ),
        ...answers.map(({ name, type, at, length, value, ttl }) =>
          this.#one(
            'answer',
            from + at,
            length,
            name,
            [dnsTypeName(type), value, `TTL ${ttl}`].filter(Boolean).join(' '),
            [],
          ),
        ),
      ],
    );
    return { summary: `DNS ${what}${asked === '' ? '' : `: ${asked}`}`, fields: [field] };
  }

  #icmp(): Inner {
    const { packet, kind } = this.#reader;
    const plain = this.#plain;
    const { at, end } = packet;
    const v4 = packet.addressBytes === 4;
    const [type, code] = [u8(plain, at), u8(plain, at + 1)];
    const isEcho = kind === 'echo-request' || kind === 'echo-reply';
    const error = errorOf(v4 ? 4 : 6, type, code);
    const name = v4 ? 'ICMP' : 'ICMPv6';
    const what = isEcho ? kind.replace('-', ' ') : (error ?? `type ${type} code ${code}`);
    const about = error === undefined ? undefined : this.#quoted();
    const field = this.#one(v4 ? 'icmp' : 'icmpv6', at, Math.min(8, end - at), undefined, undefined, [
      this.#u8('type', at, what),
      this.#u8('code', at + 1),
      this.#checksum(at + 2, !v4),
      ...(isEcho ? [this.#u16('identifier', at + 4), this.#u16('sequence', at + 6)] : []),
      ...(error === 'fragmentation-needed'
        ? [v4 ? this.#u16('nextHopMtu', at + 6) : this.#one('nextHopMtu', at + 4, 4, u32be(plain, at + 4))]
        : []),
    ]);
    const quotes = about === undefined ? '' : `, about ${about}`;
    const echo = isEcho ? ` id ${u16be(plain, at + 4)} seq ${u16be(plain, at + 6)}` : '';
    const quoted: DissectedField[] =
      about === undefined ? [] : [{ name: 'quoted', at: this.#base + at + 8, length: end - at - 8, value: about }];
    const rest = about === undefined && end > at + 8 ? [this.#payload(at + 8, end)] : [];
    return { summary: `${name} ${what}${echo}${quotes}, ${end - at} bytes`, fields: [field, ...quoted, ...rest] };
  }

  /** The packet that an error is about. */
  #quoted(): string | undefined {
    const quote = this.#quote;
    if (!quote.readQuote(this.#reader)) return undefined;
    const { packet, sourcePort, destinationPort } = quote;
    const ports = packet.protocol === TCP || packet.protocol === UDP;
    return `${endsOf(packet, ports ? [sourcePort, destinationPort] : undefined)} ${protocolName(packet.protocol)}`;
  }
}

function endsOf({ header, sourceAt, addressBytes }: Packet, ports: readonly [number, number] | undefined): string {
  const from = header.subarray(sourceAt, sourceAt + addressBytes);
  const to = header.subarray(sourceAt + addressBytes, sourceAt + 2 * addressBytes);
  if (ports === undefined) return `${formatIp(from)} → ${formatIp(to)}`;
  return `${endpoint(from, ports[0]).text} → ${endpoint(to, ports[1]).text}`;
}

function protocolName(protocol: number): string {
  return protocol === UDP ? 'UDP' : notUdp(protocol).detail;
}

const ECN: readonly string[] = ['', 'ECT(1)', 'ECT(0)', 'congestion experienced'];

function tosText(tos: number): string {
  return [`DSCP ${tos >>> 2}`, ECN[tos & 3]].filter(Boolean).join(', ');
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

function flagWords(flags: number): string {
  return FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0).join(' ') || 'no flag';
}
