/** Serial lines in HDLC framing (link type 50): PPP, or Cisco's framing with an Ethernet type. */
import { u16be } from '../../base/bytes.ts';
import { type Refusal, short, type Walk } from '../walk.ts';
import { enterEthertype } from './ethertype.ts';
import { enterPpp } from './ppp.ts';

const TOO_SHORT: Refusal = { reason: 'not-ip', detail: 'frame shorter than an HDLC header' };
const CISCO_BYTES = 4;

/** Told apart by the first octet: Cisco's is 0x0f (unicast) or 0x8f (multicast), PPP's 0xff (LINKTYPE_PPP_HDLC). */
export function enterHdlc(walk: Walk): Refusal | undefined {
  const { bytes, at } = walk;
  if (at >= walk.end) return short(walk, TOO_SHORT);
  if (bytes[at] !== 0x0f && bytes[at] !== 0x8f) return enterPpp(walk);
  if (at + CISCO_BYTES > walk.end) return short(walk, TOO_SHORT);
  walk.path = walk.path.plus('hdlc');
  walk.at = at + CISCO_BYTES;
  return enterEthertype(walk, u16be(bytes, at + 2));
}
