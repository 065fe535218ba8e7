/** Endpoints met again are handed out again, so that their text is built once and not per packet. */
import { type Endpoint, endpoint, type IpBytes } from '../base/address.ts';
import { type Bytes, copy, u32be } from '../base/bytes.ts';

/** One candidate per slot: a clash costs building the text again, and no input makes it grow. */
const SLOTS = 4096;

export class Endpoints {
  readonly #slots: (Endpoint | undefined)[] = Array<Endpoint | undefined>(SLOTS).fill(undefined);

  /** The endpoint whose address are the `size` octets (4 or 16) at `at`; the address is copied, never a view. */
  at(bytes: Bytes, at: number, size: number, port: number): Endpoint {
    let hash = port ^ size;
    for (let i = 0; i < size; i += 4) hash = Math.imul(hash ^ u32be(bytes, at + i), 0x9e3779b1);
    const slot = (hash >>> 16) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && known.port === port && sameAddress(known.ip, bytes, at, size)) return known;
    const made = endpoint(copy(bytes, at, at + size), port);
    this.#slots[slot] = made;
    return made;
  }

  address(bytes: Bytes, at: number, size: number): IpBytes {
    return this.at(bytes, at, size, 0).ip;
  }
}

function sameAddress(ip: IpBytes, bytes: Bytes, at: number, size: number): boolean {
  if (ip.length !== size) return false;
  for (let i = 0; i < size; i++) if (ip[i] !== bytes[at + i]) return false;
  return true;
}
