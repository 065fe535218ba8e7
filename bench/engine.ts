/** What the device adds to its AEAD: a packet sealed by one and opened by another, against the two calls alone. */
import { type Crypto, TAG } from '../src/crypto/port.ts';
import { packetOf, pair } from './pair.ts';
import { BACKENDS, type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

const SIZES = [64, 576, 1420];
const OPS = 64;

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
