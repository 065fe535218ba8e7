/** Other forms of WireGuard around plain messages, written from the descriptions of each, not from the code that undoes them. */
import { concat, putU32le } from '../../src/base/bytes.ts';
import { publicKey } from '../../src/base/keys.ts';
import { type PcapFrame, pcapFile } from '../../src/capture/write-pcap.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { mac1Key } from '../../src/wg/mac.ts';
import { be16, be32, bytes, ipv4 } from '../packet/build.ts';
import { CLIENT, SERVER } from './keys.ts';
import { CAPTURE_BEGAN, SERVER_END, type Sent } from './traffic.ts';

/** Each message becomes one datagram or more. */
export type Form = (sent: Sent) => Sent[];

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** Different in every byte and every call, and the same in every run. */
export function noise(size: number, seed: number): Uint8Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const seedOf = ({ at, payload }: Sent): number =>
  Math.round(at * 1000) * 7919 + (payload[40] ?? 0) * 31 + payload.length;
const toServer = ({ to }: Sent): boolean => to.port === SERVER_END.port;

/** Bytes 1 to 3 set after the MACs are made, both ways. */
export function warp(id: readonly [number, number, number]): Form {
  return (sent) => {
    const payload = sent.payload.slice();
    payload.set(id, 1);
    return [{ ...sent, payload }];
  };
}

/** Eight bytes before each message. */
export function geneve(network: number): Form {
  return (sent) => {
    const header = concat(bytes(0, 0, 0x7a, 0x12), be32(network * 256));
    return [{ ...sent, payload: concat(header, sent.payload) }];
  };
}

/** XOR with the receiver's public key over the fixed part; byte 1 random with its upper bit set. */
export function lwo(serverKey = SERVER.public, clientKey = CLIENT.public): Form {
  return (sent) => {
    const key = fromBase64(toServer(sent) ? serverKey : clientKey);
    const part = [0, 148, 92, 64, 32][sent.payload[0] ?? 0] ?? 0;
    const payload = sent.payload.map((byte, i) => (i < part ? byte ^ (key[i % 32] ?? 0) : byte));
    payload[1] = (noise(1, seedOf(sent))[0] ?? 0) | 0x80;
    return [{ ...sent, payload }];
  };
}

export interface AmneziaOptions {
  /** S1 to S4. */
  readonly s?: readonly [number, number, number, number];
  /** H1 to H4; of a range each message takes another one. */
  readonly h?: readonly [Header, Header, Header, Header];
  /** Junk packets before each initiation. */
  readonly junk?: number;
  /** Whose keys MAC1 is made for. */
  readonly serverKey?: string;
  readonly clientKey?: string;
  /** The 16 bytes that an initiation with a MAC2 has it made with. */
  readonly cookie?: Uint8Array;
}
type Header = number | readonly [number, number];

/** MAC1 is made over the message with its H in place, and not over the padding before it. */
export function amnezia({
  s = [15, 18, 21, 9],
  h = [1234567891, 1234567892, 1234567893, 1234567894],
  junk = 0,
  serverKey = SERVER.public,
  clientKey = CLIENT.public,
  cookie,
}: AmneziaOptions = {}): Form {
  return (sent) => {
    const type = sent.payload[0] ?? 0;
    const seed = seedOf(sent);
    const message = sent.payload.slice();
    putU32le(message, 0, pick(h[type - 1] ?? 0, seed));
    if (type === 1 || type === 2) {
      const macs = message.length - 32;
      const key = mac1Key(nodeCrypto, publicKey(fromBase64(toServer(sent) ? serverKey : clientKey)));
      message.set(nodeCrypto.mac(key, message.subarray(0, macs)), macs);
      const last = message.subarray(macs + 16);
      if (cookie !== undefined && last.some((byte) => byte !== 0))
        message.set(nodeCrypto.mac(cookie, message.subarray(0, macs + 16)), macs + 16);
    }
    const payload = concat(noise(s[type - 1] ?? 0, seed), message);
    const before = Array.from({ length: type === 1 ? junk : 0 }, (_, i) => ({
      ...sent,
      at: sent.at - 0.002 * (junk - i),
      payload: noise(40 + (((seed >>> 3) + 13 * i) % 30), seed + i + 1),
    }));
    return [...before, { ...sent, payload }];
  };
}

function pick(header: Header, seed: number): number {
  return typeof header === 'number' ? header : header[0] + (Math.abs(seed) % (header[1] - header[0] + 1));
}

export interface TcpOptions {
  /** Payload bytes of one segment; each message begins one unless it is given. */
  readonly segment?: number;
  /** Sequence number of the first byte, both ways. */
  readonly first?: number;
}

/** A TCP segment in an IPv4 packet. */
export function segment(from: Sent['from'], to: Sent['to'], sequence: number, payload: Uint8Array, flags = 0x18) {
  const header = concat(
    be16(from.port),
    be16(to.port),
    be32(sequence >>> 0),
    be32(1),
    bytes(0x50, flags, 1, 0, 0, 0, 0, 0),
  );
  const ends = { source: bytes(...from.ip), destination: bytes(...to.ip) };
  return ipv4(ends, concat(header, payload), { protocol: 6 });
}

/** Each message behind its length in two bytes, in a TCP stream each way: a capture of raw IP packets. */
export function tcpCapture(
  packets: readonly Sent[],
  { segment: size = 65_000, first = 5000 }: TcpOptions = {},
): Uint8Array {
  const next = new Map<string, number>();
  const frames = [...packets]
    .sort((a, b) => a.at - b.at)
    .flatMap(({ at, from, to, payload }): PcapFrame[] => {
      const framed = concat(be16(payload.length), payload);
      const way = `${from.ip}:${from.port}>${to.ip}:${to.port}`;
      const out: PcapFrame[] = [];
      for (let cut = 0; cut < framed.length; cut += size) {
        const part = framed.subarray(cut, cut + size);
        const sequence = next.get(way) ?? first;
        next.set(way, sequence + part.length);
        const time = { sec: CAPTURE_BEGAN + Math.floor(at), nsec: Math.round((at % 1) * 1e9) };
        out.push({ time, bytes: segment(from, to, sequence, part) });
      }
      return out;
    });
  return pcapFile({ linkType: 101 }, frames);
}
