/** Files and standard input as sources, read in pieces: a capture may be larger than memory. */
import { createReadStream } from 'node:fs';
import { access, constants, open, stat } from 'node:fs/promises';
import type { Source } from '../report/diagnose.ts';

/** Large enough that asynchrony costs nothing, small enough that many may be open. */
const CHUNK_BYTES = 512 * 1024;
/** Being read, read, and the two that frames may still stand in. */
const CHUNKS_IN_ROOM = 4;

/** A file that cannot be read, in words for the person who named it. */
export class FileError extends Error {
  readonly path: string;
  readonly hint: string | undefined;

  constructor(path: string, message: string, hint?: string) {
    super(message);
    this.name = 'FileError';
    this.path = path;
    this.hint = hint;
  }
}

const REASONS: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  ENOENT: ['there is no such file', 'check the spelling; paths are relative to the current directory'],
  ENOTDIR: ['there is no such file', 'a part of this path is a file, not a directory'],
  EISDIR: ['this is a directory', 'name the files in it'],
  EACCES: [
    'reading it is not permitted',
    'captures and configurations often belong to root: copy it, or run as a user who may read it',
  ],
  EPERM: ['reading it is not permitted'],
  ELOOP: ['its symbolic links lead in a circle'],
  ENAMETOOLONG: ['its name is too long'],
  EMFILE: ['too many files are open', 'name fewer files at once'],
};

/** Puts an error of Node's file functions into words; anything else is handed back as it is. */
export function inWords(path: string, error: unknown): unknown {
  if (error instanceof FileError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) return error;
  const [message, hint] = REASONS[code] ?? [`it cannot be read (${code})`];
  return new FileError(path, message, hint);
}

/**
 * Looks whether a file can be read, without opening it: a named pipe can be opened once only.
 * Gives its size in bytes, undefined where it has none (a pipe). Rejects with a FileError.
 */
export async function checkReadable(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new FileError(path, ...(REASONS['EISDIR'] ?? ['this is a directory']));
    await access(path, constants.R_OK);
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    throw inWords(path, error);
  }
}

/** The source is named as the path; reading it rejects with a FileError. */
export function fileSource(path: string): Source {
  return { name: path, open: () => chunks(path, createReadStream(path, { highWaterMark: CHUNK_BYTES })) };
}

/**
 * The same; what is read stands in `room`, a fourth of it for each chunk in turn: a chunk is good until two more have
 * come. One file at a time has a room, from its second chunk on; what is read of others meanwhile stands elsewhere.
 */
export function fileSourceIn(path: string, room: Uint8Array): Source {
  return { name: path, open: () => chunksIn(path, room) };
}

/** Rooms that a file has. */
const taken = new WeakSet<ArrayBufferLike>();

/** Reads one chunk ahead of the one that is worked on. */
async function* chunksIn(path: string, room: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = Math.floor(room.length / CHUNKS_IN_ROOM);
  const file = await open(path).catch((error: unknown) => Promise.reject(inWords(path, error)));
  let hasRoom = false;
  const read = (turn: number): Promise<{ readonly chunk: Uint8Array } | { readonly error: unknown }> => {
    const at = (turn % CHUNKS_IN_ROOM) * size;
    const chunk = hasRoom ? room.subarray(at, at + size) : new Uint8Array(size);
    return file.read(chunk).then(
      ({ bytesRead }) => ({ chunk: chunk.subarray(0, bytesRead) }),
      (error: unknown) => ({ error }),
    );
  };
  let coming = read(0);
  try {
    for (let turn = 1; ; turn++) {
      const came = await coming;
      if ('error' in came) throw inWords(path, came.error);
      if (came.chunk.length === 0) return;
      if (turn > 1) coming = read(turn);
      yield came.chunk;
      if (turn > 1) continue;
      // many files are looked at before the first of them is read: only now is it one's turn
      hasRoom = !taken.has(room.buffer);
      if (hasRoom) taken.add(room.buffer);
      coming = read(turn);
    }
  } finally {
    await coming;
    if (hasRoom) taken.delete(room.buffer);
    await file.close();
  }
}

/** What Node's streams are to a reader. */
export type ByteStream = AsyncIterable<Uint8Array | string>;

/** A stream that is already open, such as standard input. */
export function streamSource(name: string, stream: () => ByteStream): Source {
  return { name, open: () => chunks(name, stream()) };
}

/** Plain Uint8Array: a Buffer's `slice` would share memory where the readers expect a copy. */
async function* chunks(name: string, stream: ByteStream): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) {
      if (typeof chunk === 'string') throw new TypeError(`${name} was opened as text`);
      yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  } catch (error) {
    throw inWords(name, error);
  }
}
