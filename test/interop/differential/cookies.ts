/** Cookie replies, right and changed in one field, to a response of theirs; the MAC2 of the next response tells which was kept. */
import { type Bytes, isZero, putU32le } from '../../../src/base/bytes.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { COOKIE_NONCE_BYTES, MAC_BYTES } from '../../../src/wg/constants.ts';
import { sealCookieReply } from '../../../src/wg/cookie.ts';
import { cookieKey, verifyMac2 } from '../../../src/wg/mac.ts';
import { COOKIE_REPLY } from '../../../src/wg/message/cookie-reply.ts';
import { RESPONSE } from '../../../src/wg/message/response.ts';
import type { Chance } from '../../simulation/chance.ts';
import { senderOf } from './craft.ts';
import { type Caller, meet, type Responder } from './initiations.ts';
import { changeField, changeLength, changeType, fieldsOf, type Mutation, pickFrom } from './mutations.ts';
import type { End, Outcome, Stage } from './stage.ts';

const FIELDS = fieldsOf(COOKIE_REPLY);

/** A handshake message of theirs that a cookie can answer. */
interface Answerable {
  readonly index: number;
  readonly mac1: Bytes;
}

interface Draft {
  readonly name: string;
  readonly cookie: Bytes;
  build(latest: Answerable, earlier: Answerable): Bytes;
}

function answerable(response: Bytes): Answerable {
  return { index: senderOf(response), mac1: response.slice(RESPONSE.mac1.at, RESPONSE.mac2.at) };
}

function draftOf(chance: Chance, caller: Caller): Draft {
  const cookie = chance.bytes(MAC_BYTES);
  const nonce = chance.bytes(COOKIE_NONCE_BYTES);
  const own = cookieKey(nodeCrypto, caller.keys.publicKey);
  const seal = (key: Bytes, receiver: number, mac1: Bytes): Bytes =>
    sealCookieReply(nodeCrypto, { key, receiver, nonce, cookie, mac1 });
  const draft = (name: string, build: Draft['build']): Draft => ({ name, cookie, build });
  const mutated = (mutation: Mutation): Draft =>
    draft(mutation.name, ({ index, mac1 }) => mutation.apply(seal(own, index, mac1)));
  const kind = chance.part();
  if (kind < 0.25) return draft('as it should be', ({ index, mac1 }) => seal(own, index, mac1));
  if (kind < 0.55) return mutated(changeField(chance, pickFrom(chance, FIELDS)));
  if (kind < 0.65) return mutated(changeLength(chance));
  if (kind < 0.7) return mutated(changeType(chance));
  if (kind < 0.78) return draft('for an earlier message', ({ index }, { mac1 }) => seal(own, index, mac1));
  if (kind < 0.88) return draft('by the index of the session before', ({ mac1 }, { index }) => seal(own, index, mac1));
  const receiver = chance.u32();
  if (kind < 0.94) {
    return draft('by an index of nobody', ({ index, mac1 }) => {
      const bytes = seal(own, index, mac1);
      putU32le(bytes, COOKIE_REPLY.receiver.at, receiver);
      return bytes;
    });
  }
  const other = chance.bytes(32);
  return draft('under the key of another', ({ index, mac1 }) => seal(other, index, mac1));
}

/** Which of these cookies the MAC2 is made with. */
function usedIn(response: Bytes | undefined, cookies: readonly Bytes[]): string {
  if (response === undefined) return 'no response';
  if (isZero(response.subarray(RESPONSE.mac2.at))) return 'no MAC2';
  const number = cookies.findIndex((cookie) => verifyMac2(nodeCrypto, cookie, response));
  return number < 0 ? 'a MAC2 that fits no cookie' : `MAC2 by cookie ${number + 1}`;
}

const responseIn = (replies: readonly Bytes[]): Bytes | undefined =>
  replies.find(({ length }) => length === RESPONSE.size);

/** Up to three cookie replies, and then an initiation that is answered. */
export async function playCookies(stage: Stage, chance: Chance, responder: Responder, count: number): Promise<void> {
  const [caller] = responder.callers;
  const cookies: Bytes[] = [];
  const latest = new Map<End, Answerable>();
  const earlier = new Map<End, Answerable>();
  const meeting = async (): Promise<Outcome> => {
    const outcome = await meet(stage, chance, responder, caller);
    for (const [end, heard] of [
      [stage.twin, outcome.twin],
      [stage.real, outcome.real],
    ] as const) {
      const response = responseIn(heard.replies);
      const last = latest.get(end);
      if (last !== undefined) earlier.set(end, last);
      if (response !== undefined) latest.set(end, answerable(response));
    }
    return outcome;
  };
  await meeting();
  await meeting();
  for (let left = count; left > 0; ) {
    const names: string[] = [];
    for (let few = chance.whole(1, 3); few > 0 && left > 0; few--, left--) {
      const draft = draftOf(chance, caller);
      cookies.push(draft.cookie);
      names.push(draft.name);
      const build = (end: End): Bytes => {
        const [now, before] = [latest.get(end), earlier.get(end)];
        if (now === undefined || before === undefined) throw new Error('nothing to answer');
        return draft.build(now, before);
      };
      await stage.play({ name: `cookie reply, ${draft.name}`, build });
    }
    const { twin, real } = await meeting();
    const [ours, theirs] = [twin, real].map(({ replies }) => usedIn(responseIn(replies), cookies));
    if (ours === theirs) continue;
    const said = (text: string | undefined) => ({ lines: [], replies: [text ?? ''] });
    const difference = { verdict: undefined, ours: said(ours), theirs: said(theirs), bytes: new Uint8Array(0) };
    stage.note({ trial: `the cookie kept of: ${names.join('; ')}`, ...difference });
  }
}
