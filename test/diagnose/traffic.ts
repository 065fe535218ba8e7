/** Captures for rule tests, message by message: right in form and MAC1, sealed parts filled at will. */

import { concat, putU32le, putU64le } from '../../src/base/bytes.ts';
import { publicKey } from '../../src/base/keys.ts';
import { type PcapFrame, pcapFile } from '../../src/capture/write-pcap.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { mac1Key } from '../../src/wg/mac.ts';
import { bytes, type Ends, ipv4, udp } from '../packet/build.ts';

export const CLIENT_END = { ip: [10, 99, 1, 2], port: 51821 } as const;
export const SERVER_END = { ip: [203, 0, 113, 10], port: 51820 } as const;
export const NAT_END = { ip: [203, 0, 113, 1], port: 51821 } as const;

export type End = { readonly ip: readonly [number, number, number, number]; readonly port: number };

function ends(from: End, to: End): Ends {
  return { source: bytes(...from.ip), destination: bytes(...to.ip), sourcePort: from.port, destinationPort: to.port };
}

export interface Sent {
  /** Seconds. */
  readonly at: number;
  readonly from: End;
  readonly to: End;
  readonly payload: Uint8Array;
  readonly ttl?: number;
  /** Bytes that the capture keeps of the packet. */
  readonly kept?: number;
}

/** 2023-11-14 22:13:20 UTC. */
export const CAPTURE_BEGAN = 1_700_000_000;

/** A capture of raw IP packets; the clock begins at an arbitrary second. */
export function capture(packets: readonly Sent[], linkType = 101): Uint8Array {
  const frames = packets.map(({ at, from, to, payload, ttl, kept }): PcapFrame => {
    const pair = ends(from, to);
    const packet = ipv4(pair, udp(pair, payload), ttl === undefined ? {} : { ttl });
    const time = { sec: CAPTURE_BEGAN + Math.floor(at), nsec: Math.round((at % 1) * 1e9) };
    return { time, bytes: packet.subarray(0, kept ?? packet.length), wireLength: packet.length };
  });
  return pcapFile({ linkType }, frames);
}

function filled(size: number, type: number, seed: number): Uint8Array {
  const out = Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 17 + 5) & 255);
  putU32le(out, 0, type);
  return out;
}

/** MAC1 for `key` (base64) where it is given; no MAC2. */
function closed(message: Uint8Array, key: string | undefined): Uint8Array {
  const at = message.length - 32;
  message.fill(0, at + 16);
  const read = key === undefined ? undefined : new Uint8Array(Buffer.from(key, 'base64'));
  if (read !== undefined)
    message.set(nodeCrypto.mac(mac1Key(nodeCrypto, publicKey(read)), message.subarray(0, at)), at);
  return message;
}

export function initiation(sender: number, forKey?: string): Uint8Array {
  const out = filled(148, 1, sender);
  putU32le(out, 4, sender);
  return closed(out, forKey);
}

export function response(sender: number, receiver: number, forKey?: string): Uint8Array {
  const out = filled(92, 2, sender);
  putU32le(out, 4, sender);
  putU32le(out, 8, receiver);
  return closed(out, forKey);
}

/** 32 bytes are a keepalive. */
export function data(receiver: number, counter: number, size = 128): Uint8Array {
  const out = filled(size, 4, receiver + counter);
  putU32le(out, 4, receiver);
  putU64le(out, 8, counter, 0);
  return out;
}

export const there = (at: number, payload: Uint8Array): Sent => ({ at, from: CLIENT_END, to: SERVER_END, payload });
export const back = (at: number, payload: Uint8Array): Sent => ({ at, from: SERVER_END, to: CLIENT_END, payload });

/** A handshake and a few packets each way. */
export function talk(at = 0, forKeys: { readonly responder?: string; readonly initiator?: string } = {}): Sent[] {
  return [
    there(at, initiation(0x11, forKeys.responder)),
    back(at + 0.02, response(0x22, 0x11, forKeys.initiator)),
    there(at + 0.04, data(0x22, 0)),
    back(at + 0.06, data(0x11, 0)),
    there(at + 1, data(0x22, 1)),
    back(at + 1.02, data(0x11, 1)),
  ];
}

export const STUN = concat(bytes(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42), new Uint8Array(12));
