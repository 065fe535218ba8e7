/** The handshake by stage, MACs included, static-static precomputed as a device has it; then all four in a row. */
import { type PublicKey, privateKey, ZERO_PSK } from '../src/base/keys.ts';
import type { Result } from '../src/base/result.ts';
import type { Crypto } from '../src/crypto/port.ts';
import { mac1Key, stampMacs, verifyMac1 } from '../src/wg/mac.ts';
import { decodeInitiation } from '../src/wg/message/initiation.ts';
import { decodeResponse } from '../src/wg/message/response.ts';
import { consumeInitiation, createInitiation } from '../src/wg/noise/initiation.ts';
import { consumeResponse, createResponse } from '../src/wg/noise/response.ts';
import { initiatorKeys, responderKeys } from '../src/wg/noise/shared.ts';
import { tai64nFromUnix } from '../src/wg/tai64n.ts';
import { BACKENDS, type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

function value<T>(result: Result<T, { readonly kind: string }>): T {
  if (!result.ok) throw new Error(`a benchmark went wrong: ${result.error.kind}`);
  return result.value;
}

/** Both sides of one handshake. Ephemerals are fresh arrays each time, as in life, or imports would be free. */
function parties(crypto: Crypto) {
  const next = numbers();
  const secret = () => privateKey(randomBytes(next, 32));
  const party = () => {
    const own = secret();
    const publicKey = crypto.publicKey(own);
    return { secret: own, publicKey, mac1: mac1Key(crypto, publicKey) };
  };
  const initiator = party();
  const responder = party();
  const ss = crypto.dh(initiator.secret, responder.publicKey) ?? new Uint8Array();
  const timestamp = tai64nFromUnix({ sec: 1_700_000_000, nsec: 0 }, { base: 10, whiten: true });
  const keys = responderKeys(crypto, responder, (_: PublicKey) => ({ ss }));

  const createFirst = () => {
    const ephemeral = secret();
    const input = { local: initiator, remote: responder.publicKey, ephemeral, sender: 1, timestamp, ss };
    const made = value(createInitiation(crypto, input));
    stampMacs(crypto, responder.mac1, undefined, made.bytes);
    return { made, ephemeral };
  };
  const consumeFirst = (bytes: Uint8Array) => {
    must(verifyMac1(crypto, responder.mac1, bytes));
    return value(consumeInitiation(crypto, keys, value(decodeInitiation(bytes))));
  };
  const createSecond = (consumed: ReturnType<typeof consumeFirst>) => {
    const made = value(createResponse(crypto, consumed, { sender: 2, ephemeral: secret(), psk: ZERO_PSK }));
    stampMacs(crypto, initiator.mac1, undefined, made.bytes);
    return made;
  };
  const consumeSecond = (first: ReturnType<typeof createFirst>, bytes: Uint8Array) => {
    must(verifyMac1(crypto, initiator.mac1, bytes));
    const from = initiatorKeys(crypto, initiator.secret, first.ephemeral);
    return value(consumeResponse(first.made, from, value(decodeResponse(bytes)), ZERO_PSK));
  };
  return { createFirst, consumeFirst, createSecond, consumeSecond };
}

function stages(crypto: Crypto): readonly Task[] {
  const { createFirst, consumeFirst, createSecond, consumeSecond } = parties(crypto);
  const first = createFirst();
  const consumed = consumeFirst(first.made.bytes);
  const second = createSecond(consumed);
  const whole = (): void => {
    const first = createFirst();
    const made = createSecond(consumeFirst(first.made.bytes));
    const keys = consumeSecond(first, made.bytes);
    must(keys.initiatorToResponder[0] === made.keys.initiatorToResponder[0]);
  };
  const task = (name: string, run: () => void): Task => ({ name, run, ops: 1 });
  return [
    task('create initiation', createFirst),
    task('consume initiation', () => consumeFirst(first.made.bytes)),
    task('create response', () => createSecond(consumed)),
    task('consume response', () => consumeSecond(first, second.bytes)),
    task('whole handshake', whole),
  ];
}

function groups(): readonly Group[] {
  const all = BACKENDS.map((crypto) => ({ name: crypto.name, tasks: stages(crypto) }));
  const names = all[0]?.tasks.map((task) => task.name) ?? [];
  return names.map((name, i) => ({
    name,
    tasks: all.flatMap((backend) => backend.tasks.slice(i, i + 1).map((task) => ({ ...task, name: backend.name }))),
  }));
}

export const handshake: Subject = { name: 'handshake', groups };
