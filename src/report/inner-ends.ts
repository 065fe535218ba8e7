/** Who speaks with whom inside a data message: addresses, protocol and ports, never what is said. */

import { InnerReader } from '../analyze/inner/read.ts';
import { formatIp } from '../base/address.ts';
import { type Bytes, copy, u32be, utf8 } from '../base/bytes.ts';
import type { InnerEnds } from './event.ts';

/** Conversations remembered; what falls onto the same place is made anew. */
const PLACES = 1024;
/** Two addresses of four words each, then ports, then protocol and kind of address. */
const WORDS = 10;

/** How the line of a message ends that is accepted. */
export const ACCEPTED_END = ',"verdict":"accepted"}\n';

interface Known {
  readonly ends: InnerEnds;
  /** `,"inner":{…}` */
  readonly json: Bytes;
  /** The same, and the end of the line of a packet that was accepted. */
  readonly jsonAccepted: Bytes;
}

/** Packets of one conversation come one after the other: what they have in common is put into words once. */
export class InnerEndsReader {
  readonly #reader = new InnerReader();
  readonly #asked = new Int32Array(WORDS);
  readonly #keys = new Int32Array(PLACES * WORDS);
  readonly #known = new Array<Known | undefined>(PLACES).fill(undefined);

  /** `plaintext` may have padding behind the packet; undefined where it is no IP packet. */
  read(plaintext: Bytes): Known | undefined {
    if (plaintext.length === 0 || !this.#reader.read(plaintext)) return undefined;
    const place = this.#fill();
    const known = this.#known[place];
    if (known !== undefined && this.#fits(place)) return known;
    const ends = this.#ends();
    const json = `,"inner":${JSON.stringify(ends)}`;
    const made = { ends, json: utf8(json), jsonAccepted: utf8(json + ACCEPTED_END) };
    this.#keys.set(this.#asked, place * WORDS);
    this.#known[place] = made;
    return made;
  }

  /** What the packet is asked for by, and its place among those that are known. */
  #fill(): number {
    const { packet, sourcePort, destinationPort } = this.#reader;
    const { header, sourceAt, addressBytes, protocol } = packet;
    const asked = this.#asked;
    const words = addressBytes / 2;
    let hash = 0;
    for (let i = 0; i < 8; i++) {
      const word = i < words ? u32be(header, sourceAt + 4 * i) | 0 : 0;
      asked[i] = word;
      hash = Math.imul(hash ^ word, 0x9e37_79b1);
    }
    const ports = this.#hasPorts ? (sourcePort << 16) | destinationPort : 0;
    asked[8] = ports;
    asked[9] = (protocol << 8) | (this.#hasPorts ? 1 : 0) | addressBytes;
    hash = Math.imul(hash ^ ports, 0x85eb_ca6b) ^ protocol;
    return ((hash ^ (hash >>> 15)) >>> 0) % PLACES;
  }

  get #hasPorts(): boolean {
    return this.#reader.kind === 'udp' || this.#reader.kind === 'tcp';
  }

  #fits(place: number): boolean {
    for (let i = 0; i < WORDS; i++) if (this.#keys[place * WORDS + i] !== this.#asked[i]) return false;
    return true;
  }

  #ends(): InnerEnds {
    const { packet, sourcePort, destinationPort } = this.#reader;
    const { header, sourceAt, addressBytes, protocol } = packet;
    const middle = sourceAt + addressBytes;
    return {
      from: formatIp(copy(header, sourceAt, middle)),
      to: formatIp(copy(header, middle, middle + addressBytes)),
      protocol,
      ...(this.#hasPorts ? { fromPort: sourcePort, toPort: destinationPort } : {}),
    };
  }
}
