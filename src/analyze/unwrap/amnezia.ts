/** AmneziaWG 1 and 2: padding before each message, other type words, junk before the initiations; by a file's settings, or inferred. */
import { type Bytes, copy, u8, u32le } from '../../base/bytes.ts';
import type { Datagram } from '../../packet/datagram.ts';
import { counterIsPlausible, WIRE_SIZE } from '../classify.ts';
import type { KeySet } from '../key-set.ts';
import { VARIANT } from '../variants.ts';
import { givenProfiles, type Place, Profile } from './amnezia-profile.ts';
import { Recent } from './recent.ts';
import {
  dataMessages,
  detached,
  endsInZeros,
  flowOf,
  isWhole,
  type PlainMessage,
  plainMessage,
  type Unwrapped,
} from './unwrapped.ts';

const FLOWS_KEPT = 4096;
const INDICES_KEPT = 8192;
const HELD_LIMIT = 256;
const LEARNED_LIMIT = 16;
/** More padding than this has no room in a handshake packet that no path refuses. */
const MOST_PADDING = 1280;
/** S4 is in every data packet: more than this nobody spares. */
const MOST_DATA_PADDING = 256;
/** Out of 2^32 type words: what lies in a greater share by chance shows too little. */
const NARROW = 2 ** 16;
const FAIRLY_NARROW = 2 ** 24;

/** A name for the key whose MAC1 fits the message as it stands on the wire. */
type Opens = (macBytes: Bytes) => string | undefined;

export class Amnezia {
  readonly #keys: KeySet;
  #given: readonly Profile[] = [];
  #confs = 0;
  readonly #learned: Profile[] = [];
  readonly #flows = new Recent<string, Profile>(FLOWS_KEPT);
  readonly #learners = new Recent<string, Profile>(FLOWS_KEPT);
  /** Indices that the handshakes named. */
  readonly #indices = new Recent<number, true>(INDICES_KEPT);
  /** By direction: what may be an initiation, until what may be its answer shows that it is. */
  readonly #held = new Recent<string, Datagram>(HELD_LIMIT);

  constructor(keys: KeySet) {
    this.#keys = keys;
  }

  unwrap(datagram: Datagram, opens: Opens): Unwrapped | undefined {
    const flow = flowOf(datagram);
    const own = this.#flows.get(flow);
    for (const profile of this.#candidates(own)) {
      for (const place of profile.places(datagram)) {
        if (this.#isRight(datagram, place, profile, profile === own, opens))
          return this.#take(flow, profile, datagram, place);
      }
    }
    const inferred = this.#infer(datagram, flow, own, opens);
    if (inferred !== undefined) return inferred;
    return own === undefined ? undefined : { form: own.form, messages: [] };
  }

  *#candidates(own: Profile | undefined): Generator<Profile> {
    if (this.#confs !== this.#keys.confs.length) {
      this.#confs = this.#keys.confs.length;
      this.#given = givenProfiles(this.#keys.confs);
    }
    if (own !== undefined) yield own;
    for (const profile of this.#given) if (profile !== own) yield profile;
    for (const profile of this.#learned) if (profile !== own) yield profile;
  }

  /** Whether the length and the type word are no chance, or something else shows it. */
  #isRight(datagram: Datagram, { kind, at }: Place, profile: Profile, isOwn: boolean, opens: Opens): boolean {
    const { bytes, from, to } = datagram;
    const types = profile.typesOf(kind);
    const expected = isOwn || profile.ports.has(from.port) || profile.ports.has(to.port);
    if (kind === 'data') {
      if (!counterIsPlausible(bytes, at)) return false;
      return this.#indices.has(u32le(bytes, at + 4)) || (expected && types !== undefined && types <= NARROW);
    }
    if (expected && types !== undefined && types <= FAIRLY_NARROW) return true;
    if (kind !== 'initiation' && this.#indices.has(u32le(bytes, at + (kind === 'response' ? 8 : 4)))) return true;
    if (kind === 'cookie-reply' || !isWhole(datagram)) return false;
    return (isOwn && endsInZeros(bytes)) || opens(bytes.subarray(at)) !== undefined;
  }

  /** Settings that no file gives, one message after the other. */
  #infer(datagram: Datagram, flow: string, own: Profile | undefined, opens: Opens): Unwrapped | undefined {
    if (!isWhole(datagram)) return undefined;
    return (
      this.#inferInitiation(datagram, flow, opens) ??
      this.#inferAnswer(datagram, flow, opens) ??
      (own === undefined ? undefined : this.#inferLater(datagram, flow, own))
    );
  }

  /** MAC1 tells where it begins, and that its type word is as it was made. */
  #inferInitiation(datagram: Datagram, flow: string, opens: Opens): Unwrapped | undefined {
    const { bytes, length, from, to } = datagram;
    const at = length - WIRE_SIZE.initiation;
    if (at < 0 || at > MOST_PADDING || !endsInZeros(bytes)) return undefined;
    const owner = opens(bytes.subarray(at));
    if (owner === undefined) {
      // with the type byte in its place it is WARP's
      if (at !== 0 || u8(bytes, 0) !== 1) this.#held.set(`${from.text} > ${to.text}`, detached(datagram));
      return undefined;
    }
    const profile = this.#learner(
      flow,
      `by MAC1, which is for ${owner} with this type word, at this distance from the end`,
    );
    return this.#take(flow, profile, datagram, { kind: 'initiation', at, header: u32le(bytes, at) });
  }

