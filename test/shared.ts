/** Figures that are not ours to copy: read from where they stand, and skipped where they do not. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DIRECTORY = new URL('../../shared/', import.meta.url);

/** Give this to `describe.skipIf`. */
export const SHARED_ABSENT = !existsSync(fileURLToPath(DIRECTORY));

export function shared(path: string): URL {
  return new URL(path, DIRECTORY);
}
