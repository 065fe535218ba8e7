/** An initial RAM disk as the kernel unpacks it: cpio in its "newc" form (Documentation/driver-api/early-userspace/buffer-format.rst). */
import { type Bytes, concatAll, utf8 } from '../../../src/base/bytes.ts';

export interface Entry {
  /** Without a slash in front. */
  readonly name: string;
  /** Undefined for a folder. */
  readonly content?: Bytes;
  readonly executable?: boolean;
}

const FOLDER = 0o040755;
const FILE = 0o100644;
const PROGRAM = 0o100755;

const padding = (length: number): Bytes => new Uint8Array(-length & 3);

function header(at: number, mode: number, size: number, nameSize: number): Bytes {
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const numbers = [at, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, nameSize, 0];
  return utf8(`070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`);
}

function record(at: number, name: string, mode: number, content: Bytes): Bytes[] {
  const text = utf8(`${name}\0`);
  const head = header(at, mode, content.length, text.length);
  return [head, text, padding(head.length + text.length), content, padding(content.length)];
}

/** Folders stand before what is in them, as the caller lists them. */
export function archive(entries: readonly Entry[]): Bytes {
  const parts = entries.flatMap(({ name, content, executable = false }, at) => {
    const mode = content === undefined ? FOLDER : executable ? PROGRAM : FILE;
    return record(at + 1, name, mode, content ?? new Uint8Array(0));
  });
  return concatAll([...parts, ...record(0, 'TRAILER!!!', 0, new Uint8Array(0))]);
}
