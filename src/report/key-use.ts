/** Counts for every known key what it opens, while captures are read, and lists the keys with the places they stand at. */
import type { KeySet, KnownEphemeral, KnownKey } from '../analyze/key-set.ts';
import { indexText } from '../analyze/merge.ts';
import type { Opened } from '../analyze/observe.ts';
import type { InitiationSight, ResponseSight } from '../analyze/sight.ts';
import type { Exchange, Seen } from '../analyze/timeline.ts';
import { toBase64 } from '../base/base64.ts';
import { type Bytes, isZero } from '../base/bytes.ts';
import type { KeyOpens, KeysEntry } from './keys-model.ts';

type Counts = { -readonly [K in keyof KeyOpens]: KeyOpens[K] };

const NONE: KeyOpens = { madeFor: 0, initiations: 0, responses: 0, data: 0 };

export class KeyUse {
  readonly #keys: KeySet;
  /** By the known key, the PSK in base64 or the place of a traffic key. */
  readonly #counts = new Map<KnownKey | KnownEphemeral | string, Counts>();
  /** What opened a handshake opens its data. */
  readonly #sessions = new WeakMap<Exchange, readonly Counts[]>();

  constructor(keys: KeySet) {
    this.#keys = keys;
  }

  initiation(seen: Seen, { mac1, identity }: InitiationSight): void {
    if (mac1.kind !== 'known') return;
    this.#of(mac1.key).madeFor++;
    if (identity === undefined) return;
    const ephemeral = this.#ephemeral(seen.bytes.subarray(8, 40));
    if (ephemeral !== undefined) this.#of(ephemeral).initiations++;
    if (mac1.key.private !== undefined) this.#of(mac1.key).initiations++;
  }

  response(seen: Seen, exchange: Exchange, { mac1, opensWith }: ResponseSight): void {
    const { initiation, sight } = exchange;
    if (mac1.kind === 'known') this.#of(mac1.key).madeFor++;
    if (opensWith === undefined || initiation === undefined || sight === undefined) return;
    const initiator = sight.identity === undefined ? undefined : this.#keys.find(sight.identity);
    const responder = sight.mac1.kind === 'known' ? sight.mac1.key : undefined;
    const part: Counts[] = isZero(opensWith.psk) ? [] : [this.#of(toBase64(opensWith.psk))];
    for (const [own, publicHalf] of [
      [initiator, initiation.bytes.subarray(8, 40)],
      [responder, seen.bytes.subarray(12, 44)],
    ] as const) {
      const ephemeral = this.#ephemeral(publicHalf);
      if (ephemeral === undefined) continue;
      part.push(this.#of(ephemeral));
      if (own?.private !== undefined) part.push(this.#of(own));
    }
    for (const counts of part) counts.responses++;
    this.#sessions.set(exchange, part);
  }

  data(exchange: Exchange | undefined, { keyFrom }: Opened): void {
    if (keyFrom !== undefined) this.#of(keyFrom).data++;
    else if (exchange !== undefined) for (const counts of this.#sessions.get(exchange) ?? []) counts.data++;
  }

  /** Whether the traffic key that stands there opened something. */
  opened(where: string): boolean {
    return this.#counts.has(where);
  }

  /** Without secrets, in the order of the files. */
  entries(): KeysEntry[] {
    const { publics, ephemerals, psks, trafficKeys } = this.#keys;
    return [
      ...[...publics.values()].map((known) => ({
        ...EMPTY,
        kind: known.private === undefined ? ('public' as const) : ('private' as const),
        publicKey: known.text,
        where: this.#placesOf(known),
        opens: this.#opens(known),
      })),
      ...[...ephemerals].map(([text, known]) => ({
        ...EMPTY,
        kind: 'ephemeral' as const,
        publicKey: text,
        where: [known.where],
        psks: known.psks.map(({ where }) => where),
        opens: this.#opens(known),
      })),
      ...psks.map(({ psk, where }) => ({
        ...EMPTY,
        kind: 'preshared' as const,
        where: [...new Set([where, ...this.#pskPlaces(toBase64(psk))])],
        opens: this.#opens(toBase64(psk)),
      })),
      ...[...trafficKeys].flatMap(([index, list]) =>
        list.map(({ where }) => ({
          ...EMPTY,
          kind: 'traffic' as const,
          index: indexText(index),
          where: [where],
          opens: this.#opens(where),
        })),
      ),
    ];
  }

  /** The same entries, which are those of {@link entries}, with what must not be shown unasked. */
  withSecrets(entries: readonly KeysEntry[]): KeysEntry[] {
    const { publics, ephemerals, psks, trafficKeys } = this.#keys;
    const secrets: readonly (Bytes | undefined)[] = [
      ...[...publics.values()].map((known) => known.private),
      ...[...ephemerals.values()].map((known) => known.private),
      ...psks.map(({ psk }) => psk),
      ...[...trafficKeys.values()].flatMap((list) => list.map(({ key }) => key)),
    ];
    return entries.map((entry, i) => {
      const secret = secrets[i];
      return secret === undefined ? entry : { ...entry, secret: toBase64(secret) };
    });
  }

  #opens(what: KnownKey | KnownEphemeral | string): KeyOpens {
    return this.#counts.get(what) ?? NONE;
  }

  #of(what: KnownKey | KnownEphemeral | string): Counts {
    let counts = this.#counts.get(what);
    if (counts === undefined) {
      counts = { ...NONE };
      this.#counts.set(what, counts);
    }
    return counts;
  }

  #ephemeral(publicHalf: Bytes): KnownEphemeral | undefined {
    return this.#keys.ephemerals.get(toBase64(publicHalf));
  }

  /** Lines of configurations first, then what the sources themselves are called. */
  #placesOf(known: KnownKey): string[] {
    const places: string[] = [];
    const inConf = new Set<string>();
    for (const { name, conf, own, peers } of this.#keys.confs) {
      inConf.add(`${name} [`);
      const secret = conf.interface.privateKey;
      if (own === known)
        places.push(secret === undefined ? `${name} [Interface]` : `${name}:${secret.line} PrivateKey`);
      const peer = peers.get(known.text);
      const comment = peer?.comment === undefined ? '' : ` “${peer.comment}”`;
      if (peer?.publicKey !== undefined) places.push(`${name}:${peer.publicKey.line} PublicKey${comment}`);
    }
    const others = known.sources.filter((source) => ![...inConf].some((start) => source.startsWith(start)));
    return [...places, ...others];
  }

  #pskPlaces(text: string): string[] {
    return this.#keys.confs.flatMap(({ name, conf }) =>
      conf.peers.flatMap(({ presharedKey }) =>
        presharedKey !== undefined && toBase64(presharedKey.value) === text ? [`${name}:${presharedKey.line}`] : [],
      ),
    );
  }
}

const EMPTY = { publicKey: null, index: null, psks: [] } as const;
