/** Tunnels with contents for rule tests: real handshakes, and inner packets sealed with the keys that come of them. */

import { concat, putU32be, putU32le, putU64le } from '../../src/base/bytes.ts';
import { presharedKey, ZERO_PSK } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { createResponse, type TransportKeys } from '../../src/wg/noise/response.ts';
import { be16, bytes, internetChecksum, ipv4, udp as udpDatagram } from '../packet/build.ts';
import { type AskOptions, answer, ask, ephemeralOf, keyLog } from './handshakes.ts';
import { CLIENT, SERVER } from './keys.ts';
import { CLIENT_END, capture, type End, SERVER_END, type Sent } from './traffic.ts';
import type { Given } from './world.ts';

export const CLIENT_IN = '10.66.66.2';
export const SERVER_IN = '10.66.66.1';
export const LAN_HOST = '192.168.50.10';
export const LAN_OTHER = '192.168.50.20';

export interface TunnelOptions extends AskOptions {
  readonly at?: number;
  /** The initiator's index; the responder's is 0x100 more. */
  readonly index?: number;
  readonly psk?: string;
}

/** One session from the client to the server, message by message; each packet follows the one before unless a time is given. */
export class Tunnel {
  readonly packets: Sent[] = [];
  /** Seconds. */
  now: number;
  readonly index: number;
  readonly client: End;
  readonly server: End;
  readonly #keys: TransportKeys;
  readonly #counters = { there: 0, back: 0 };

  constructor({ at = 0, index = 0x11, psk, ...options }: TunnelOptions = {}) {
    this.index = index;
    const asked = ask(at, index, options);
    const reply = answer(asked, 0x100 + index, psk === undefined ? {} : { psk });
    const made = createResponse(nodeCrypto, asked.created, {
      sender: 0x100 + index,
      ephemeral: ephemeralOf(0x100 + index),
      psk: psk === undefined ? ZERO_PSK : presharedKey(new Uint8Array(Buffer.from(psk, 'base64'))),
    });
    if (!made.ok) throw new Error(made.error.kind);
    this.#keys = made.value.keys;
    this.client = options.from ?? CLIENT_END;
    this.server = options.to ?? SERVER_END;
    this.packets.push(asked, reply);
    this.now = at + 0.05;
  }

  /** The client lets a packet into the tunnel, after a wait. */
  there(inner: Uint8Array, waitSeconds = 0.01): this {
    return this.#send('there', inner, waitSeconds);
  }

  /** The server does. */
  back(inner: Uint8Array, waitSeconds = 0.01): this {
    return this.#send('back', inner, waitSeconds);
  }

  /** The next packet of that direction has this counter. */
  counter(direction: 'there' | 'back', counter: number): this {
    this.#counters[direction] = counter;
    return this;
  }

  wait(seconds: number): this {
    this.now += seconds;
    return this;
  }

  /** Keepalives either way: the capture was running still. */
  idle(seconds: number): this {
    return this.wait(seconds).there(new Uint8Array(0)).back(new Uint8Array(0));
  }

  #send(direction: 'there' | 'back', inner: Uint8Array, waitSeconds: number): this {
    this.now += waitSeconds;
    const there = direction === 'there';
    const counter = this.#counters[direction]++;
    const [low, high] = [counter % 2 ** 32, Math.floor(counter / 2 ** 32)];
    const plain = concat(inner, new Uint8Array((16 - (inner.length % 16)) % 16));
    const key = there ? this.#keys.initiatorToResponder : this.#keys.responderToInitiator;
    const header = new Uint8Array(16);
    putU32le(header, 0, 4);
    putU32le(header, 4, there ? 0x100 + this.index : this.index);
    putU64le(header, 8, low, high);
    const payload = concat(header, nodeCrypto.seal(key, low, high, new Uint8Array(0), plain));
    const [from, to] = there ? [this.client, this.server] : [this.server, this.client];
    this.packets.push({ at: this.now, from, to, payload });
    return this;
  }
}

const ip = (text: string): Uint8Array => bytes(...text.split('.').map(Number));
const pairOf = (from: string, to: string) => ({ source: ip(from), destination: ip(to) });

