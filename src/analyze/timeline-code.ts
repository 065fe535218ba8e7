/** A timeline as numbered pieces of plain JSON and back: what several know of one capture can be put together elsewhere. */
import type { IpBytes } from '../base/address.ts';
import { decodeKeyText, toBase64 } from '../base/base64.ts';
import { fromHex, toHex } from '../base/bytes.ts';
import { grouped } from '../base/grouped.ts';
import { publicKey } from '../base/keys.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { CounterRuns } from './counter-runs.ts';
import type { InnerEnd, Receiver } from './inner/pair.ts';
import { type KeySet, type KnownKey, type KnownPsk, NO_PSK } from './key-set.ts';
import { Receivers } from './receivers.ts';
import type { ResponseSight } from './sight.ts';
import type { Seen, Timeline } from './timeline.ts';
import { allowedMark, isKeyMark, keyMark, pskMark } from './timeline-marks.ts';

/**
 * One object of the graph. What it points to is `[number]`, `[]` is undefined. Plain objects stand as they are; the others
 * are lists that begin with what they are.
 */
export type Piece = { readonly [name: string]: Code } | readonly Code[];
type Code = string | number | boolean | null | readonly number[];

const LIST = 'list';
const MAP = 'map';
const BYTES = 'bytes';
const RUNS = 'runs';
/** Found again among the keys and files at hand, whatever those are called there. */
const KEY = 'key';
const RECEIVER = 'receiver';
const PSK = 'psk';

/** The first piece is the timeline. Throws a TypeError for what no timeline holds. */
export function encodeTimeline(timeline: Timeline, keys: KeySet): Piece[] {
  const numbers = new Map<object, number>([[timeline, 0]]);
  const objects: object[] = [timeline];
  const code = (value: unknown): Code => {
    if (value === undefined) return [];
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (typeof value !== 'object') throw new TypeError(`a timeline cannot hold ${String(value)}`);
    let number = numbers.get(value);
    if (number === undefined) {
      number = objects.push(value) - 1;
      numbers.set(value, number);
    }
    return [number];
  };
  const marks = new Map<object, string>();
  for (const secret of keys.secrets()) {
    const known = keys.publics.get(toBase64(secret));
    // a private key in the place of a public one
    if (known !== undefined) marks.set(known, keyMark(known));
  }
  const pieces: Piece[] = [];
  for (const object of objects) {
    // it comes before the PSK that opened it
    if (isOpened(object)) marks.set(object.sight.opensWith, pskMark(keys, object.sight.opensWith.psk, object.seen));
    pieces.push(encode(object, code, keys, marks));
  }
  return pieces;
}

function encode(
  object: object,
  code: (value: unknown) => Code,
  keys: KeySet,
  marks: ReadonlyMap<object, string>,
): Piece {
  if (Array.isArray(object)) return [LIST, ...object.map(code)];
  if (object instanceof Map) return [MAP, ...[...object].flat().map(code)];
  if (object instanceof Uint8Array) return [BYTES, toHex(object)];
  if (object instanceof CounterRuns) return [RUNS, object.coarse, ...object.runs.map(code)];
  if (isKey(object)) return [KEY, marks.get(object) ?? object.text, ...object.sources];
  if (isReceiver(object)) {
    const { entry, peer } = object;
    return [RECEIVER, entry.name, entry.own?.text ?? '', peer, allowedMark(keys, entry, peer)];
  }
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype) throw new TypeError(`a timeline cannot hold ${object.constructor.name}`);
  const mark = marks.get(object) ?? [];
  const entries = Object.entries(object).map(([name, value]) => [name, name === PSK ? mark : code(value)] as const);
  return Object.fromEntries(entries);
}

const isKey = (object: object): object is KnownKey => 'mac1Key' in object;
const isReceiver = (object: object): object is Receiver => 'allowed' in object && 'entry' in object;
/** A response, and the PSK or the mark of the one that opened it. */
const isOpened = (object: unknown): object is Opened =>
  isObject(object) &&
  'seen' in object &&
  'sight' in object &&
  isObject(object.sight) &&
  isObject(Reflect.get(object.sight, 'opensWith'));
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isInnerEnd = (made: unknown): made is InnerEnd => isObject(made) && 'refused' in made && 'refusedMore' in made;

