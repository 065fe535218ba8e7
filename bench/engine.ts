/** What the device adds to its AEAD: a packet sealed by one and opened by another, against the two calls alone. */
import { endpoint, parsePrefix } from '../src/base/address.ts';
import { type Bytes, putU16be } from '../src/base/bytes.ts';
import { privateKey } from '../src/base/keys.ts';
import { type Crypto, TAG } from '../src/crypto/port.ts';
import { Device } from '../src/wg/device.ts';
import { BACKENDS, type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

const SIZES = [64, 576, 1420];
const OPS = 64;
const NOW = { monoMs: 1000, wall: { sec: 1_700_000_000, nsec: 0 } };

/** Two devices with a session, and the way from one into the other. */
function pair(crypto: Crypto) {
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
  const into = (to: typeof a, from: typeof a, bytes: Bytes): number => {
    let delivered = 0;
    for (const effect of to.device.handle({ kind: 'datagram', bytes, from: from.address, queueDepth: 0 }, NOW)
      .effects) {
      if (effect.kind === 'send') delivered += into(from, to, effect.bytes);
      if (effect.kind === 'deliver') delivered++;
    }
    return delivered;
  };
  const send = (bytes: Bytes): number => {
    let delivered = 0;
    for (const effect of a.device.handle({ kind: 'packet', bytes }, NOW).effects)
      if (effect.kind === 'send') delivered += into(b, a, effect.bytes);
    return delivered;
  };
  return { send };
}

function packetOf(size: number): Bytes {
  const packet = new Uint8Array(size);
  packet[0] = 0x45;
  putU16be(packet, 2, size);
  packet.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  return packet;
}

/** What the engine seals: padded to 16 bytes, within its MTU of 1420. */
const padded = (size: number): number => Math.min(Math.ceil(size / 16) * 16, 1420);

function raw(crypto: Crypto, size: number): Task {
  const key = crypto.aeadKey(randomBytes(numbers(), 32));
  const plain = new Uint8Array(padded(size));
  const sealed = new Uint8Array(plain.length + TAG);
  let counter = 0;
  const run = (): void => {
    for (let i = 0; i < OPS; i++) {
      key.sealInto(counter, 0, plain, 0, plain.length, sealed, 0);
      must(key.openInto(counter++, 0, sealed, 0, sealed.length, plain, 0));
    }
  };
  return { name: `${crypto.name}, AEAD alone`, run, ops: OPS, bytes: size };
}

function whole(crypto: Crypto, size: number): Task {
  const { send } = pair(crypto);
  const packet = packetOf(size);
  must(send(packet) === 1);
  const run = (): void => {
    for (let i = 0; i < OPS; i++) must(send(packet) === 1);
  };
  return { name: `${crypto.name}, device to device`, run, ops: OPS, bytes: size };
}

const groups = (): readonly Group[] =>
  BACKENDS.flatMap((crypto) =>
    SIZES.map((size) => ({ name: `${crypto.name}, ${size} bytes`, tasks: [raw(crypto, size), whole(crypto, size)] })),
  );

export const engine: Subject = { name: 'engine', groups };
