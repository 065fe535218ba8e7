/** Data under an open session: counters, indices, sizes, inner packets; what gets through is answered by the system behind. */
import { parseIp } from '../../../src/base/address.ts';
import { type Bytes, concat, putU16be, u8 } from '../../../src/base/bytes.ts';
import { echoRequest, leastEchoSize } from '../../../src/io/echo.ts';
import { DATA, DATA_MIN_BYTES } from '../../../src/wg/message/data.ts';
import type { Verdict } from '../../../src/wg/step.ts';
import type { Chance } from '../../simulation/chance.ts';
import type { Inner } from '../peers/remote.ts';
import { changeField, changeLength, changeType, type Field, type Mutation, pickFrom } from './mutations.ts';
import type { OpenSession } from './session.ts';
import { type End, echoOf, type Stage, type Trial } from './stage.ts';
import type { Probe } from './subjects.ts';

const CASE = 1;
const PROBE = 2;
const MAX_COUNTER = 2n ** 64n - 1n;
/** Of the kernel and of wireguard-go, and the numbers around them. */
const LIMITS = [2n ** 64n - 8130n, 2n ** 64n - 2n ** 13n - 1n] as const;
/** Behind the limit. */
const LATE = 5n;
/** Around the words and the edge of the window. */
const BEHIND = [
  1n,
  2n,
  31n,
  32n,
  63n,
  64n,
  65n,
  1023n,
  4096n,
  8064n,
  8127n,
  8128n,
  8129n,
  8191n,
  8192n,
  10_000n,
] as const;
const AHEAD = [
  1n,
  2n,
  3n,
  63n,
  64n,
  65n,
  500n,
  8127n,
  8128n,
  8129n,
  8192n,
  20_000n,
  2n ** 32n - 2n,
  2n ** 32n,
  2n ** 40n,
] as const;

const FIELDS: readonly Field[] = [
  ['type', { at: 0, length: 1 }],
  ['reserved', { at: 1, length: 3 }],
  ['receiver', DATA.receiver],
  ['counter', DATA.counter],
  ['sealed', { at: DATA.size, length: 48 }],
];

const ipOf = (text: string): Bytes => parseIp(text) ?? new Uint8Array(4);

interface Plain {
  readonly name: string;
  readonly bytes: Bytes;
}

export interface DataWorld {
  readonly inner: Inner;
  readonly limit: bigint;
}

/** Counters of one session that were taken, as our engine judged. */
class Counters {
  greatest = -1n;
  readonly taken: bigint[] = [];

  take(counter: bigint): void {
    if (counter > this.greatest) this.greatest = counter;
    this.taken.push(counter);
  }
}

function padded(packet: Bytes): Bytes {
  return concat(packet, new Uint8Array(-packet.length & 15));
}

function echo(inner: Inner, id: number, sequence: number, extra = 0, v6 = false, from?: string): Bytes {
  const [source, target] = v6 ? [inner.our6, inner.their6] : [inner.our, inner.their];
  const [sourceIp, targetIp] = [ipOf(from ?? source), ipOf(target)];
  const size = leastEchoSize(targetIp.length) + extra;
  return echoRequest({ from: sourceIp, to: targetIp, id, sequence, size });
}

/** Its header says another length; the header's own sum is right again, so that only WireGuard can mind. */
function claiming(packet: Bytes, length: number): Bytes {
  const out = packet.slice();
  if (u8(out, 0) >>> 4 === 6) putU16be(out, 4, Math.max(0, length - 40));
  else {
    putU16be(out, 2, length);
    putU16be(out, 10, 0);
    let sum = 0;
    for (let at = 0; at < 20; at += 2) sum += (u8(out, at) << 8) | u8(out, at + 1);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    putU16be(out, 10, ~sum & 0xffff);
  }
  return out;
}

