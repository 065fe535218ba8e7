/** The obfuscated and extended forms of WireGuard: their names, and the marks by which one is told that is not unwrapped. */
import { type Bytes, u8 } from '../base/bytes.ts';
import type { Datagram } from '../packet/datagram.ts';
import { counterIsPlausible, type Shape, WIRE_SIZE } from './classify.ts';

export const VARIANT = {
  warp: 'Cloudflare WARP (client id in the reserved bytes)',
  tunnelBear: 'WireGuard-like, padded (TunnelBear sizes 204/100)',
  amnezia: 'AmneziaWG',
  junk: 'junk before the initiations, as AmneziaWG sends it (Jc, I1 to I5)',
  lwo: 'Mullvad LWO (header XORed with the receiver’s public key)',
  udpOverTcp: 'WireGuard in TCP (udp-over-tcp)',
  geneve: 'Tailscale peer relay (WireGuard in Geneve)',
} as const;

/**
 * WARP keeps types and sizes and fills the reserved bytes; TunnelBear keeps the type word and pads to 204 and 100.
 * What is only unusual stays unnamed: a guess would be worse than silence.
 */
export function namesVariant(datagram: Datagram, shape: Shape | undefined): string | undefined {
  if (shape === undefined) return undefined;
  if (shape.reserved !== 0) {
    const named = shape.kind === 'data' ? isWarpData(datagram) : shape.fits;
    return named ? VARIANT.warp : undefined;
  }
  if (shape.kind === 'initiation' && datagram.length === WIRE_SIZE.initiation + 56) return VARIANT.tunnelBear;
  if (shape.kind === 'response' && datagram.length === WIRE_SIZE.response + 8) return VARIANT.tunnelBear;
  return undefined;
}

const IKE_PORT = 500;
const WARP_PORTS: readonly number[] = [2408, IKE_PORT, 1701, 4500];

/** Data has no exact size: only on WARP's own ports are the id and a small counter enough to name it. */
export function isWarpData({ bytes, from, to }: Datagram): boolean {
  if (!WARP_PORTS.includes(from.port) && !WARP_PORTS.includes(to.port)) return false;
  if ((from.port === IKE_PORT || to.port === IKE_PORT) && looksLikeIke(bytes)) return false;
  return u8(bytes, 0) === 4 && counterIsPlausible(bytes, 0);
}

/** Its version, 1.0 or 2.0, where data has ciphertext (RFC 7296 §3.1). */
function looksLikeIke(bytes: Bytes): boolean {
  const version = u8(bytes, 17);
  return version === 0x10 || version === 0x20;
}