export interface EchoOptions {
  readonly id?: number;
  readonly size?: number;
  readonly ttl?: number;
}

function icmp(from: string, to: string, type: number, code: number, body: Uint8Array, ttl = 64): Uint8Array {
  const plain = concat(bytes(type, code, 0, 0), body);
  plain.set(be16(internetChecksum(plain)), 2);
  return ipv4(pairOf(from, to), plain, { protocol: 1, ttl });
}

export function ping(from: string, to: string, { id = 7, size = 56, ttl }: EchoOptions = {}): Uint8Array {
  return icmp(from, to, 8, 0, concat(be16(id), be16(1), new Uint8Array(size)), ttl);
}

export function pong(from: string, to: string, { id = 7, size = 56, ttl }: EchoOptions = {}): Uint8Array {
  return icmp(from, to, 0, 0, concat(be16(id), be16(1), new Uint8Array(size)), ttl);
}

/** An ICMP error of `by` to the sender of the packet in question. */
export function icmpError(by: string, quoted: Uint8Array, type = 3, code = 1, mtu = 0): Uint8Array {
  const source = quoted.subarray(12, 16).join('.');
  return icmp(by, source, type, code, concat(be16(0), be16(mtu), quoted.subarray(0, 28)));
}

export interface SegmentOptions {
  readonly ports?: readonly [number, number];
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledged?: number;
  readonly mss?: number;
  readonly payload?: number;
  readonly ttl?: number;
}

export const SYN = 2;
export const ACK = 16;

export function tcp(from: string, to: string, o: SegmentOptions = {}): Uint8Array {
  const [source, destination] = o.ports ?? [40_000, 443];
  const options = o.mss === undefined ? new Uint8Array(0) : concat(bytes(2, 4), be16(o.mss));
  const header = new Uint8Array(20 + options.length);
  header.set(be16(source), 0);
  header.set(be16(destination), 2);
  putU32be(header, 4, o.sequence ?? 1000);
  putU32be(header, 8, o.acknowledged ?? 0);
  header[12] = (header.length / 4) << 4;
  header[13] = o.flags ?? ACK;
  header.set(options, 20);
  return ipv4(pairOf(from, to), concat(header, new Uint8Array(o.payload ?? 0)), { protocol: 6, ttl: o.ttl ?? 64 });
}

export function udp(
  from: string,
  to: string,
  ports: readonly [number, number],
  payload: Uint8Array = new Uint8Array(20),
): Uint8Array {
  const ends = { ...pairOf(from, to), sourcePort: ports[0], destinationPort: ports[1] };
  return ipv4(ends, udpDatagram(ends, payload));
}

/** A question to a name server, or its answer with this code. */
export function dns(from: string, to: string, id: number, answer?: number): Uint8Array {
  const flags = answer === undefined ? bytes(1, 0) : bytes(0x81, 0x80 | answer);
  const payload = concat(be16(id), flags, bytes(0, 1, 0, 0, 0, 0, 0, 0), bytes(3, 102, 111, 111, 0, 0, 1, 0, 1));
  const port = 50_000 + id;
  return udp(from, to, answer === undefined ? [port, 53] : [53, port], payload);
}

/** Keys of the sessions with these indices, and of both ends where no file has them. */
export function keysFor(...tunnels: readonly Tunnel[]): string {
  const statics = [CLIENT, SERVER].map(({ secret }) => `LOCAL_STATIC_PRIVATE_KEY = ${secret}\n`).join('');
  return statics + keyLog(...tunnels.map(({ index }) => index));
}

/** A capture of these tunnels, which their keys open, and files. */
export function opened(
  tunnels: readonly Tunnel[],
  given: Omit<Given, 'captures' | 'keyLogs'> & { more?: readonly Sent[]; sealed?: true } = {},
): Given {
  const { more = [], sealed, ...rest } = given;
  const packets = [...tunnels.flatMap((tunnel) => tunnel.packets), ...more].sort((a, b) => a.at - b.at);
  const keyLogs = sealed === true ? {} : { 'keys.log': keysFor(...tunnels) };
  return { ...rest, captures: { a: capture(packets) }, keyLogs };
}
