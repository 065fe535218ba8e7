/** `expect` compares byte arrays of one kind at once, not as objects with a key for each byte. */
import { expect } from 'vitest';

function equalBytes(a: unknown, b: unknown): boolean | undefined {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return undefined;
  return a.constructor === b.constructor ? Buffer.compare(a, b) === 0 : undefined;
}

expect.addEqualityTesters([equalBytes]);
