/** Files for what nobody but their owner may read: the keys of handshakes, and captures, which show who talks to whom. */
import { fchmodSync, fstatSync, openSync } from 'node:fs';
import { FileError } from '../files.ts';
import { errorCode } from '../udp.ts';

/** Its descriptor; `w` begins anew, `a` adds to what is there. Throws a FileError. */
export function openOwnFile(path: string, flags: 'a' | 'w'): number {
  try {
    const fd = openSync(path, flags, 0o600);
    // One that was there may be open to others. Pipes and /dev/null are for everybody.
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600);
    return fd;
  } catch (error) {
    throw new FileError(path, `it cannot be written (${errorCode(error)})`);
  }
}
