/** The probe's words for socket errors and for what two configurations cannot agree on. */
import { toBase64 } from '../base/base64.ts';
import { shortKey } from '../base/keys.ts';
import { ICMP_MEANING } from '../diagnose/icmp-meaning.ts';
import type { Fault } from '../io/rehearse.ts';
import type { IcmpReport } from '../io/udp.ts';
import { errorOf } from '../packet/icmp.ts';

interface InWords {
  readonly what: string;
  readonly cause: string;
  readonly check: string;
}

const ROUTE = 'ip route get ADDRESS';
const RULES = 'nft list ruleset';

/** What a connected socket says: ICMP errors, and what keeps a message from leaving at all. */
const IN_WORDS: Readonly<Record<string, InWords>> = {
  ECONNREFUSED: {
    what: 'ICMP port unreachable',
    cause: 'nothing listens on that UDP port, or a firewall says so',
    check: 'on the responder: wg show INTERFACE listen-port; is the interface up',
  },
  EHOSTUNREACH: {
    what: 'ICMP host unreachable or prohibited',
    cause: 'a firewall on the way or at the responder rejects it, or the host is not there',
    check: `${ROUTE}; there: ${RULES}`,
  },
  ENETUNREACH: { what: 'no route', cause: 'this machine has no way to that network', check: ROUTE },
  EACCES: { what: 'prohibited', cause: 'a firewall prohibits it, or the address is a broadcast address', check: RULES },
  EPERM: { what: 'not permitted', cause: 'this machine’s own firewall drops it', check: RULES },
  ENOPROTOOPT: {
    what: 'ICMP protocol unreachable',
    cause: 'the host does not speak UDP',
    check: 'is the address right',
  },
  EAFNOSUPPORT: { what: 'no such address family', cause: 'this machine lacks it', check: 'ip address' },
  EADDRNOTAVAIL: {
    what: 'no address to send from',
    cause: 'this machine has none of that family',
    check: 'ip address',
  },
};

function inWords(code: string): InWords {
  return IN_WORDS[code] ?? { what: code, cause: `the system reports ${code}`, check: ROUTE };
}

/** An ICMP error in full, as far as it is known. */
export function icmpInWords(code: string, icmp: IcmpReport | undefined): InWords {
  const plain = inWords(code);
  const kind = icmp === undefined ? undefined : errorOf(icmp.family, icmp.type, icmp.code);
  if (icmp === undefined || kind === undefined) return plain;
  const { from, type, code: detail, mtu } = icmp;
  const size = mtu === undefined ? '' : `, the next hop takes ${mtu} bytes`;
  return {
    what: `${from} answers ICMP ${kind.replaceAll('-', ' ')} (type ${type}, code ${detail}${size})`,
    cause: ICMP_MEANING[kind],
    check: plain.check,
  };
}

export function faultInWords(path: string, fault: Fault): string {
  switch (fault.kind) {
    case 'other-key':
      return `${path}: its key is ${shortKey(fault.expected)}, but the PublicKey here is ${shortKey(fault.actual)}: it drops the initiation unread (mac1-invalid)`;
    case 'unknown-peer':
      return `${path}: none of its peers has our key ${shortKey(fault.ours)}: it drops the initiation (unknown-peer)`;
    case 'psk-differs': {
      const how = fault.ours && fault.theirs ? 'the two differ' : `only ${fault.ours ? 'this end' : path} has one`;
      return `${path}: preshared keys: ${how}: its response cannot be opened here (empty-unsealable)`;
    }
    case 'other-port':
      return `${path}: it listens on port ${fault.theirs}, the endpoint here says ${fault.ours}: right only if a router in between translates`;
    case 'refused':
      return `${path}: the ${fault.by} refuses (${fault.drop.kind})`;
  }
}

export function fixOf(fault: Fault): string {
  switch (fault.kind) {
    case 'other-key':
      return `here: PublicKey = ${toBase64(fault.expected)}`;
    case 'unknown-peer':
      return `there: add a [Peer] with PublicKey = ${toBase64(fault.ours)}`;
    case 'psk-differs':
      return 'the same PresharedKey at both ends, or none';
    case 'other-port':
      return `here: Endpoint with port ${fault.theirs}, unless a router forwards port ${fault.ours} to it`;
    case 'refused':
      return 'wgwhy rules explains it';
  }
}
