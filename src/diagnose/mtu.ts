/** The arithmetic of MTUs around a tunnel, and the commands and lines that set them on both ends. */
import type { ConfEntry } from '../analyze/key-set.ts';
import type { Timeline } from '../analyze/timeline.ts';
import type { Tunnel, World } from '../analyze/world.ts';
import type { Endpoint } from '../base/address.ts';
import { PADDING_MULTIPLE } from '../wg/constants.ts';
import { addressOf } from './data-evidence.ts';
import type { Edit } from './edit.ts';
import { endNamed } from './inner-evidence.ts';
import type { Fix } from './rule.ts';

/** Header and tag of a data message (wp §5.4.6). */
const DATA_OVERHEAD = 32;
/** IP and UDP headers outside (RFC 791, RFC 8200). */
const OUTER = { 4: 28, 16: 48 } as const;
/** IP and TCP headers inside, without options. */
const SEGMENT = { 4: 40, 16: 60 } as const;

/** Headers outside the UDP payload, and outside the inner packet: 60 bytes over IPv4, 80 over IPv6. */
export function overhead({ ip }: Pick<Endpoint, 'ip'>): { readonly outer: number; readonly tunnel: number } {
  const outer = OUTER[ip.length === 4 ? 4 : 16];
  return { outer, tunnel: outer + DATA_OVERHEAD };
}

/** Least MTU that IPv6 accepts (RFC 8200 §5). */
export const IPV6_LEAST_MTU = 1280;
/** Ethernet less the header of PPPoE and PPP (RFC 2516 §7). */
const PPPOE_MTU = 1492;

/** `1420 inside + 32 WireGuard + 8 UDP + 20 IPv4 = 1480 bytes outside`; what is inside may have been padded. */
export function sumText(payload: number, to: Pick<Endpoint, 'ip'>): string {
  const { outer } = overhead(to);
  const inner = payload - DATA_OVERHEAD;
  const ip = outer === OUTER[4] ? '20 IPv4' : '40 IPv6';
  // padding goes up to a multiple of 16, yet not beyond the sender's MTU (wp §5.4.6, kernel send.c)
  const padded = inner % PADDING_MULTIPLE === 0 ? ` (${inner - PADDING_MULTIPLE + 1} or more, padded)` : '';
  return `${inner} inside${padded} + 32 WireGuard + 8 UDP + ${ip} = ${payload + outer} bytes outside`;
}

/** A link that is known for its size, where the path carries `least` and not `tooMuch`. */
export function pppoeNote(least: number, tooMuch: number): string[] {
  if (least > PPPOE_MTU || tooMuch <= PPPOE_MTU) return [];
  const [four, six] = [PPPOE_MTU - 60, PPPOE_MTU - 80];
  return [
    `a PPPoE line (${PPPOE_MTU} bytes) fits these figures: for it MTU = ${four} over IPv4, ${six} where the outer packets may be IPv6`,
  ];
}

/** Both directions: a SYN that leaves by the tunnel, and the answer that came out of it. */
function clampLinux(device: string): string[] {
  return [`-o ${device}`, `-i ${device}`].map(
    (way) => `iptables -t mangle -A FORWARD ${way} -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`,
  );
}

function clampRouterOs(fits: number): string[] {
  return ['out-interface', 'in-interface'].map(
    (way) =>
      `/ip firewall mangle add chain=forward ${way}=wireguard1 protocol=tcp tcp-flags=syn tcp-mss=!0-${fits} action=change-mss new-mss=${fits} passthrough=yes`,
  );
}

/** Segments of forwarded TCP made to fit. */
export function clampFix(fits: number): Fix {
  return {
    linux: [
      ...clampLinux('wg0'),
      `or with a figure: … -j TCPMSS --set-mss ${fits}   (nft: tcp flags syn tcp option maxseg size set rt mtu)`,
    ],
    routeros: clampRouterOs(fits),
  };
}

/** The MTU of the tunnel on both ends, the segments of what is forwarded, and how to measure the path. */
export function mtuFix(mtu: number, endpoint: string): Fix {
  const address = addressOf(endpoint);
  const six = address.includes(':');
  const outer = six ? OUTER[16] : OUTER[4];
  const size = mtu + DATA_OVERHEAD;
  return {
    linux: [
      `on both ends: MTU = ${mtu} under [Interface] in wg0.conf; at once: ip link set dev wg0 mtu ${mtu}`,
      ...clampLinux('wg0'),
      `to measure the path, outside the tunnel: ping ${six ? '-6 ' : ''}-M do -s ${size} ${address}   (must pass for MTU ${mtu}; raise -s until it fails: path MTU = s + ${outer}, tunnel MTU = path − ${outer + DATA_OVERHEAD})`,
    ],
    routeros: [
      `on both ends: /interface wireguard set wireguard1 mtu=${mtu}`,
      ...clampRouterOs(mtu - SEGMENT[4]),
      `/ping ${address} size=${size + outer} do-not-fragment   (outside the tunnel: here size is the path MTU itself)`,
    ],
  };
}

/** The files of both ends with this MTU, where they set more, or leave it to the default. */
export function mtuEdits(pair: string, timeline: Timeline, tunnel: Tunnel, world: World, mtu: number): Edit[] {
  const entries = new Set(pair.split(' ~ ').flatMap((name) => endNamed(name, timeline, tunnel, world).entry ?? []));
  return [...entries].flatMap((entry) => mtuEdit(entry, mtu));
}

function mtuEdit(entry: ConfEntry, mtu: number): Edit[] {
  const { line, mtu: set } = entry.conf.interface;
  if (entry.origin.kind !== 'wg-quick') return [];
  const text = `MTU = ${mtu}`;
  if (set !== undefined) return set.value > mtu ? [{ input: entry.input, line: set.line, kind: 'replace', text }] : [];
  return line === undefined ? [] : [{ input: entry.input, line, kind: 'insert-after', text }];
}
