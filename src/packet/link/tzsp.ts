/** TZSP around a mirrored frame: what MikroTik's sniffer streams (UDP 37008), and link type 128. */

import { type Bytes, u16be } from '../../base/bytes.ts';
import { decodeTzsp, TZSP_ETHERNET, TZSP_WIFI } from '../../capture/tzsp.ts';
import { type Refusal, short, type Walk } from '../walk.ts';
import { enterEthernet } from './ethernet.ts';

/** Ethernet, 802.11, and 802.11 behind a Prism or AVS header. */
const ENCAPSULATIONS: readonly number[] = [TZSP_ETHERNET, TZSP_WIFI, 119, 127];
const LAST_TYPE = 5;

/** Moves to the mirrored frame. Whatever is known of the direction belongs to the TZSP packet, so it is dropped. */
export function enterTzsp(walk: Walk): Refusal | undefined {
  const read = decodeTzsp(walk.bytes.subarray(walk.at, walk.end));
  if (read.kind === 'none') return short(walk, { reason: 'tzsp', detail: read.reason });
  if (read.encapsulation !== TZSP_ETHERNET) {
    return { reason: 'link-type', detail: `TZSP encapsulation ${read.encapsulation}` };
  }
  walk.at += read.at;
  // The sensor may have cut the frame before it mirrored it, and says so with tag 41.
  if (read.originalLength !== undefined) walk.wireEnd = Math.max(walk.wireEnd, walk.at + read.originalLength);
  walk.path = walk.path.plus('tzsp');
  walk.direction = undefined;
  return enterEthernet(walk);
}

/**
 * Whether a payload that did not lead to an IP packet is TZSP nevertheless (a keepalive, another encapsulation).
 * A WireGuard initiation starts with 1 as well, but its next three octets are 0: as TZSP, a frame of no encapsulation.
 */
export function looksLikeTzsp(bytes: Bytes, at: number): boolean {
  const type = bytes[at + 1] ?? 0;
  const encapsulation = u16be(bytes, at + 2);
  if (bytes[at] !== 1 || type > LAST_TYPE) return false;
  return ENCAPSULATIONS.includes(encapsulation) || (encapsulation === 0 && type !== 0);
}