function innerPacket(chance: Chance, { inner }: DataWorld, sequence: number): Plain {
  const v6 = chance.happens(0.35);
  const extra = chance.whole(0, 60);
  const packet = echo(inner, CASE, sequence, extra, v6);
  const kind = chance.part();
  if (kind < 0.1) return { name: 'a keepalive', bytes: new Uint8Array(0) };
  if (kind < 0.2) {
    const cut = padded(packet).slice(0, chance.whole(1, v6 ? 39 : 19));
    if (chance.happens(0.3)) cut[0] = chance.whole(0, 255);
    return { name: `${cut.length} bytes of a header`, bytes: cut };
  }
  if (kind < 0.35) {
    const version = chance.whole(0, 15);
    const bytes = padded(packet);
    bytes[0] = (version << 4) | (u8(bytes, 0) & 15);
    return { name: `version ${version}`, bytes };
  }
  if (kind < 0.6) {
    const plain = padded(packet);
    const length = chance.pick([
      0,
      19,
      20,
      39,
      40,
      41,
      packet.length - 1,
      packet.length,
      plain.length,
      plain.length + 1,
      0xffff,
    ]);
    return { name: `a length of ${length} in ${plain.length}`, bytes: claiming(plain, length) };
  }
  if (kind < 0.75) {
    const from = v6
      ? chance.pick(['fd77::1', '::', 'fe80::1', inner.their6])
      : chance.pick([inner.neighbour, inner.their, '192.0.2.1', '0.0.0.0', '255.255.255.255', '127.0.0.1']);
    return { name: `from ${from}`, bytes: padded(echo(inner, CASE, sequence, extra, v6, from)) };
  }
  const padding = chance.pick([chance.bytes(chance.whole(0, 31)), new Uint8Array(chance.whole(0, 200))]);
  return { name: `padding of ${padding.length}`, bytes: concat(packet, padding) };
}

interface Draft {
  readonly name: string;
  /** Undefined where no fresh counter is used. */
  readonly counter: bigint | undefined;
  build(end: End, session: OpenSession): Bytes;
}

interface Making {
  readonly chance: Chance;
  readonly world: DataWorld;
  readonly counters: Counters;
  readonly sequence: number;
}

function fresh({ chance, world, counters, sequence }: Making): Draft {
  const plain = innerPacket(chance, world, sequence);
  const counter = counters.greatest + 1n;
  return { name: plain.name, counter, build: (_, session) => session.seal(counter, plain.bytes) };
}

function counted({ chance, world, counters, sequence }: Making): Draft {
  const { greatest, taken } = counters;
  const kind = chance.part();
  const [jump, step] = [chance.pick(AHEAD), chance.pick(BEHIND)];
  const limit = chance.pick(LIMITS) + BigInt(chance.whole(-1, 2));
  const old = taken[chance.whole(0, Math.max(0, taken.length - 1))] ?? 0n;
  const behind = greatest - step < 0n ? 0n : greatest - step;
  const counter =
    kind < 0.35 ? greatest + jump : kind < 0.7 ? behind : kind < 0.88 ? old : chance.happens(0.2) ? MAX_COUNTER : limit;
  const packet = padded(echo(world.inner, CASE, sequence));
  return {
    name: `counter ${counter} after ${greatest}`,
    counter,
    build: (_, session) => session.seal(counter, packet),
  };
}

function changed({ chance, world, counters, sequence }: Making): Draft {
  const choices: readonly [() => Mutation, ...(() => Mutation)[]] = [
    () => changeField(chance, pickFrom(chance, FIELDS)),
    () => changeField(chance, pickFrom(chance, FIELDS)),
    () => changeLength(chance),
    () => changeType(chance),
  ];
  const mutation = chance.pick(choices)();
  const counter = counters.greatest + 1n;
  const packet = padded(echo(world.inner, CASE, sequence));
  const build = (_: End, session: OpenSession) => mutation.apply(session.seal(counter, packet));
  return { name: mutation.name, counter, build };
}

function again({ chance }: Making): Draft {
  const part = chance.part();
  const build = (end: End): Bytes => {
    const sent = [...end.sent.values()];
    return sent[Math.floor(part * sent.length)] ?? new Uint8Array(0);
  };
  return { name: 'an earlier one again', counter: undefined, build };
}

