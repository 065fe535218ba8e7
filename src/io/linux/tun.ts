/** A TUN device: an interface of this machine whose packets come here, and go from here. */
import { closeSync, constants, openSync } from 'node:fs';
import type { Bytes } from '../../base/bytes.ts';
import { errorCode } from '../udp.ts';
import type { Libc, NativeMemory } from './libc.ts';
import type { Poller } from './poller.ts';

/** struct ifreq: 16 bytes of name, then the flags (linux/if.h). */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS = 16;
const IFNAMSIZ = 16;
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
/** The device must not exist yet: joining another program's would take half of its packets. */
const IFF_TUN_EXCL = 0x8000;
/** The largest IP packet. */
const ROOM_BYTES = 65_535;
/** Packets in one turn, before timers and sockets get theirs. */
const A_TURN = 64;

/** It cannot be had: `code` is EBUSY, EPERM and the like. */
export class TunError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'TunError';
    this.code = code;
  }
}

/** wg-quick takes the same: what the kernel takes, without what a shell would stumble over. */
export const isInterfaceName = (name: string): boolean =>
  /^[a-zA-Z0-9_=+.-]{1,15}$/.test(name) && name !== '.' && name !== '..';

export interface TunHandlers {
  /** Gets a view that is good until it returns. */
  onPacket(packet: Bytes): void;
  /** Called with the reading of all packets that are there, which it has to do: before and after it things can be set up. */
  aroundTurn?(read: () => void): void;
  /** The interface was deleted by somebody else. */
  onGone(): void;
}

/** Anything else that reading answers is the end of the device. */
const NOTHING_NOW = new Set(['EAGAIN', 'EINTR']);

/** The device is there as long as this one is open: it goes with its addresses and routes, however the process ends. */
export class TunDevice {
  readonly name: string;
  readonly #fd: number;
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #room: NativeMemory;
  #closed = false;

  /** Throws a TunError. */
  constructor(libc: Libc, poller: Poller, name: string, { onPacket, onGone, aroundTurn }: TunHandlers) {
    if (!isInterfaceName(name)) throw new TunError('EINVAL', `"${name}" cannot be the name of an interface`);
    this.name = name;
    this.#libc = libc;
    this.#poller = poller;
    this.#fd = openDevice();
    const request = new Uint8Array(IFREQ_BYTES);
    request.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1));
    new DataView(request.buffer).setUint16(IFREQ_FLAGS, IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL, true);
    if (libc.ioctl(this.#fd, TUNSETIFF, request) < 0) {
      const code = libc.code();
      closeSync(this.#fd);
      throw new TunError(code, refusal(name, code));
    }
    this.#room = libc.allocate(ROOM_BYTES);
    const turn = (): void => {
      for (let i = 0; i < A_TURN && !this.#closed; i++) {
        const length = libc.read(this.#fd, this.#room.address, ROOM_BYTES);
        if (length <= 0) {
          if (length < 0 && !NOTHING_NOW.has(libc.code())) this.#gone(onGone);
          return;
        }
        onPacket(this.#room.bytes.subarray(0, length));
      }
    };
    poller.add(this.#fd, aroundTurn === undefined ? turn : () => aroundTurn(turn));
  }

  /** Hands a packet to this machine as one that came in by the interface; false where it does not take it. */
  write(packet: Bytes): boolean {
    return !this.#closed && this.#libc.write(this.#fd, packet, packet.length) === packet.length;
  }

  /** Such a descriptor is for ever ready, with nothing but the error to read. */
  #gone(told: () => void): void {
    this.#poller.remove(this.#fd);
    told();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poller.remove(this.#fd);
    closeSync(this.#fd);
    this.#room.free();
  }
}

function openDevice(): number {
  try {
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const code = errorCode(error);
    const why = code === 'ENOENT' ? 'there is no /dev/net/tun' : `/dev/net/tun cannot be opened (${code})`;
    throw new TunError(code, why);
  }
}

function refusal(name: string, code: string): string {
  if (code === 'EBUSY' || code === 'EEXIST') return `there is an interface ${name} already`;
  if (code === 'EPERM') return `the interface ${name} cannot be made: that needs root (CAP_NET_ADMIN)`;
  return `the interface ${name} cannot be made (${code})`;
}
