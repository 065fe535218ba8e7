/** Every key that was handed over, where it stands, and what belongs to what. Secrets stay in here. */
import { toBase64 } from '../base/base64.ts';
import type { Bytes } from '../base/bytes.ts';
import { isZero } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../base/keys.ts';
import { shortKey, ZERO_PSK } from '../base/keys.ts';
import type { KeyLog } from '../config/key-log.ts';
import type { RosInterface } from '../config/routeros/as-conf.ts';
import type { RosConfig } from '../config/routeros/export.ts';
import type { TrafficKey } from '../config/traffic-keys.ts';
import type { WgConf } from '../config/wg-conf.ts';
import type { WgStatusInterface } from '../config/wg-status.ts';
import type { Crypto } from '../crypto/port.ts';
import { mac1Key } from '../wg/mac.ts';
import type { Machine } from './machine.ts';

export interface KnownKey {
  readonly text: string;
  readonly key: PublicKey;
  /** H("mac1----" ‖ key), worked out once. */
  readonly mac1Key: Bytes;
  /** Where it stands, best name first: `server.conf [Interface]`. */
  readonly sources: string[];
  private?: PrivateKey;
}

/** Where the description of an end comes from: what is set may not be what runs, and what runs has learned endpoints. */
export type EndOrigin =
  | { readonly kind: 'wg-quick' }
  | { readonly kind: 'routeros'; readonly config: RosConfig; readonly end: RosInterface }
  | { readonly kind: 'wg-show'; readonly status: WgStatusInterface };

/** One end as a file describes it. */
export interface ConfEntry {
  readonly input: string;
  /** The file, and the interface where the file has several. */
  readonly name: string;
  readonly conf: WgConf;
  readonly origin: EndOrigin;
  /** The end's own public key, derived or printed; undefined where neither can be had. */
  readonly own: KnownKey | undefined;
  /** By base64 of the peer's public key. */
  readonly peers: ReadonlyMap<string, WgConf['peers'][number]>;
}

export interface KnownPsk {
  readonly psk: PresharedKey;
  /** `file:line`, or `no PSK (zero)`. */
  readonly where: string;
}

export interface KnownEphemeral {
  readonly private: PrivateKey;
  readonly where: string;
  /** PSKs that the key log binds to it; none means zero. */
  readonly psks: KnownPsk[];
}

/** Places of one key that are kept: any number of [Peer] sections may hold it. */
const MOST_SOURCES = 100;

export const NO_PSK: KnownPsk = { psk: ZERO_PSK, where: 'no PSK (zero)' };

export class KeySet {
  readonly publics = new Map<string, KnownKey>();
  readonly confs: ConfEntry[] = [];
  readonly machines: Machine[] = [];
  /** By base64 of the public ephemeral, as it stands on the wire. */
  readonly ephemerals = new Map<string, KnownEphemeral>();
  /** Every PSK of every file, each once; zero is not among them. */
  readonly psks: KnownPsk[] = [];
  private readonly pskTexts = new Set<string>();
  /** By receiver index. */
  readonly trafficKeys = new Map<number, { readonly key: Bytes; readonly where: string }[]>();
  private readonly idleSecrets: Bytes[] = [];
  readonly crypto: Crypto;

  constructor(crypto: Crypto) {
    this.crypto = crypto;
  }

  /** Everything that must never be shown. */
  *secrets(): Generator<Bytes> {
    for (const known of this.publics.values()) if (known.private !== undefined) yield known.private;
    for (const ephemeral of this.ephemerals.values()) {
      yield ephemeral.private;
      for (const { psk } of ephemeral.psks) if (!isZero(psk)) yield psk;
    }
    for (const { psk } of this.psks) yield psk;
    yield* this.idleSecrets;
    for (const list of this.trafficKeys.values()) for (const { key } of list) yield key;
  }

  /** Of no use for the analysis, as of something disabled, and not to be shown all the same. */
  addIdleSecret(secret: Bytes): void {
    if (!isZero(secret)) this.idleSecrets.push(secret);
  }

  addPublic(key: PublicKey, source: string): KnownKey {
    const text = toBase64(key);
    let known = this.publics.get(text);
    if (known === undefined) {
      known = { text, key, mac1Key: mac1Key(this.crypto, key), sources: [] };
      this.publics.set(text, known);
    }
    if (known.sources.length < MOST_SOURCES && !known.sources.includes(source)) known.sources.push(source);
    return known;
  }

