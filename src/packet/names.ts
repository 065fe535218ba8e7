/** Names for what is not UDP in IP, as finished refusals: most frames of a busy capture are skipped by one of these. */
import type { Refusal } from './walk.ts';

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPv4 in IP',
  6: 'TCP',
  41: 'IPv6 in IP',
  47: 'GRE',
  50: 'ESP',
  58: 'ICMPv6',
  59: 'no next header',
  89: 'OSPF',
  103: 'PIM',
  112: 'VRRP',
  115: 'L2TP',
  132: 'SCTP',
  136: 'UDP-Lite',
};

const NOT_UDP: readonly Refusal[] = Array.from({ length: 256 }, (_, n) => ({
  reason: 'not-udp',
  detail: PROTOCOLS[n] ?? `IP protocol ${n}`,
}));

const UNNAMED: Refusal = { reason: 'not-udp', detail: 'IP protocol' };

/** `protocol` is the 8-bit IP protocol number. */
export function notUdp(protocol: number): Refusal {
  return NOT_UDP[protocol] ?? UNNAMED;
}
