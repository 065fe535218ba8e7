/** Datagrams that are no WireGuard, or hardly. */
import type { Bytes } from '../../../src/base/bytes.ts';
import type { Chance } from '../../simulation/chance.ts';
import type { Stage } from './stage.ts';

/** Around every length that means something. */
const LENGTHS = [0, 1, 3, 4, 5, 16, 31, 32, 33, 63, 64, 65, 91, 92, 93, 147, 148, 149] as const;

function shapeless(chance: Chance): Bytes {
  const bytes = chance.bytes(chance.happens(0.7) ? chance.pick(LENGTHS) : chance.whole(0, 1400));
  if (chance.happens(0.8)) {
    bytes[0] = chance.pick([0, 1, 2, 3, 4, 5, 255]);
    if (chance.happens(0.7)) bytes.fill(0, 1, 4);
  }
  return bytes;
}

export async function playShapes(stage: Stage, chance: Chance, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const bytes = shapeless(chance);
    await stage.play({ name: `${bytes.length} bytes by chance`, build: () => bytes });
  }
}
