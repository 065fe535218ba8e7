/** The C library by way of koffi, an optional package: what Node has no words for (ioctl, socket options, error queues). */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { Bytes } from '../../base/bytes.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { headersFit } from './message-header.ts';

/** Memory that the garbage collector neither moves nor frees, so that structures may point into it. */
export interface NativeMemory {
  readonly bytes: Bytes;
  readonly address: bigint;
  free(): void;
}

/** File descriptors are numbers; −1 says failure, and {@link Libc.code} then which. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Bytes, length: number): number;
  connect(fd: number, address: Bytes, length: number): number;
  /** `length`: one 32-bit number, in and out. */
  getsockname(fd: number, address: Bytes, length: Uint32Array): number;
  setsockopt(fd: number, level: number, option: number, value: Bytes, length: number): number;
  ioctl(fd: number, request: number, argument: Bytes): number;
  read(fd: number, into: bigint, length: number): number;
  write(fd: number, from: Bytes, length: number): number;
  recvmsg(fd: number, header: bigint, flags: number): number;
  sendmsg(fd: number, header: bigint, flags: number): number;
  eventfd(initial: number, flags: number): number;
  close(fd: number): number;
  /** Waits in this thread; only for waits that are next to nothing. */
  poll(fds: bigint, count: number, timeoutMs: number): number;
  /** Waits in a thread of its own. The memory must stay until `done` was called. */
  pollLater(fds: bigint, count: number, timeoutMs: number, done: () => void): void;
  allocate(length: number): NativeMemory;
  /** Name of what went wrong last, such as ENOENT. */
  code(): string;
}

/** Why there is none: `missing` when koffi is not installed. */
export interface LibcFault {
  readonly kind: 'missing' | 'unusable' | 'not-linux';
  readonly message: string;
  readonly hint: string;
}

let loaded: Promise<Result<Libc, LibcFault>> | undefined;

export function loadLibc(): Promise<Result<Libc, LibcFault>> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Result<Libc, LibcFault>> {
  if (process.platform !== 'linux') {
    return fail({ kind: 'not-linux', message: 'this needs Linux', hint: `the system here is ${process.platform}` });
  }
  if (!headersFit()) {
    return fail({
      kind: 'not-linux',
      message: 'this needs a 64-bit Linux',
      hint: `the structures of ${process.arch} are laid out otherwise`,
    });
  }
  try {
    return ok(bindings((await import('koffi')).default));
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    return missing
      ? fail({
          kind: 'missing',
          message: 'this needs the package koffi, which is not installed',
          hint: 'npm install koffi@3 beside wgwhy (it is optional: only tunnels with an interface need it)',
        })
      : fail({ kind: 'unusable', message: `the package koffi cannot be used here: ${why}`, hint: 'npm rebuild koffi' });
  }
}

type Koffi = typeof import('koffi').default;

/** Where the standard C library is: what Node itself is linked to. */
function bindings(koffi: Koffi): Libc {
  const lib = koffi.load(null);
  const poll = lib.func('int poll(void *fds, unsigned long count, int timeout)');
  return {
    socket: lib.func('int socket(int domain, int type, int protocol)'),
    bind: lib.func('int bind(int fd, void *address, uint32_t length)'),
    connect: lib.func('int connect(int fd, void *address, uint32_t length)'),
    getsockname: lib.func('int getsockname(int fd, void *address, void *length)'),
    setsockopt: lib.func('int setsockopt(int fd, int level, int option, void *value, uint32_t length)'),
    ioctl: lib.func('int ioctl(int fd, unsigned long request, void *argument)'),
    read: lib.func('long read(int fd, void *into, unsigned long length)'),
    write: lib.func('long write(int fd, void *from, unsigned long length)'),
    recvmsg: lib.func('long recvmsg(int fd, void *header, int flags)'),
    sendmsg: lib.func('long sendmsg(int fd, void *header, int flags)'),
    eventfd: lib.func('int eventfd(unsigned int initial, int flags)'),
    close: lib.func('int close(int fd)'),
    poll,
    pollLater: (fds, count, timeoutMs, done) => poll.async(fds, count, timeoutMs, done),
    allocate(length) {
      const pointer: unknown = koffi.alloc('uint8_t', length);
      return {
        bytes: new Uint8Array(koffi.view(pointer, length)),
        address: BigInt(koffi.address(pointer)),
        free: () => koffi.free(pointer),
      };
    },
    code: () => {
      const errno = koffi.errno();
      return errno === 0 ? 'EIO' : getSystemErrorName(-errno);
    },
  };
}

/** Numbers of errors, for what the kernel reports in structures. */
const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

export const errnoName = (number: number): string => NAMES.get(number) ?? `errno ${number}`;