interface Opened {
  readonly seen: Seen;
  readonly sight: ResponseSight & { readonly opensWith: NonNullable<ResponseSight['opensWith']> };
}

export interface Decoded {
  readonly timeline: Timeline;
  /** What is in none of the files at hand: all that rested on it was left out. */
  readonly unknown: readonly string[];
}

/** `capture` is what frames are to be called by. The error says why the pieces do not fit together here. */
export function decodeTimeline(pieces: readonly Piece[], keys: KeySet, capture: string): Result<Decoded, string> {
  try {
    const decoder = new Decoder(pieces, keys, capture);
    const timeline = decoder.decode();
    return isTimeline(timeline) ? ok({ timeline, unknown: [...decoder.unknown] }) : fail('it holds no timeline');
  } catch (error) {
    // whatever else it is: the pieces are not what any timeline was made into
    return fail(error instanceof PieceError ? error.message : 'it cannot be read');
  }
}

/** Never leaves this file. */
class PieceError extends Error {}

/** As far as all that judges it goes without asking: who made up the pieces could have others here. */
function isTimeline(value: unknown): value is Timeline {
  if (!isObject(value)) return false;
  const has = (names: readonly string[], is: (field: unknown) => boolean): boolean =>
    names.every((name) => is(Reflect.get(value, name)));
  return has(LISTS, Array.isArray) && has(MAPS, (field) => field instanceof Map) && has(RECORDS, isObject);
}

const LISTS: readonly (keyof Timeline)[] = [
  'damage',
  'exchanges',
  'sessions',
  'silences',
  'oneWays',
  'icmp',
  'malformed',
];
const MAPS: readonly (keyof Timeline)[] = ['skipped', 'foreign', 'variants', 'senders', 'directions', 'inner'];
const RECORDS: readonly (keyof Timeline)[] = ['messages', 'verdicts', 'cut', 'duplicates'];
/** Numbers that others are worked out of. */
const WHOLE: ReadonlySet<string> = new Set(['frame', 'sec', 'nsec']);

const unjudged = (file: string): string =>
  `${file} refused packets of it, and is not here, or has other AllowedIPs: they are not judged`;

class Decoder {
  readonly #pieces: readonly Piece[];
  readonly #keys: KeySet;
  readonly #capture: string;
  readonly #receivers: Receivers;
  /** By where they stand: what stood there before is what is asked first. */
  readonly #psks: ReadonlyMap<string, readonly KnownPsk[]>;
  /** By where they stood: there may be very many. */
  readonly #found = new Map<string, KnownPsk | undefined>();
  readonly #made: unknown[];
  readonly unknown = new Set<string>();

  constructor(pieces: readonly Piece[], keys: KeySet, capture: string) {
    this.#pieces = pieces;
    this.#keys = keys;
    this.#capture = capture;
    this.#receivers = new Receivers(keys);
    this.#psks = psksByPlace(keys);
    this.#made = pieces.map((piece) => this.#empty(piece));
  }

  decode(): unknown {
    for (const [i, piece] of this.#pieces.entries()) this.#fill(this.#made[i], piece);
    for (const made of this.#made) {
      if (isInnerEnd(made)) this.#refused(made);
      if (isOpened(made)) this.#opened(made);
    }
    return this.#made[0];
  }

  /** Objects first, so that all of them can point to each other. */
  #empty(piece: Piece): unknown {
    if (!isList(piece)) return {};
    const [kind, first, second, third, fourth] = piece;
    switch (kind) {
      case LIST:
        return [];
      case MAP:
        return new Map();
      case RUNS:
        return new CounterRuns();
      case BYTES:
        return bytesOf(first);
      case KEY:
        return this.#key(String(first), typeof second === 'string' ? second : 'a key that is in no file here');
      case RECEIVER:
        return this.#receiver(String(first), String(second), String(third), String(fourth));
    }
    throw new PieceError(`${String(kind)} is no part of a timeline`);
  }

