/** Waits for file descriptors that Node cannot wait for: a TUN device, sockets with options. One thread for all of them. */
import type { Libc, NativeMemory } from './libc.ts';

const POLLIN = 1;
/** struct pollfd: int fd, short events, short revents. */
const POLLFD_BYTES = 8;
const MOST_WATCHED = 16;
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

interface Watched {
  readonly fd: number;
  /** Takes what is there, within bounds, so that others get their turn; whatever is left is asked for again. */
  readonly ready: () => void;
}

/**
 * While there is something to read it asks again in each turn of the event loop; when there is nothing it waits in
 * another thread, which an eventfd wakes up. (A pending read of a TUN device would keep the process from ending.)
 */
export class Poller {
  readonly #libc: Libc;
  readonly #wake: number;
  readonly #memory: NativeMemory;
  readonly #view: DataView;
  #scratch: NativeMemory;
  #watched: readonly Watched[] = [];
  /** Entries of the table that the other thread reads. */
  #table: readonly Watched[] = [];
  #waiting = false;
  #scheduled = false;
  #closed = false;

  /** Throws where the system has no eventfd left. */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#wake = libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.#wake < 0) throw new Error(`no event descriptor can be had (${libc.code()})`);
    this.#memory = libc.allocate((MOST_WATCHED + 1) * POLLFD_BYTES);
    this.#scratch = libc.allocate(8);
    const { bytes } = this.#memory;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** `ready` is called whenever `fd` has something to read, or an error to tell. */
  add(fd: number, ready: () => void): void {
    if (this.#watched.length >= MOST_WATCHED) throw new RangeError(`no more than ${MOST_WATCHED} descriptors`);
    this.#watched = [...this.#watched, { fd, ready }];
    this.#again();
  }

  /** After that `ready` is not called any more; closing `fd` stays with the caller. */
  remove(fd: number): void {
    this.#watched = this.#watched.filter((watched) => watched.fd !== fd);
    this.#again();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watched = [];
    if (this.#waiting) this.#nudge();
    else this.#free();
  }

  /** What is watched has changed: the other thread must know. */
  #again(): void {
    if (this.#waiting) this.#nudge();
    else this.#schedule();
  }

  #nudge(): void {
    const one = new Uint8Array(8);
    one[0] = 1;
    this.#libc.write(this.#wake, one, one.length);
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#turn();
    });
  }

  #turn(): void {
    this.#fill();
    if (this.#libc.poll(this.#memory.address, this.#table.length + 1, 0) > 0) {
      this.#serve();
      this.#schedule();
    } else this.#wait();
  }

  #fill(): void {
    this.#table = this.#watched;
    [this.#wake, ...this.#table.map(({ fd }) => fd)].forEach((fd, i) => {
      this.#view.setInt32(i * POLLFD_BYTES, fd, true);
      this.#view.setUint32(i * POLLFD_BYTES + 4, POLLIN, true);
    });
  }

  #wait(): void {
    if (this.#table.length === 0) return;
    this.#waiting = true;
    this.#libc.pollLater(this.#memory.address, this.#table.length + 1, -1, () => {
      this.#waiting = false;
      if (this.#closed) this.#free();
      else {
        this.#serve();
        this.#schedule();
      }
    });
  }

  #serve(): void {
    const came = (i: number): boolean => this.#view.getUint16(i * POLLFD_BYTES + 6, true) !== 0;
    if (came(0)) this.#libc.read(this.#wake, this.#scratch.address, 8);
    const ready = this.#table.filter((_, i) => came(i + 1));
    for (const watched of ready) if (this.#watched.includes(watched)) watched.ready();
  }

  #free(): void {
    this.#libc.close(this.#wake);
    this.#memory.free();
    this.#scratch.free();
  }
}
