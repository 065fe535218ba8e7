/** Responses, right and changed in one field, to an initiation of theirs. */
import { type Bytes, putU32le } from '../../../src/base/bytes.ts';
import { type PresharedKey, presharedKey, privateKey } from '../../../src/base/keys.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { mac1Key } from '../../../src/wg/mac.ts';
import { RESPONSE } from '../../../src/wg/message/response.ts';
import type { Transcript } from '../../../src/wg/noise/initiation.ts';
import type { Chance } from '../../simulation/chance.ts';
import type { Keys } from '../peers/keys.ts';
import { opened, type Responding, respond } from './craft.ts';
import { type DataWorld, playData } from './data.ts';
import { LOW_ORDER } from './initiations.ts';
import { changeField, changeLength, changeType, fieldsOf, pickFrom, restamped } from './mutations.ts';
import type { End, Stage } from './stage.ts';

const FIELDS = fieldsOf(RESPONSE);
/** Before they give up waiting and begin anew with another index, which takes them 5 s. */
const PATIENCE_MS = 3000;
const MOST_AT_ONE = 25;
const DATA_AFTERWARDS = 6;

export interface Callee {
  /** Ours: they begin, with this peer and no other. */
  readonly keys: Keys;
  readonly psk: PresharedKey;
}

interface Draft {
  readonly name: string;
  build(transcript: Transcript): Responding;
}

type Change = (bytes: Bytes) => Bytes;

function draftOf(chance: Chance, { psk }: Callee): Draft {
  const wish = { sender: chance.u32(), ephemeral: chance.bytes(32), psk };
  const right = (transcript: Transcript): Responding => respond(transcript, wish);
  const changed = (name: string, change: Change, stamps: boolean): Draft => ({
    name: `${name}${stamps ? ', MAC1 made anew' : ''}`,
    build(transcript) {
      const made = right(transcript);
      const bytes = change(made.bytes);
      const whole = stamps && bytes.length === RESPONSE.size;
      return { ...made, bytes: whole ? restamped(mac1Key(nodeCrypto, transcript.identity), bytes) : bytes };
    },
  });
  const kind = chance.part();
  if (kind < 0.06) return { name: 'as it should be', build: right };
  if (kind < 0.6) {
    const field = pickFrom(chance, FIELDS);
    const mutation = changeField(chance, field);
    return changed(mutation.name, mutation.apply, chance.happens(0.6));
  }
  if (kind < 0.7) {
    const mutation = changeLength(chance);
    return changed(mutation.name, mutation.apply, false);
  }
  if (kind < 0.76) {
    const mutation = changeType(chance);
    return changed(mutation.name, mutation.apply, chance.happens(0.5));
  }
  if (kind < 0.82) {
    const point = chance.pick(LOW_ORDER);
    const put: Change = (bytes) => {
      const out = bytes.slice();
      out.set(point, RESPONSE.ephemeral.at);
      return out;
    };
    return changed('an ephemeral of low order', put, true);
  }
  if (kind < 0.88) {
    const receiver = chance.u32();
    const put: Change = (bytes) => {
      const out = bytes.slice();
      putU32le(out, RESPONSE.receiver.at, receiver);
      return out;
    };
    return changed('another receiver', put, true);
  }
  if (kind < 0.94) {
    const other = presharedKey(chance.bytes(32));
    return { name: 'another preshared key', build: (transcript) => respond(transcript, { ...wish, psk: other }) };
  }
  const identity = nodeCrypto.publicKey(privateKey(chance.bytes(32)));
  return {
    name: 'for another initiator, MAC1 made anew',
    build: (transcript) => {
      const made = respond({ ...transcript, identity }, wish);
      return { ...made, bytes: restamped(mac1Key(nodeCrypto, transcript.identity), made.bytes) };
    },
  };
}

async function transcripts(stage: Stage, keys: Keys): Promise<Map<End, Transcript>> {
  const said = await stage.begin(1);
  return new Map(
    [...said].map(([end, [initiation]]) => {
      if (initiation === undefined) throw new Error('they did not begin');
      return [end, opened(keys, initiation)];
    }),
  );
}

export async function playResponses(
  stage: Stage,
  chance: Chance,
  world: DataWorld,
  callee: Callee,
  count: number,
): Promise<void> {
  let left = count;
  while (left > 0) {
    const asked = await transcripts(stage, callee.keys);
    const since = performance.now();
    let taken = false;
    for (let i = 0; i < MOST_AT_ONE && left > 0 && performance.now() - since < PATIENCE_MS; i++) {
      left--;
      const draft = i === MOST_AT_ONE - 1 && !taken ? right(chance, callee) : draftOf(chance, callee);
      const trial = {
        name: `response, ${draft.name}`,
        build(end: End): Bytes {
          const transcript = asked.get(end);
          if (transcript === undefined) throw new Error('no transcript');
          const responding = draft.build(transcript);
          // what they send on it at once is to be understood
          if (!taken) end.sessions.unshift(responding.session(responding.bytes));
          return responding.bytes;
        },
      };
      const { verdict } = await stage.play(trial);
      const accepted = verdict.kind === 'accepted' && verdict.message === 'response';
      if (!taken && !accepted) for (const end of [stage.twin, stage.real]) end.sessions.shift();
      if (accepted) taken = true;
    }
    if (taken) await playData(stage, chance, world, Math.min(DATA_AFTERWARDS, count));
    else await stage.compareFigures('responses');
  }
}

function right(chance: Chance, { psk }: Callee): Draft {
  const wish = { sender: chance.u32(), ephemeral: chance.bytes(32), psk };
  return { name: 'as it should be', build: (transcript) => respond(transcript, wish) };
}