  #receiver(name: string, own: string, peer: string, mark: string): Receiver | undefined {
    const receiver = this.#receivers.marked(own, peer, mark);
    if (receiver === undefined) this.unknown.add(unjudged(name));
    return receiver;
  }

  /** What no file at hand refuses is no proof against any: another peer may have had the source there. */
  #refused({ refused }: InnerEnd): void {
    const still = refused.filter(({ receiver, ip }: { readonly receiver?: Receiver; readonly ip: IpBytes }) => {
      if (receiver === undefined) return false;
      const refuses = receiver.allowed.lookup(ip, 0, ip.length === 4 ? 4 : 16) !== receiver.peer;
      if (!refuses) this.unknown.add(unjudged(receiver.entry.name));
      return refuses;
    });
    refused.splice(0, refused.length, ...still);
  }

  #key(text: string, source: string): KnownKey {
    if (isKeyMark(text)) {
      const known = [...this.#keys.publics.values()].find((one) => keyMark(one) === text);
      if (known === undefined) throw new PieceError('a key of it is in no file here');
      return known;
    }
    const bytes = decodeKeyText(text);
    if (!(bytes instanceof Uint8Array)) throw new PieceError('a public key in it is none');
    const key = publicKey(bytes);
    return this.#keys.find(key) ?? this.#keys.addPublic(key, source);
  }

  #fill(made: unknown, piece: Piece): void {
    if (!isList(piece)) {
      for (const [name, value] of Object.entries(piece)) this.#field(made, name, value);
      return;
    }
    const rest = piece.slice(1);
    if (made instanceof Map) {
      for (let i = 0; i < rest.length; i += 2) made.set(this.#value(rest[i]), this.#value(rest[i + 1]));
    } else if (made instanceof CounterRuns) {
      made.coarse = rest[0] === true;
      for (const run of rest.slice(1)) Reflect.apply(Array.prototype.push, made.runs, [this.#value(run)]);
    } else if (Array.isArray(made)) for (const value of rest) made.push(this.#value(value));
  }

  #field(made: unknown, name: string, value: Code): void {
    if (typeof made !== 'object' || made === null || name === '__proto__')
      throw new PieceError(`${name} is no part of a timeline`);
    if (WHOLE.has(name) && !Number.isSafeInteger(value)) throw new PieceError(`${name} in it is no number`);
    const read = name === 'capture' ? this.#capture : this.#value(value);
    // what was never set stays so: some ask whether it is there
    Reflect.set(made, name, read);
  }

  /** A PSK that nobody has here is not a different one: then it is not known whether the response opens. */
  #opened({ seen, sight }: Opened): void {
    const { opensWith, verdict } = sight;
    const mark: unknown = opensWith.psk;
    const fits = ({ psk }: KnownPsk): boolean => pskMark(this.#keys, psk, seen) === mark;
    let known = this.#found.get(opensWith.where);
    if (!this.#found.has(opensWith.where)) {
      known = this.#psks.get(opensWith.where)?.find(fits) ?? [...this.#psks.values()].flat().find(fits);
      this.#found.set(opensWith.where, known);
    }
    if (known !== undefined && fits(known)) {
      Object.assign(opensWith, { psk: known.psk, where: known.where });
      return;
    }
    this.unknown.add('the preshared key that opens responses in it is in no file here: that they open is not judged');
    Object.assign(sight, { opensWith: undefined, handshakeOk: undefined, tried: 0 });
    if (verdict.kind === 'refused')
      Object.assign(sight, { verdict: { kind: 'undecided', missing: ['the preshared key of the response'] } });
  }

  #value(code: Code | undefined): unknown {
    if (!Array.isArray(code)) return code;
    const [number] = code;
    if (number === undefined) return undefined;
    if (!(number in this.#made)) throw new PieceError('a part of it is missing');
    return this.#made[number];
  }
}

function psksByPlace({ psks, ephemerals }: KeySet): ReadonlyMap<string, readonly KnownPsk[]> {
  const bound = [...ephemerals.values()].flatMap((one) => one.psks);
  return grouped([NO_PSK, ...psks, ...bound], ({ where }) => where);
}

const isList = (piece: Piece): piece is readonly Code[] => Array.isArray(piece);

const HEX = /^([0-9a-f]{2})*$/;

function bytesOf(code: Code | undefined): Uint8Array {
  if (typeof code !== 'string' || !HEX.test(code)) throw new PieceError('bytes in it are none');
  return fromHex(code);
}
