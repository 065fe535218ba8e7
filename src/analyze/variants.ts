/** Names the obfuscated and extended forms of WireGuard by their marks on the wire; unwrapping is another matter. */
import { u8, u32le } from '../base/bytes.ts';
import type { Datagram } from '../packet/datagram.ts';
import { type Shape, WIRE_SIZE } from './classify.ts';

export const VARIANT = {
  warp: 'Cloudflare WARP (client id in the reserved bytes)',
  tunnelBear: 'WireGuard-like, padded (TunnelBear sizes 204/100)',
  padded: 'AmneziaWG or another padded form',
} as const;

/**
 * WARP keeps types and sizes and fills the reserved bytes; TunnelBear keeps the type word and pads to 204 and 100.
 * What is only unusual stays unnamed: a guess would be worse than silence.
 */
export function namesVariant(datagram: Datagram, shape: Shape | undefined): string | undefined {
  if (shape === undefined) return undefined;
  if (shape.reserved !== 0) return shape.fits && shape.kind !== 'data' ? VARIANT.warp : warpData(datagram);
  if (shape.kind === 'initiation' && datagram.length === WIRE_SIZE.initiation + 56) return VARIANT.tunnelBear;
  if (shape.kind === 'response' && datagram.length === WIRE_SIZE.response + 8) return VARIANT.tunnelBear;
  return undefined;
}

const WARP_PORTS: readonly number[] = [2408, 500, 1701, 4500];

/** Data has no exact size: only on WARP's own ports is a non-zero reserved field enough for the name. */
function warpData(datagram: Datagram): string | undefined {
  if (u8(datagram.bytes, 0) !== 4 || datagram.length < WIRE_SIZE.data || u32le(datagram.bytes, 0) >>> 8 === 0)
    return undefined;
  return WARP_PORTS.includes(datagram.from.port) || WARP_PORTS.includes(datagram.to.port) ? VARIANT.warp : undefined;
}
