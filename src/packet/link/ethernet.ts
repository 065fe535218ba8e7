/** Ethernet II frames (link type 1, and inside TZSP). */
import { u16be } from '../../base/bytes.ts';
import { type Refusal, short, type Walk } from '../walk.ts';
import { enterEthertype } from './ethertype.ts';

const HEADER_BYTES = 14;
const TOO_SHORT: Refusal = { reason: 'not-ip', detail: 'frame shorter than an Ethernet header' };

export function enterEthernet(walk: Walk): Refusal | undefined {
  const { at } = walk;
  if (at + HEADER_BYTES > walk.end) return short(walk, TOO_SHORT);
  walk.path = walk.path.plus('ethernet');
  walk.at = at + HEADER_BYTES;
  return enterEthertype(walk, u16be(walk.bytes, at + 12));
}
