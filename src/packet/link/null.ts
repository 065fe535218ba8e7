/** BSD loopback: NULL (0, address family in the byte order of the capturing machine) and LOOP (108, network order). */
import { u32be, u32le } from '../../base/bytes.ts';
import { type Refusal, short, type Walk } from '../walk.ts';

const HEADER_BYTES = 4;
const TOO_SHORT: Refusal = { reason: 'not-ip', detail: 'frame shorter than a loopback header' };

export function enterNull(walk: Walk, label: 'null' | 'loop'): Refusal | undefined {
  const { bytes, at } = walk;
  if (at + HEADER_BYTES > walk.end) return short(walk, TOO_SHORT);
  // Families are small numbers: of the two readings the lesser one is meant. Some writers of LOOP get its order wrong.
  const family = Math.min(u32be(bytes, at), u32le(bytes, at));
  walk.path = walk.path.plus(label);
  walk.at = at + HEADER_BYTES;
  switch (family) {
    case 2:
      walk.network = 4;
      return undefined;
    case 10: // Linux
    case 23: // Windows
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // macOS
      walk.network = 6;
      return undefined;
    default:
      return { reason: 'not-ip', detail: `address family ${family}` };
  }
}
