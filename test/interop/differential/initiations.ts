/** Initiations, right and changed in one field, to a responder that knows some of their senders. */
import { type Bytes, fromHex } from '../../../src/base/bytes.ts';
import { publicKey } from '../../../src/base/keys.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { mac1Key } from '../../../src/wg/mac.ts';
import { INITIATION } from '../../../src/wg/message/initiation.ts';
import type { Chance } from '../../simulation/chance.ts';
import { sleep } from '../lab/shell.ts';
import type { Keys } from '../peers/keys.ts';
import { initiate, type OpenInitiation, stampOf } from './craft.ts';
import { changeField, changeLength, changeType, fieldsOf, type Mutation, pickFrom, restamped } from './mutations.ts';
import type { Outcome, Stage } from './stage.ts';

const SECOND_NS = 1_000_000_000n;
/** More than the least gap between two accepted initiations (wp §6.1), for clocks that are not ours. */
const GAP_MS = 30;

/** Points of order 1, 2, 4 and 8, and encodings that are read as one of them (RFC 7748 §6.1). */
export const LOW_ORDER: readonly [Bytes, ...Bytes[]] = [
  fromHex('00'.repeat(32)),
  fromHex(`01${'00'.repeat(31)}`),
  fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
  fromHex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
  fromHex(`ec${'ff'.repeat(30)}7f`),
  fromHex(`ed${'ff'.repeat(30)}7f`),
  fromHex(`ee${'ff'.repeat(30)}7f`),
  fromHex(`00${'00'.repeat(30)}80`),
  fromHex(`ec${'ff'.repeat(31)}`),
];

/** One of the peers that the responder knows. */
export class Caller {
  readonly keys: Keys;
  /** Nanoseconds since the epoch, of the greatest timestamp that was accepted. */
  greatestNs = 1_700_000_000n * SECOND_NS;
  #acceptedAtMs = 0;
  readonly accepted: Bytes[] = [];

  constructor(keys: Keys) {
    this.keys = keys;
  }

  /** Until one more is no flood any more. */
  async ready(): Promise<void> {
    const leftMs = this.#acceptedAtMs + GAP_MS - performance.now();
    if (leftMs > 0) await sleep(leftMs / 1000);
  }

  took(stampNs: bigint, bytes: Bytes): void {
    if (stampNs > this.greatestNs) this.greatestNs = stampNs;
    this.accepted.push(bytes);
    this.#acceptedAtMs = performance.now();
  }
}

export interface Responder {
  readonly keys: Pick<Keys, 'publicKey'>;
  readonly callers: readonly [Caller, ...Caller[]];
  /** Configured as a peer, and a point of low order: a handshake with it must end at ss. */
  readonly weakPeer: Bytes;
}

const FIELDS = fieldsOf(INITIATION);

interface Draft {
  readonly name: string;
  readonly bytes: Bytes;
  readonly caller: Caller;
  readonly stampNs: bigint;
  readonly initiation: OpenInitiation;
}

type Make = (chance: Chance, responder: Responder, caller: Caller) => Omit<Draft, 'caller'>;

const keyOf = (responder: Responder): Bytes => mac1Key(nodeCrypto, responder.keys.publicKey);

function right(chance: Chance, responder: Responder, caller: Caller, stampNs = caller.greatestNs + SECOND_NS) {
  const initiation = initiate(chance, {
    us: caller.keys,
    responder: responder.keys.publicKey,
    timestamp: stampOf(stampNs),
  });
  return { name: 'as it should be', initiation, bytes: initiation.bytes, stampNs };
}

function mutated(mutation: Mutation, stamps: boolean): Make {
  return (chance, responder, caller) => {
    const draft = right(chance, responder, caller);
    const changed = mutation.apply(draft.bytes);
    const bytes = stamps && changed.length === INITIATION.size ? restamped(keyOf(responder), changed) : changed;
    return { ...draft, name: `${mutation.name}${stamps ? ', MAC1 made anew' : ''}`, bytes };
  };
}

const withTimestamp: Make = (chance, responder, caller) => {
  const back = chance.pick([0n, 1n, 2n ** 24n, SECOND_NS, 86_400n * SECOND_NS, -1n, -(2n ** 24n)]);
  const draft = right(chance, responder, caller, caller.greatestNs - back);
  return { ...draft, name: `timestamp ${back} ns behind the greatest` };
};

const again: Make = (chance, responder, caller) => {
  const draft = right(chance, responder, caller);
  const earlier = caller.accepted[chance.whole(0, Math.max(0, caller.accepted.length - 1))];
  return earlier === undefined ? draft : { ...draft, name: 'an earlier one again', bytes: earlier };
};

