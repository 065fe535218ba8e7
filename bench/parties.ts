/** Both sides of a handshake, MACs included, static-static precomputed as a device has it. */
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
import { must, numbers, randomBytes } from './chance.ts';

function value<T>(result: Result<T, { readonly kind: string }>): T {
  if (!result.ok) throw new Error(`a benchmark went wrong: ${result.error.kind}`);
  return result.value;
}

/** Both sides of one handshake. Ephemerals are fresh arrays each time, as in life, or imports would be free. */
export function parties(crypto: Crypto) {
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
  const whole = (): void => {
    const first = createFirst();
    const made = createSecond(consumeFirst(first.made.bytes));
    const keys = consumeSecond(first, made.bytes);
    must(keys.initiatorToResponder[0] === made.keys.initiatorToResponder[0]);
  };
  return { createFirst, consumeFirst, createSecond, consumeSecond, whole };
}
