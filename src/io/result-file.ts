/** A file that a command makes: nothing that is there is lost unasked, and nobody but its owner may read it. */
import { accessSync, closeSync, constants, type Stats, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Bytes, concatAll } from '../base/bytes.ts';
import { FileError } from './files.ts';
import { openOwn, unwritable } from './up/own-file.ts';

/** Written at once beyond this. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Before any work is done: throws a FileError for a file that is there, unless it may be replaced, and for one that is
 * also read. Pipes and devices are there and may be written to.
 */
export function checkWritable(path: string, force: boolean, inputs: readonly string[]): void {
  const stats = statOf(path);
  if (stats === undefined) {
    checkFolder(path);
    return;
  }
  if (stats.isDirectory()) throw new FileError(path, 'it cannot be written: it is a folder');
  if (!stats.isFile()) return;
  if (inputs.some((input) => sameFile(stats, input))) {
    throw new FileError(path, 'it is one of the files that are read', 'give the output another name');
  }
  if (!force) throw new FileError(path, 'it is there already', '--force replaces it');
}

/** Told now, and not when the work of minutes is to be written. */
function checkFolder(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // it is not there, or cannot be looked at: opening it tells which
    return undefined;
  }
}

function sameFile({ dev, ino }: Stats, input: string): boolean {
  const other = statOf(input);
  return other !== undefined && other.dev === dev && other.ino === ino;
}

export class ResultFile {
  readonly path: string;
  readonly #force: boolean;
  #fd: number | undefined;
  #waiting: Bytes[] = [];
  #waitingBytes = 0;

  /** Nothing is opened until there is something to write. */
  constructor(path: string, force: boolean) {
    this.path = path;
    this.#force = force;
  }

  /** Keeps the bytes until they are written. Throws a FileError. */
  write(bytes: Bytes): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= BUFFER_BYTES) this.flush();
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const bytes = concatAll(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#fd ??= this.#open();
    try {
      // a pipe may take a part only
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  close(): void {
    this.flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    const stats = statOf(this.path);
    const replace = this.#force || (stats !== undefined && !stats.isFile());
    return openOwn(this.path, replace ? 'w' : 'wx');
  }
}