/** Claims to be the caller without having its private key. */
const imposter: Make = (chance, responder, caller) => {
  const [other] = responder.callers;
  const us = { secret: other.keys.secret, publicKey: caller.keys.publicKey };
  const stampNs = caller.greatestNs + SECOND_NS;
  const initiation = initiate(chance, { us, responder: responder.keys.publicKey, timestamp: stampOf(stampNs) });
  return { name: 'the key of another', initiation, bytes: initiation.bytes, stampNs };
};

const unknown: Make = (chance, responder, caller) => {
  const [name, bytes] = chance.pick<readonly [string, Bytes]>([
    ['a stranger', chance.bytes(32)],
    ['the responder itself', responder.keys.publicKey],
    ['a weak peer', responder.weakPeer],
  ]);
  const us = { secret: caller.keys.secret, publicKey: publicKey(bytes.slice()) };
  const stampNs = caller.greatestNs + SECOND_NS;
  const initiation = initiate(chance, { us, responder: responder.keys.publicKey, timestamp: stampOf(stampNs) });
  return { name, initiation, bytes: initiation.bytes, stampNs };
};

const forAnother: Make = (chance, responder, caller) => {
  const stampNs = caller.greatestNs + SECOND_NS;
  const wish = { us: caller.keys, responder: caller.keys.publicKey, timestamp: stampOf(stampNs) };
  const initiation = initiate(chance, wish);
  const stamps = chance.happens(0.5);
  const bytes = stamps ? restamped(keyOf(responder), initiation.bytes) : initiation.bytes;
  return { name: `for another responder${stamps ? ', MAC1 made anew' : ''}`, initiation, bytes, stampNs };
};

const weakEphemeral: Make = (chance, responder, caller) => {
  const draft = right(chance, responder, caller);
  const changed = draft.bytes.slice();
  changed.set(chance.pick(LOW_ORDER), INITIATION.ephemeral.at);
  return { ...draft, name: 'an ephemeral of low order', bytes: restamped(keyOf(responder), changed) };
};

function makeOf(chance: Chance): Make {
  const kind = chance.part();
  if (kind < 0.12) return (...world) => right(...world);
  if (kind < 0.52) {
    return mutated(changeField(chance, pickFrom(chance, FIELDS)), chance.happens(0.6));
  }
  if (kind < 0.62) return mutated(changeLength(chance), false);
  if (kind < 0.68) return mutated(changeType(chance), chance.happens(0.5));
  if (kind < 0.78) return withTimestamp;
  if (kind < 0.83) return again;
  if (kind < 0.87) return imposter;
  if (kind < 0.91) return unknown;
  return kind < 0.95 ? forAnother : weakEphemeral;
}

/** What a caller takes on from an accepted initiation: a session at each end. */
export function take(stage: Stage, { initiation, caller, stampNs, bytes }: Draft, { twin, real }: Outcome): void {
  caller.took(stampNs, bytes);
  for (const [end, heard] of [
    [stage.twin, twin],
    [stage.real, real],
  ] as const) {
    const session = heard.replies.map((reply) => initiation.finish(reply)).find((one) => one !== undefined);
    if (session !== undefined) end.sessions.unshift(session);
    else {
      const seen = { lines: [], replies: ['a response that opens'] };
      stage.note({ trial: 'its response', verdict: undefined, ours: seen, theirs: { lines: [], replies: [] }, bytes });
    }
    end.sessions.length = Math.min(end.sessions.length, 2);
  }
}

/** A right initiation of this caller. */
export async function meet(stage: Stage, chance: Chance, responder: Responder, caller: Caller): Promise<Outcome> {
  await caller.ready();
  const draft = { ...right(chance, responder, caller), caller };
  const outcome = await stage.play({ name: 'an initiation', build: () => draft.bytes });
  if (outcome.verdict.kind === 'accepted') take(stage, draft, outcome);
  return outcome;
}

/** Two of one caller, the second newer by a second, and nothing of that in between. */
export async function twoAtOnce(chance: Chance, responder: Responder): Promise<readonly Bytes[]> {
  const [caller] = responder.callers;
  await caller.ready();
  const [first, second] = [1n, 2n].map((n) => right(chance, responder, caller, caller.greatestNs + n * SECOND_NS));
  if (first === undefined || second === undefined) throw new Error('nothing made');
  caller.took(second.stampNs, second.bytes);
  return [first.bytes, second.bytes];
}

export async function playInitiations(
  stage: Stage,
  chance: Chance,
  responder: Responder,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const caller = chance.pick(responder.callers);
    await caller.ready();
    const draft = { ...makeOf(chance)(chance, responder, caller), caller };
    const outcome = await stage.play({ name: `initiation, ${draft.name}`, build: () => draft.bytes });
    const { verdict } = outcome;
    if (verdict.kind === 'accepted' && verdict.message === 'initiation') take(stage, draft, outcome);
  }
  await stage.compareFigures('initiations');
}
