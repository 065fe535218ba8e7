/** Sources that may never end by themselves: a pipe, a named pipe, a file. They are closed by a signal. */
import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Source } from '../report/diagnose.ts';
import { type ByteStream, inWords, streamSource } from './files.ts';

/** A file or a named pipe. Reading it rejects with a FileError, and ends when the signal comes. */
export function liveSource(path: string, signal: AbortSignal): Source {
  return liveStream(path, () => (isPipe(path) ? openPipe(path) : createReadStream(path)), signal);
}

/** A stream that is already open, such as standard input: destroyed by the signal, where it can be. */
export function liveStream(name: string, open: () => ByteStream, signal: AbortSignal): Source {
  return streamSource(name, () => {
    const stream = open();
    const destroy = (): void => {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
    };
    if (signal.aborted) destroy();
    else signal.addEventListener('abort', destroy, { once: true });
    return stream;
  });
}

/** Whether it has to be waited for. */
export function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

/**
 * As a socket, which the event loop waits for: a read of a file stream would keep one of Node's few threads until
 * something comes, and the process alive with it. Who writes into the pipe may come later.
 */
function openPipe(path: string): Socket {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    throw inWords(path, error);
  }
}
