/** A datagram of ours that the routes lead back into the tunnel: AllowedIPs that cover an endpoint do that. */
import { networkInterfaces } from 'node:os';
import { type Endpoint, endpoint, formatIp, type IpBytes } from '../../base/address.ts';
import { type Bytes, copy, u16be } from '../../base/bytes.ts';

const UDP = 17;
const IPV6_HEADER = 40;
const PORTS_BYTES = 4;

interface Datagram {
  readonly from: IpBytes;
  readonly to: Endpoint;
}

/** Undefined for everything but UDP from that port. */
function datagramFrom(packet: Bytes, port: number): Datagram | undefined {
  const version = (packet[0] ?? 0) >>> 4;
  const [protocol, addresses, size] = version === 4 ? [packet[9], 12, 4] : [packet[6], 8, 16];
  if (protocol !== UDP || (version !== 4 && version !== 6)) return undefined;
  const header = version === 4 ? ((packet[0] ?? 0) & 15) * 4 : IPV6_HEADER;
  if (packet.length < header + PORTS_BYTES || u16be(packet, header) !== port) return undefined;
  const from = packet.subarray(addresses, addresses + size);
  const to = copy(packet.subarray(addresses + size, addresses + 2 * size));
  return { from, to: endpoint(to, u16be(packet, header + 2)) };
}

function isOfThisMachine(ip: IpBytes): boolean {
  const text = formatIp(ip);
  return Object.values(networkInterfaces()).some((own) => own?.some(({ address }) => address === text));
}

/**
 * Where it was to go, if this inner packet is one of our own outer ones. `isEndpoint` tells where ours go. A machine behind
 * this one may well have a tunnel of its own, from the same port to the same place.
 */
export function ownDatagram(
  packet: Bytes,
  port: number,
  isEndpoint: (to: Endpoint) => boolean,
  isOwn: (ip: IpBytes) => boolean = isOfThisMachine,
): Endpoint | undefined {
  const found = datagramFrom(packet, port);
  if (found === undefined || !isEndpoint(found.to) || !isOwn(found.from)) return undefined;
  return found.to;
}