  addPrivate(secret: PrivateKey, source: string): KnownKey {
    const known = this.addOwn(this.crypto.publicKey(secret), source);
    known.private = secret;
    return known;
  }

  /** The owner's own file names it better than another file's [Peer] does. */
  private addOwn(key: PublicKey, source: string): KnownKey {
    const known = this.addPublic(key, source);
    const at = known.sources.indexOf(source);
    if (at >= 0) known.sources.splice(at, 1);
    known.sources.unshift(source);
    return known;
  }

  /** `publicKey` where the text prints it, and not the private one. */
  addConf(
    input: string,
    name: string,
    conf: WgConf,
    { origin = { kind: 'wg-quick' }, publicKey }: { readonly origin?: EndOrigin; readonly publicKey?: PublicKey } = {},
  ): void {
    for (const named of conf.namedSecrets ?? []) this.addIdleSecret(named);
    const secret = conf.interface.privateKey?.value;
    const where = `${name} [Interface]`;
    const printed = publicKey === undefined ? undefined : this.addOwn(publicKey, where);
    const own = secret === undefined ? printed : this.addPrivate(secret, where);
    const peers = new Map<string, WgConf['peers'][number]>();
    for (const peer of conf.peers) {
      if (peer.publicKey !== undefined) {
        const label = peer.comment === undefined ? `line ${peer.publicKey.line}` : `“${peer.comment}”`;
        peers.set(this.addPublic(peer.publicKey.value, `${name} [Peer] ${label}`).text, peer);
      }
      if (peer.presharedKey !== undefined) this.addPsk(peer.presharedKey.value, `${name}:${peer.presharedKey.line}`);
    }
    this.confs.push({ input, name, conf, origin, own, peers });
  }

  addPsk(psk: PresharedKey, where: string): KnownPsk {
    const known = { psk, where };
    const text = toBase64(psk);
    if (isZero(psk) || this.pskTexts.has(text)) return known;
    this.pskTexts.add(text);
    this.psks.push(known);
    return known;
  }

  addKeyLog(name: string, log: KeyLog): void {
    for (const { value, line } of log.statics) this.addPrivate(value, `${name}:${line}`);
    for (const { value, line } of log.remotes) this.addPublic(value, `${name}:${line}`);
    for (const { key, psk } of log.ephemerals) {
      const text = toBase64(this.crypto.publicKey(key.value));
      let known = this.ephemerals.get(text);
      if (known === undefined) {
        known = { private: key.value, where: `${name}:${key.line}`, psks: [] };
        this.ephemerals.set(text, known);
      }
      if (psk !== undefined) known.psks.push({ psk: psk.value, where: `${name}:${psk.line}` });
    }
    for (const { key } of log.psks) this.addPsk(key.value, `${name}:${key.line}`);
  }

  addTrafficKeys(name: string, keys: readonly TrafficKey[]): void {
    for (const { index, key, line } of keys) {
      const list = this.trafficKeys.get(index) ?? [];
      list.push({ key, where: `${name}:${line}` });
      this.trafficKeys.set(index, list);
    }
  }

  /** The key's best name, or its beginning and end. */
  nameOf(key: PublicKey): string {
    return this.publics.get(toBase64(key))?.sources[0] ?? shortKey(key);
  }

  find(key: PublicKey): KnownKey | undefined {
    return this.publics.get(toBase64(key));
  }

  /** Configuration whose own key this is. */
  confOf(key: KnownKey | undefined): ConfEntry | undefined {
    return key === undefined ? undefined : this.confs.find((entry) => entry.own === key);
  }

  /** Configurations of ends that would listen on this port. */
  listeningOn(port: number): ConfEntry[] {
    return this.confs.filter((entry) => entry.own !== undefined && entry.conf.interface.listenPort?.value === port);
  }

  /**
   * PSK that `end` configures for `peer`: zero when it has the peer without one, undefined when it does not know the
   * peer, or when the text keeps secrets to itself.
   */
  configuredPsk(end: ConfEntry, peer: string): KnownPsk | undefined {
    const entry = end.peers.get(peer);
    if (entry === undefined || entry.hidesPsk === true) return undefined;
    const located = entry.presharedKey;
    return located === undefined ? NO_PSK : { psk: located.value, where: `${end.name}:${located.line}` };
  }
}
