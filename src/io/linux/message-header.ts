/** One struct msghdr with room for all that it points to: made once for each direction of a socket, filled for each message. */
import type { Bytes } from '../../base/bytes.ts';
import type { Libc, NativeMemory } from './libc.ts';
import { ADDRESS_BYTES } from './socket-address.ts';

/** Offsets of 64-bit Linux: name, its length, iov, iovlen, control, its length, flags. */
const NAME = 0;
const NAME_LENGTH = 8;
const VECTOR = 16;
const VECTOR_COUNT = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const FLAGS = 48;
const HEADER_BYTES = 56;
const VECTOR_AT = HEADER_BYTES;
const NAME_AT = VECTOR_AT + 16;
const CONTROL_AT = NAME_AT + 32;
const CONTROL_ROOM = 512;
const PAYLOAD_AT = CONTROL_AT + CONTROL_ROOM;
/** The largest UDP payload, and a little. */
const PAYLOAD_ROOM = 65_536;

/** Pointers have eight bytes only there; elsewhere koffi has no use for us. */
export const headersFit = (): boolean => /^(x64|arm64|riscv64|loong64|ppc64|mips64el)$/.test(process.arch);

export class MessageHeader {
  readonly address: bigint;
  readonly #memory: NativeMemory;
  readonly #view: DataView;
  readonly name: Bytes;
  readonly control: Bytes;
  readonly payload: Bytes;

  constructor(libc: Pick<Libc, 'allocate'>) {
    this.#memory = libc.allocate(PAYLOAD_AT + PAYLOAD_ROOM);
    const { bytes, address } = this.#memory;
    this.address = address;
    bytes.fill(0, 0, PAYLOAD_AT);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, PAYLOAD_AT);
    this.name = bytes.subarray(NAME_AT, NAME_AT + ADDRESS_BYTES);
    this.control = bytes.subarray(CONTROL_AT, CONTROL_AT + CONTROL_ROOM);
    this.payload = bytes.subarray(PAYLOAD_AT);
    this.#view.setBigUint64(VECTOR, address + BigInt(VECTOR_AT), true);
    this.#view.setUint32(VECTOR_COUNT, 1, true);
    this.#view.setBigUint64(VECTOR_AT, address + BigInt(PAYLOAD_AT), true);
  }

  /** Before `sendmsg`: how much of each part is filled. */
  filled(name: number, control: number, payload: number): void {
    this.#view.setBigUint64(NAME, name === 0 ? 0n : this.address + BigInt(NAME_AT), true);
    this.#view.setUint32(NAME_LENGTH, name, true);
    this.#view.setBigUint64(CONTROL, control === 0 ? 0n : this.address + BigInt(CONTROL_AT), true);
    this.#view.setUint32(CONTROL_LENGTH, control, true);
    this.#view.setUint32(VECTOR_AT + 8, payload, true);
  }

  /** Before `recvmsg`: all the room there is. */
  empty(): void {
    this.filled(this.name.length, CONTROL_ROOM, PAYLOAD_ROOM);
    this.#view.setInt32(FLAGS, 0, true);
  }

  /** After `recvmsg`. */
  get controlLength(): number {
    return this.#view.getUint32(CONTROL_LENGTH, true);
  }

  free(): void {
    this.#memory.free();
  }
}
