/** The key log lines that open the handshakes of a capture, and no others: each static key once. Secrets, on request only. */
import type { KeySet, KnownEphemeral } from '../analyze/key-set.ts';
import type { InitiationSight, ResponseSight } from '../analyze/sight.ts';
import type { Exchange, Seen } from '../analyze/timeline.ts';
import { toBase64 } from '../base/base64.ts';
import { isZero } from '../base/bytes.ts';
import type { PresharedKey, PublicKey } from '../base/keys.ts';
import { formatKeyLog, type KeyLogKeys } from '../config/key-log.ts';

export class HandshakeSecrets {
  readonly #keys: KeySet;
  readonly #written = new Set<string>();
  /** Messages that the lines open; a response opens the data after it. */
  initiations = 0;
  responses = 0;
  /** A static private key is among them. */
  holdsPrivate = false;

  constructor(keys: KeySet) {
    this.#keys = keys;
  }

  /** To stand before the initiation; empty where nothing opens it, or all of it was written. */
  initiation(seen: Seen, { mac1, identity }: InitiationSight): string {
    // Wireshark reads an initiation only where its MAC1 fits a known key (packet-wireguard.c)
    if (mac1.kind !== 'known') return '';
    const initiator = identity === undefined ? undefined : this.#keys.find(identity);
    const ephemeral = this.#ephemeral(seen.bytes.subarray(8, 40));
    const responder = mac1.key;
    const others = identity === undefined ? [] : [identity];
    if (ephemeral === undefined && responder.private === undefined) return '';
    this.initiations++;
    if (ephemeral !== undefined && (initiator?.private !== undefined || responder.private === undefined)) {
      const statics = initiator?.private === undefined ? [] : [initiator.private];
      const psks = ephemeral.psks.map(({ psk }) => psk);
      const ephemerals = this.#bound(ephemeral, psks);
      return this.#lines({ remotes: [responder.key, ...(statics.length > 0 ? [] : others)], statics, ephemerals });
    }
    return this.#lines({ remotes: others, statics: responder.private === undefined ? [] : [responder.private] });
  }

  /** To stand before the response: what its initiation did not need. */
  response(seen: Seen, exchange: Exchange, { opensWith }: ResponseSight): string {
    const { initiation, sight } = exchange;
    if (opensWith === undefined || initiation === undefined || sight?.mac1.kind !== 'known') return '';
    this.responses++;
    const initiator = sight.identity === undefined ? undefined : this.#keys.find(sight.identity);
    const asked = this.#ephemeral(initiation.bytes.subarray(8, 40));
    const psks = [opensWith.psk];
    if (asked !== undefined && initiator?.private !== undefined) {
      return this.#lines({ ephemerals: opensWith.bound ? [] : this.#bound(asked, psks) });
    }
    const answered = this.#ephemeral(seen.bytes.subarray(12, 44));
    const responder = sight.mac1.key.private;
    return this.#lines({
      ...(responder === undefined ? {} : { statics: [responder] }),
      ephemerals: answered === undefined ? [] : this.#bound(answered, psks),
    });
  }

  #ephemeral(publicHalf: Uint8Array): KnownEphemeral | undefined {
    return this.#keys.ephemerals.get(toBase64(publicHalf));
  }

  /** One line for each PSK: it belongs to the ephemeral before it. */
  #bound(ephemeral: KnownEphemeral, psks: readonly PresharedKey[]): NonNullable<KeyLogKeys['ephemerals']> {
    const key = ephemeral.private;
    const real = psks.filter((psk) => !isZero(psk));
    return real.length === 0 ? [{ key }] : real.map((psk) => ({ key, psk }));
  }

  #lines({ remotes = [], statics = [], ephemerals = [] }: KeyLogKeys): string {
    if (statics.length > 0) this.holdsPrivate = true;
    const fresh = <K extends PublicKey | NonNullable<KeyLogKeys['statics']>[number]>(list: readonly K[]): K[] =>
      list.filter((key) => {
        const text = toBase64(key);
        if (this.#written.has(text)) return false;
        this.#written.add(text);
        return true;
      });
    return formatKeyLog({ remotes: fresh(remotes), statics: fresh(statics), ephemerals });
  }
}
