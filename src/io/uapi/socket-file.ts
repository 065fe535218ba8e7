/** The file of a control socket: where `wg` looks for it, and that it is ours alone. */
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { join } from 'node:path';
import { errorCode } from '../udp.ts';

/** Compiled into `wg` on Linux. */
export const CONTROL_FOLDER = '/var/run/wireguard';

/** `sun_path` of macOS and the BSDs, without its end; Linux has four more. */
const MOST_PATH_BYTES = 103;

/** The control socket cannot be had. */
export class UapiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'UapiError';
    this.code = code;
  }
}

/** As wg-quick and the kernel take them. Throws an UapiError. */
export function socketPath(folder: string, name: string): string {
  if (!/^[a-zA-Z0-9_=+.-]{1,15}$/.test(name)) {
    const form = 'one to fifteen letters, digits and any of _=+.-';
    throw new UapiError('EINVAL', `the tunnel needs another name for its control socket: ${form}`);
  }
  const path = join(folder, `${name}.sock`);
  // Node would cut it off without a word.
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) {
    throw new UapiError('ENAMETOOLONG', `the path of the control socket is longer than ${MOST_PATH_BYTES} bytes`);
  }
  return path;
}

/** Rejects with an UapiError where somebody answers there, or something else stands in the way. */
export async function listenAt(server: Server, folder: string, path: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await clearAway(path);
    await listen(server, path);
  } catch (error) {
    if (error instanceof UapiError) throw error;
    const code = errorCode(error);
    throw new UapiError(code, `the control socket ${path} cannot be made (${code})`);
  }
}

/** The socket of a process that is gone stays behind, and nobody can listen where it is. */
async function clearAway(path: string): Promise<void> {
  try {
    const stats = await lstat(path);
    if (!stats.isSocket()) throw new UapiError('EEXIST', `${path} is in the way: it is not a socket`);
    const code = await knock(path);
    if (code === undefined) throw new UapiError('EADDRINUSE', `another process already answers at ${path}`);
    if (code !== 'ECONNREFUSED') throw new UapiError(code, `nobody can tell whether ${path} is in use (${code})`);
    await unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Undefined where somebody answers, else the code of what happened. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(errorCode(error)));
  });
}

/** The file is made while `listen` runs, so nobody else can connect even for a moment. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(0o177);
    try {
      server.listen({ path, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}
