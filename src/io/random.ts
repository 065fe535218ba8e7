/** The engine's chance from node:crypto, which is seeded by the operating system. */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../wg/random.ts';

export const systemRandom: Random = (out) => {
  randomFillSync(out);
};
