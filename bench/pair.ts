/** Two devices with a session between them, and the ways into them: the engine's path of a packet. */
import { endpoint, parsePrefix } from '../src/base/address.ts';
import { type Bytes, putU16be } from '../src/base/bytes.ts';
import { privateKey, publicKey } from '../src/base/keys.ts';
import type { Crypto } from '../src/crypto/port.ts';
import { Device } from '../src/wg/device.ts';
import { must, numbers, randomBytes } from './chance.ts';

/** For the largest packet and what is put around it. */
const ROOM = 2048;
const NOW = { monoMs: 1000, wall: { sec: 1_700_000_000, nsec: 0 } };

export interface Pair {
  /** From one into the other: how many packets came out there. */
  send(bytes: Bytes): number;
  /** The datagram that one makes of a packet, not sent. */
  seal(bytes: Bytes): Bytes;
  /** Such a datagram into the other: how many packets came out there. */
  receive(datagram: Bytes): number;
}

/** The handshake is done and confirmed: whatever is sent from now on is data. The receiver has `others` peers besides. */
export function pair(crypto: Crypto, others = 0): Pair {
  const next = numbers();
  const side = (n: number) => {
    const device = new Device({ crypto, random: (out) => void out.set(randomBytes(next, out.length)) });
    const secret = privateKey(randomBytes(next, 32));
    device.handle({ kind: 'configure', change: 'private-key', privateKey: secret }, NOW);
    return { device, publicKey: crypto.publicKey(secret), address: endpoint(Uint8Array.of(192, 0, 2, n), 51820) };
  };
  const [a, b] = [side(1), side(2)];
  const allowedIps = [parsePrefix('10.0.0.0/8')].flatMap((prefix) => prefix ?? []);
  const peer = ({ publicKey, address }: typeof a) => ({ publicKey, endpoint: address, allowedIps });
  a.device.handle({ kind: 'configure', change: 'peer', ...peer(b) }, NOW);
  b.device.handle({ kind: 'configure', change: 'peer', ...peer(a) }, NOW);
  for (let i = 0; i < others; i++) {
    const ip = Uint8Array.of(10, 1 + (i >>> 16), i >>> 8, i);
    const other = { publicKey: publicKey(randomBytes(next, 32)), allowedIps: [{ ip, bits: 32 }] };
    b.device.handle({ kind: 'configure', change: 'peer', ...other }, NOW);
  }
  // as a tunnel has them: nothing is made for a packet
  const [sealed, opened] = [new Uint8Array(ROOM), new Uint8Array(ROOM)];
  const into = (to: typeof a, from: typeof a, bytes: Bytes): number => {
    let delivered = 0;
    const { effects } = to.device.handle(
      { kind: 'datagram', bytes, from: from.address, queueDepth: 0, out: opened },
      NOW,
    );
    for (const effect of effects) {
      if (effect.kind === 'send') delivered += into(from, to, effect.bytes);
      if (effect.kind === 'deliver') delivered++;
    }
    return delivered;
  };
  const send = (bytes: Bytes): number => {
    let delivered = 0;
    for (const effect of a.device.handle({ kind: 'packet', bytes, out: sealed }, NOW).effects)
      if (effect.kind === 'send') delivered += into(b, a, effect.bytes);
    return delivered;
  };
  const seal = (bytes: Bytes): Bytes => {
    for (const effect of a.device.handle({ kind: 'packet', bytes }, NOW).effects)
      if (effect.kind === 'send') return effect.bytes;
    throw new Error('a benchmark went wrong: nothing was sent');
  };
  must(send(packetOf(64)) === 1);
  return { send, seal, receive: (datagram) => into(b, a, datagram) };
}

/** IPv4 from an address of the other's AllowedIPs to one of them. */
export function packetOf(size: number): Bytes {
  const packet = new Uint8Array(size);
  packet[0] = 0x45;
  putU16be(packet, 2, size);
  packet.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  return packet;
}