  /** It names the index of an initiation; without any key, of one that was held until now. */
  #inferAnswer(datagram: Datagram, flow: string, opens: Opens): Unwrapped | undefined {
    const { bytes, length, from, to } = datagram;
    const at = length - WIRE_SIZE.response;
    if (at < 0 || at > MOST_PADDING) return undefined;
    const place: Place = { kind: 'response', at, header: u32le(bytes, at) };
    const receiver = u32le(bytes, at + 8);
    const why = 'by an answer that names the index of an initiation';
    if (this.#indices.has(receiver)) return this.#take(flow, this.#learner(flow, why), datagram, place);
    if (!endsInZeros(bytes)) return undefined;
    const way = `${to.text} > ${from.text}`;
    const held = this.#held.get(way);
    const asked = held === undefined ? 0 : held.length - WIRE_SIZE.initiation;
    if (held !== undefined && u32le(held.bytes, asked + 4) === receiver) {
      this.#held.delete(way);
      const profile = this.#learner(flow, `${why}, both of them ending in sixteen zeros (no MAC2)`);
      const header = u32le(held.bytes, asked);
      const before = this.#take(flow, profile, held, { kind: 'initiation', at: asked, header });
      return { ...before, messages: [...before.messages, ...this.#take(flow, profile, datagram, place).messages] };
    }
    const owner = opens(bytes.subarray(at));
    if (owner === undefined) return undefined;
    return this.#take(flow, this.#learner(flow, `by MAC1, which is for ${owner} with this type word`), datagram, place);
  }

  /** Between ends that are known to speak it: data and cookie replies, by the index they are for. */
  #inferLater(datagram: Datagram, flow: string, own: Profile): Unwrapped | undefined {
    const { bytes, length } = datagram;
    if (own.padding('data') === undefined || own.file !== undefined) {
      const most = Math.min(length - WIRE_SIZE.data, MOST_DATA_PADDING);
      for (let at = 0; at <= most; at++) {
        if (!this.#indices.has(u32le(bytes, at + 4)) || !counterIsPlausible(bytes, at)) continue;
        const profile = this.#learner(flow, 'by data for an index that a handshake named');
        return this.#take(flow, profile, datagram, { kind: 'data', at, header: u32le(bytes, at) });
      }
    }
    const at = length - WIRE_SIZE['cookie-reply'];
    if (at < 0 || at > MOST_PADDING || !this.#indices.has(u32le(bytes, at + 4))) return undefined;
    const profile = this.#learner(flow, 'by a cookie reply for an index that an initiation named');
    return this.#take(flow, profile, datagram, { kind: 'cookie-reply', at, header: u32le(bytes, at) });
  }

  /** The settings that are being learned between these ends; those of a file do not change. */
  #learner(flow: string, how: string): Profile {
    const known = this.#learners.get(flow);
    if (known !== undefined) return known;
    const profile = new Profile();
    profile.form.how = how;
    this.#learners.set(flow, profile);
    this.#learned.push(profile);
    if (this.#learned.length > LEARNED_LIMIT) this.#learned.shift();
    return profile;
  }

  #take(flow: string, profile: Profile, datagram: Datagram, place: Place): Unwrapped {
    const { kind, at, header } = place;
    profile.learn(place);
    this.#flows.set(flow, profile);
    const wire = { variant: VARIANT.amnezia, padding: at, header };
    const { bytes } = datagram;
    let messages: PlainMessage[];
    if (kind === 'data') messages = dataMessages(datagram, at, wire);
    else {
      const macBytes = copy(bytes, at, Math.min(bytes.length, at + WIRE_SIZE[kind]));
      messages = [plainMessage(datagram, kind, at, { ...wire, macBytes })];
      if (kind !== 'cookie-reply') this.#indices.set(u32le(bytes, at + 4), true);
    }
    return { form: profile.form, messages };
  }
}