/** The session before it is still good for receiving. */
function underTheOther({ chance, world, sequence }: Making): Draft {
  const known = chance.happens(0.5);
  const packet = padded(echo(world.inner, CASE, sequence));
  const counter = BigInt(chance.whole(0, 3));
  const build = (end: End, session: OpenSession): Bytes => {
    const [, previous] = end.sessions;
    return known && previous !== undefined
      ? previous.seal(counter, packet)
      : session.seal(counter, packet, previous?.remoteIndex ?? 1);
  };
  return { name: `${known ? 'under' : 'with the index of'} the session before`, counter: undefined, build };
}

/** Behind it no probe can come: the echo alone tells that it was judged. */
function theLast({ world, sequence }: Making): Draft {
  const counter = world.limit - 1n;
  const packet = padded(echo(world.inner, CASE, sequence));
  return { name: 'the last', counter, build: (_, session) => session.seal(counter, packet) };
}

function draftOf(making: Making): Draft {
  if (making.counters.greatest === making.world.limit - 2n) return theLast(making);
  const kind = making.chance.part();
  if (kind < 0.4) return fresh(making);
  if (kind < 0.65) return counted(making);
  if (kind < 0.85) return changed(making);
  return kind < 0.93 ? again(making) : underTheOther(making);
}

/** Did the message get as far as the window, and through it? */
function authenticated(verdict: Verdict): boolean {
  if (verdict.kind === 'accepted') return true;
  const { kind } = verdict.kind === 'refused' ? verdict.drop : { kind: '' };
  return kind.startsWith('inner-') || kind === 'source-not-allowed';
}

export function probe(end: End, inner: Inner, counter: bigint, sequence: number): Probe {
  const { session } = end;
  return {
    bytes: session.seal(counter, padded(echo(inner, PROBE, sequence))),
    answers(message) {
      const plain = message.length >= DATA_MIN_BYTES ? session.open(message) : undefined;
      const answer = plain === undefined ? undefined : echoOf(plain);
      return answer?.id === PROBE && answer.sequence === sequence;
    },
  };
}

/** There is room for it in the window of a session that has taken its last counter. */
function lateIn({ inner, limit }: DataWorld, sequence: number): Trial {
  const packet = padded(echo(inner, CASE, sequence));
  return { name: `data ${sequence}, late`, build: ({ session }) => session.seal(limit - LATE, packet) };
}

/** So many messages under the newest session, each followed by one that must be answered. Ends when the two disagree. */
export async function playData(stage: Stage, chance: Chance, world: DataWorld, count: number): Promise<void> {
  const counters = new Counters();
  const first = chance.whole(0, 0xffff - 2 * count);
  for (const end of [stage.twin, stage.real]) end.sent.clear();
  const spent = (): boolean => counters.greatest === world.limit - 1n;
  let agreed = true;
  for (let i = 0; i < count && agreed && !spent(); i++) {
    const sequence = first + i;
    const draft = draftOf({ chance, world, counters, sequence });
    const mayBe = draft.counter ?? -1n;
    const after = (mayBe > counters.greatest && mayBe < world.limit ? mayBe : counters.greatest) + 1n;
    const last = after >= world.limit;
    const bytes = new Map<End, Bytes>();
    const trial: Trial = {
      name: `data ${sequence}, ${draft.name}`,
      build(end) {
        const built = draft.build(end, end.session);
        bytes.set(end, built);
        return built;
      },
      ...(last ? {} : { probe: (end: End) => probe(end, world.inner, after, sequence) }),
    };
    const { verdict, same } = await stage.play(trial);
    if (authenticated(verdict) && draft.counter !== undefined) counters.take(draft.counter);
    if (!last) counters.take(after);
    for (const [end, built] of bytes) end.sent.set(sequence, built);
    agreed = same;
  }
  if (agreed && spent()) await stage.play(lateIn(world, first + count));
  await stage.compareFigures('data');
}
