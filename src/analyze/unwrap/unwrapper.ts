/** Asks the forms of WireGuard in turn whether a datagram is theirs: those first that show it most clearly. */
import type { Bytes } from '../../base/bytes.ts';
import type { Time } from '../../base/time.ts';
import type { Crypto } from '../../crypto/port.ts';
import type { Datagram } from '../../packet/datagram.ts';
import { verifyMac1 } from '../../wg/mac.ts';
import { shapeOf, WIRE_SIZE } from '../classify.ts';
import type { KeySet, KnownKey } from '../key-set.ts';
import { WorkBudget } from '../work-budget.ts';
import { Amnezia } from './amnezia.ts';
import { Geneve } from './geneve.ts';
import { Lwo } from './lwo.ts';
import { timeOf, type Unwrapped } from './unwrapped.ts';
import { Warp } from './warp.ts';

export class Unwrapper {
  readonly #crypto: Crypto;
  readonly #keys: KeySet;
  /** Its own: what is no WireGuard at all must not use up what the messages of WireGuard need. */
  readonly #budget = new WorkBudget();
  readonly #geneve = new Geneve();
  readonly #lwo = new Lwo();
  readonly #amnezia: Amnezia;
  readonly #warp = new Warp();

  constructor(crypto: Crypto, keys: KeySet) {
    this.#crypto = crypto;
    this.#keys = keys;
    this.#amnezia = new Amnezia(keys);
  }

  /** For a datagram that is no plain message. */
  unwrap(datagram: Datagram): Unwrapped | undefined {
    const time = timeOf(datagram);
    const known = this.#keys.publics.values();
    return (
      this.#geneve.unwrap(datagram) ??
      this.#lwo.unwrap(datagram, known, (message, key) => this.#fits(message, key, time)) ??
      this.#amneziaOrWarp(datagram, time)
    );
  }

  /** Where AmneziaWG pads nothing, sizes are those of WARP: MAC1 tells, or else what speaks more often. */
  #amneziaOrWarp(datagram: Datagram, time: Time): Unwrapped | undefined {
    const amnezia = this.#amnezia.unwrap(datagram, (message) => this.#owner(message, time)?.sources[0]);
    if (amnezia !== undefined) return amnezia;
    const shape = shapeOf(datagram.bytes, datagram.length);
    if (shape === undefined) return undefined;
    return this.#warp.unwrap(datagram, shape, (message) => this.#owner(message, time) !== undefined);
  }

  #owner(message: Bytes, time: Time): KnownKey | undefined {
    if (message.length !== WIRE_SIZE.initiation && message.length !== WIRE_SIZE.response) return undefined;
    for (const key of this.#keys.publics.values()) if (this.#fits(message, key, time)) return key;
    return undefined;
  }

  #fits(message: Bytes, key: KnownKey, time: Time): boolean {
    return this.#budget.mac(time) && verifyMac1(this.#crypto, key.mac1Key, message);
  }
}
