/** BLAKE2s as the handshake uses it: plain, in HMAC, and keyed over a message for MAC1. */
import type { Crypto } from '../src/crypto/port.ts';
import { BACKENDS, type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

const OPS = 16;

function tasks(crypto: Crypto): readonly Task[] {
  const next = numbers();
  const [short, long, key] = [randomBytes(next, 64), randomBytes(next, 1420), randomBytes(next, 32)];
  const initiation = randomBytes(next, 116);
  const task = (hash: () => Uint8Array, length: number): Task => ({
    name: crypto.name,
    ops: OPS,
    run: () => {
      for (let i = 0; i < OPS; i++) must(hash().length === length);
    },
  });
  return [
    task(() => crypto.hash(short), 32),
    task(() => crypto.hash(long), 32),
    task(() => crypto.hmac(key, short), 32),
    task(() => crypto.mac(key, initiation), 16),
  ];
}

function groups(): readonly Group[] {
  const all = BACKENDS.map(tasks);
  const names = ['hash, 64 bytes', 'hash, 1420 bytes', 'hmac, 64 bytes', 'mac1 of an initiation'];
  return names.map((name, i) => ({ name, tasks: all.flatMap((each) => each.slice(i, i + 1)) }));
}

export const blake2s: Subject = { name: 'blake2s', groups };
