/** Files for what nobody but their owner may read: the keys of handshakes, and captures, which show who talks to whom. */
import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs';
import type { Bytes } from '../../base/bytes.ts';
import { FileError } from '../files.ts';
import { errorCode } from '../udp.ts';

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it is there already',
  ENOENT: 'its folder is not there',
  EISDIR: 'it is a folder',
  EACCES: 'that is not permitted',
  EROFS: 'nothing can be written there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EPIPE: 'nobody reads it any more',
};
const inWords = (code: string): string => REASONS[code] ?? code;

/** `wx` takes no file that is there. Throws a FileError. */
export function openOwn(path: string, flags: 'a' | 'w' | 'wx'): number {
  try {
    const fd = openSync(path, flags, 0o600);
    // One that was there may be open to others. Pipes and /dev/null are for everybody.
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600);
    return fd;
  } catch (error) {
    throw unwritable(path, error);
  }
}

export function unwritable(path: string, error: unknown): FileError {
  return new FileError(path, `it cannot be written: ${inWords(errorCode(error))}`);
}

export class OwnFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #onLost: (why: string) => void;
  #lost = false;

  /** `w` begins anew, `a` adds to what is there. `onLost` is told once, when it takes no more. Throws a FileError. */
  constructor(path: string, flags: 'a' | 'w', onLost: (why: string) => void) {
    this.#path = path;
    this.#onLost = onLost;
    this.#fd = openOwn(path, flags);
  }

  /** At once, so that nothing is lost if the process is killed. Nothing follows half a record: that would spoil the rest. */
  write(record: Bytes): void {
    if (this.#lost) return;
    let code = 'ENOSPC';
    try {
      if (writeSync(this.#fd, record) === record.length) return;
    } catch (error) {
      code = errorCode(error);
    }
    this.#lost = true;
    this.#onLost(`${this.#path} takes no more (${inWords(code)}): it ends here`);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
