/** Whose AllowedIPs the data of a session must pass, as far as the configurations at hand say so. */
import { toBase64 } from '../base/base64.ts';
import { AllowedIps } from '../wg/allowed-ips.ts';
import type { Receiver } from './inner/pair.ts';
import type { ConfEntry, KeySet, KnownKey } from './key-set.ts';
import type { Exchange } from './timeline.ts';
import { allowedMark } from './timeline-marks.ts';

/** The keys of both ends, as far as the handshake shows them. */
export interface ExchangeKeys {
  readonly initiator: KnownKey | undefined;
  readonly responder: KnownKey | undefined;
}

export function keysOf({ sight, responses }: Exchange, keys: KeySet): ExchangeKeys {
  const addressed = responses.find((response) => response.sight.mac1.kind === 'known')?.sight.mac1;
  const named = sight?.identity === undefined ? undefined : keys.find(sight.identity);
  return {
    initiator: named ?? (addressed?.kind === 'known' ? addressed.key : undefined),
    responder: sight?.mac1.kind === 'known' ? sight.mac1.key : undefined,
  };
}

/** One table for a configuration, made when it is first asked for; the same object for the same two ends. */
export class Receivers {
  readonly #keys: KeySet;
  readonly #known = new Map<ConfEntry, Map<string, Receiver>>();

  constructor(keys: KeySet) {
    this.#keys = keys;
  }

  /** Undefined where the exchange does not show both keys, or the receiving one has no configuration here. */
  of(exchange: Exchange | undefined, toResponder: boolean): Receiver | undefined {
    if (exchange === undefined) return undefined;
    const { initiator, responder } = keysOf(exchange, this.#keys);
    const [owner, peer] = toResponder ? [responder, initiator] : [initiator, responder];
    const entry = this.#keys.confOf(owner);
    return entry === undefined || peer === undefined ? undefined : this.#receiver(entry, peer.text);
  }

  /** By what does not change with the name of a file: both public keys, and the mark of what the one allows the other. */
  marked(own: string, peer: string, mark: string): Receiver | undefined {
    const entry = this.#keys.confs.find(
      (one) => one.own?.text === own && one.peers.has(peer) && allowedMark(this.#keys, one, peer) === mark,
    );
    return entry === undefined ? undefined : this.#receiver(entry, peer);
  }

  #receiver(entry: ConfEntry, peer: string): Receiver | undefined {
    // a file that does not have the peer is not what ran
    if (!entry.peers.has(peer)) return undefined;
    const known = this.#known.get(entry) ?? new Map<string, Receiver>();
    this.#known.set(entry, known);
    let receiver = known.get(peer);
    if (receiver === undefined) {
      const [other] = known.values();
      receiver = { entry, peer, allowed: other?.allowed ?? allowedIpsOf(entry) };
      known.set(peer, receiver);
    }
    return receiver;
  }
}

/** As wg takes them: in the order of the file, the last to list a prefix has it. */
export function allowedIpsOf({ conf }: ConfEntry): AllowedIps<string> {
  const table = new AllowedIps<string>();
  for (const { publicKey, allowedIps } of conf.peers) {
    if (publicKey === undefined) continue;
    const peer = toBase64(publicKey.value);
    for (const { value } of allowedIps) table.insert(value, peer);
  }
  return table;
}
