/** The target of an iptables rule as a verdict, in both of its forms. */
import type { Verdict } from './packet-filter.ts';

/** Targets after which the next rule is asked. */
const CONTINUES = new Set([
  'LOG',
  'NFLOG',
  'ULOG',
  'MARK',
  'CONNMARK',
  'TCPMSS',
  'CLASSIFY',
  'DSCP',
  'TOS',
  'TTL',
  'HL',
  'SET',
  'TRACE',
  'NOTRACK',
  'CT',
  'CHECKSUM',
  'AUDIT',
  'RATEEST',
  'TEE',
]);
const OTHERS = new Set(['QUEUE', 'NFQUEUE', 'NETMAP', 'TPROXY', 'SYNPROXY', 'MIRROR', 'CLUSTERIP']);

/** `to` is what follows `--to-destination` or `to:`, `how` what follows `--reject-with`. */
export function iptablesVerdict(target: string, to?: string, how?: string): Verdict {
  switch (target) {
    case '':
      return { kind: 'continue' };
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
    case 'MASQUERADE':
      return { kind: 'masquerade' };
    case 'REJECT':
      return how === undefined ? { kind: 'reject' } : { kind: 'reject', with: how };
    case 'DNAT':
    case 'SNAT':
    case 'REDIRECT': {
      const kind = target === 'DNAT' ? 'dnat' : target === 'SNAT' ? 'snat' : 'redirect';
      return to === undefined ? { kind } : { kind, to };
    }
    default:
      if (CONTINUES.has(target)) return { kind: 'continue' };
      return OTHERS.has(target) ? { kind: 'other', text: target } : { kind: 'jump', chain: target };
  }
}
