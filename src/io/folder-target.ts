/** A folder that is filled with files, each read again afterwards. */
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from '../report/anonymise/anonymise.ts';
import { FileError, fileSource } from './files.ts';

/** Made where it does not exist. Rejects with a FileError where there is something in it already. */
export async function folderTarget(folder: string): Promise<Target> {
  try {
    await mkdir(folder, { recursive: true });
    const there = await readdir(folder);
    if (there.length > 0) throw new FileError(folder, 'there are files in it already', 'name a new folder');
  } catch (error) {
    throw inWords(folder, error);
  }
  return {
    async write(name, chunks) {
      const path = join(folder, name);
      try {
        const file = await open(path, 'wx');
        try {
          for await (const chunk of chunks) await file.write(chunk);
        } finally {
          await file.close();
        }
      } catch (error) {
        throw inWords(path, error);
      }
    },
    source: (name) => ({ name, open: () => fileSource(join(folder, name)).open() }),
  };
}

const REASONS: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  EEXIST: ['this is a file, not a folder', 'name a new folder'],
  ENOTDIR: ['a part of this path is a file, not a folder', 'name a new folder'],
  EACCES: ['writing there is not permitted'],
  EPERM: ['writing there is not permitted'],
  EROFS: ['the file system is read-only'],
  ENOSPC: ['there is no room left'],
};

function inWords(path: string, error: unknown): unknown {
  if (error instanceof FileError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) return error;
  const [message, hint] = REASONS[code] ?? [`it cannot be written (${code})`];
  return new FileError(path, message, hint);
}
