/** Which of the keys at hand opened a message, and which are missing, in words: where they stand, never what they are. */
import type { KeySet } from '../analyze/key-set.ts';
import type { Verdict } from '../analyze/sight.ts';
import type { Exchange } from '../analyze/timeline.ts';
import { toBase64 } from '../base/base64.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { type PublicKey, publicKey } from '../base/keys.ts';
import type { Drop } from '../wg/drop.ts';
import { INITIATION } from '../wg/message/initiation.ts';
import { RESPONSE } from '../wg/message/response.ts';
import type { DissectedField } from './dissect-model.ts';
import { told } from './dissect-wire.ts';

export class KeyWords {
  readonly #keys: KeySet;

  constructor(keys: KeySet) {
    this.#keys = keys;
  }

  /** `server.conf [Interface]`, or the key’s beginning and end. */
  name(key: PublicKey): string {
    return this.#keys.nameOf(key);
  }

  get publicCount(): number {
    return this.#keys.publics.size;
  }

  isKnown(key: PublicKey): boolean {
    return this.#keys.find(key) !== undefined;
  }

  hasPrivate(key: PublicKey): boolean {
    return this.#keys.find(key)?.private !== undefined;
  }

  /** Where the private key of an ephemeral stands. */
  ephemeral(key: Bytes): string | undefined {
    return this.#keys.ephemerals.get(toBase64(key))?.where;
  }

  /** `server.conf [Interface]`, and the key itself behind it. */
  owner(key: PublicKey): { readonly value: string; readonly meaning: string } {
    const known = this.#keys.find(key);
    const whose = known === undefined ? 'none of the known public keys' : (known.sources[0] ?? 'a known key');
    const hidden = known?.private === undefined ? '' : '; its private key is known';
    return { value: toBase64(key), meaning: `${whose}${hidden}` };
  }

  /** Everything that took part, in the order of the handshake; es, and ss where the timestamp is open, too. */
  initiation(ephemeral: Bytes, responder: PublicKey, identity: PublicKey | undefined, whole: boolean): string[] {
    if (identity === undefined) return [];
    const es = this.#ephemeralOf(ephemeral, 'initiator') ?? this.#privateOf(responder);
    const ss = this.#privateOf(identity) ?? this.#privateOf(responder);
    return unique(whole ? [es, ss] : [es]);
  }

  /** ee, se and the PSK. */
  response(exchange: Exchange | undefined, bytes: Bytes, psk: string): string[] {
    const { initiation, sight } = exchange ?? {};
    if (initiation === undefined || sight?.identity === undefined) return [`PSK: ${psk}`];
    const theirs = this.#ephemeralOf(bytes.subarray(RESPONSE.ephemeral.at, RESPONSE.sealedEmpty.at), 'responder');
    const ours = this.#ephemeralOf(
      initiation.bytes.subarray(INITIATION.ephemeral.at, INITIATION.sealedStatic.at),
      'initiator',
    );
    return unique([ours ?? theirs, this.#privateOf(sight.identity) ?? theirs, `PSK: ${psk}`]);
  }

  /** A traffic key is not bound to a handshake. */
  trafficKey(index: number): string | undefined {
    return this.#keys.trafficKeys.get(index)?.[0]?.where;
  }

  /** The refusal with its facts; keys by name. */
  drop(drop: Drop): string {
    const facts = Object.entries(drop).filter(([name]) => name !== 'kind');
    return facts.length === 0 ? drop.kind : `${drop.kind} (${facts.map((fact) => this.#fact(fact)).join(', ')})`;
  }

  #fact([name, value]: readonly [string, unknown]): string {
    if (!(value instanceof Uint8Array)) return `${name} ${String(value)}`;
    return `${name} ${value.length === 32 ? this.name(publicKey(value)) : toHex(value)}`;
  }

  #privateOf(key: PublicKey): string | undefined {
    const known = this.#keys.find(key);
    return known?.private === undefined ? undefined : `private key of ${known.sources[0] ?? 'a known key'}`;
  }

  #ephemeralOf(key: Bytes, whose: 'initiator' | 'responder'): string | undefined {
    const where = this.ephemeral(key);
    return where === undefined ? undefined : `ephemeral of the ${whose} (${where})`;
  }
}

function unique(list: readonly (string | undefined)[]): string[] {
  return [...new Set(list.filter((one) => one !== undefined))];
}

/** What opened it, and what is missing for the rest. */
export function keyFields(openedBy: readonly string[], missing: readonly string[]): DissectedField[] {
  return [
    ...(openedBy.length === 0 ? [] : [told('openedWith', { value: openedBy })]),
    ...(missing.length === 0 ? [] : [told('missing', { value: missing })]),
  ];
}

/** What a receiver with these keys, and with the history of this capture, would have done. */
export function verdictField(verdict: Verdict, words: KeyWords): DissectedField {
  if (verdict.kind === 'refused') return told('verdict', { value: 'refused', meaning: words.drop(verdict.drop) });
  return told('verdict', { value: verdict.kind });
}
