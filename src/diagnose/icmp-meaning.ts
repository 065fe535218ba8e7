/** What an ICMP error about a WireGuard message says of its fate: the same words for captures, probes and tunnels. */
import type { UnreachableKind } from '../packet/datagram.ts';

export const ICMP_MEANING: Readonly<Record<UnreachableKind, string>> = {
  'port-unreachable': 'nothing listens on that port there',
  'host-unreachable': 'the last router cannot reach that host: the Endpoint address is stale, or the host is off',
  'net-unreachable': 'a router has no route to that network',
  'protocol-unreachable': 'the host does not speak UDP to this sender',
  'admin-prohibited': 'a firewall refuses it and says so',
  'fragmentation-needed': 'it is larger than a link on the way takes',
  'time-exceeded': 'it was passed from router to router until its TTL ran out: a routing loop on the way',
  'other-error': 'the packet was refused on the way',
};
