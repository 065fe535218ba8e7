/** X25519: a shared secret with keys that are used again, with a fresh public key each time, and a public key from a secret. */
import { type PrivateKey, privateKey, publicKey } from '../src/base/keys.ts';
import type { Crypto } from '../src/crypto/port.ts';
import { BACKENDS, type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

/** All backends take X25519 from one of these two. */
const WITH_X25519: readonly Crypto[] = BACKENDS.filter(({ name }) => name === 'noble' || name === 'node');

function tasks(crypto: Crypto): readonly Task[] {
  const next = numbers();
  const secret = (): PrivateKey => privateKey(randomBytes(next, 32));
  const [own, other] = [secret(), secret()];
  const [ownPublic, otherPublic] = [crypto.publicKey(own), crypto.publicKey(other)];
  must(crypto.dh(own, otherPublic)?.[0] === crypto.dh(other, ownPublic)?.[0]);
  const task = (run: () => void): Task => ({ name: crypto.name, run, ops: 1 });
  return [
    task(() => must(crypto.dh(own, otherPublic) !== undefined)),
    task(() => must(crypto.dh(own, publicKey(otherPublic.slice())) !== undefined)),
    task(() => must(crypto.publicKey(secret()).length === 32)),
  ];
}

function groups(): readonly Group[] {
  const all = WITH_X25519.map(tasks);
  const names = ['same keys', 'fresh public key', 'public key of a fresh secret'];
  return names.map((name, i) => ({ name, tasks: all.flatMap((each) => each.slice(i, i + 1)) }));
}

export const x25519: Subject = { name: 'x25519', groups };
