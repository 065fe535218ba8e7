/** What all listings of one machine together say becomes of a packet: filters, and what is built upon them. */
import type { Machine } from '../analyze/machine.ts';
import type { Fate, Probe } from './first-match.ts';
import { filterFate, hasHook } from './linux-filter.ts';
import { firewalldFate, ufwFate } from './linux-front.ts';

export type FirewallTool = Machine['filters'][number]['tool'] | 'ufw' | 'firewalld';

export interface Judged {
  readonly tool: FirewallTool;
  readonly fate: Fate;
}

/** Undefined where the machine shows no firewall for such packets. */
export function hostFate(machine: Machine, probe: Probe): Judged | undefined {
  const { filters, ufw, zones } = machine;
  const hooked = filters.filter(({ filter }) => hasHook(filter, probe, 'anywhere'));
  // `iptables -L` leaves out what `iptables-save` tells of the same rules
  const full = hooked.some(({ tool, filter }) => tool === 'iptables-save' && hasHook(filter, probe, 'at-end'));
  const judged = hooked.flatMap(({ tool, filter }): Judged[] =>
    full && tool === 'iptables' ? [] : [{ tool, fate: filterFate(filter, probe) }],
  );
  const verdict = together(judged);
  // what ufw and firewalld list is about packets to the host itself
  if (probe.hook === 'forward' || (verdict !== undefined && isSure(verdict.fate))) return verdict;
  const front: Judged[] = [
    ...(ufw === undefined ? [] : [{ tool: 'ufw' as const, fate: ufwFate(ufw, probe) }]),
    ...(zones.length === 0 ? [] : [{ tool: 'firewalld' as const, fate: firewalldFate(zones, probe) }]),
  ];
  return front.find(({ fate }) => isSure(fate)) ?? verdict ?? front[0];
}

function isSure(fate: Fate): boolean {
  return fate.kind === 'accepted' || (fate.kind === 'refused' && fate.unless.length === 0);
}

/** Each of them has to let a packet pass. */
function together(judged: readonly Judged[]): Judged | undefined {
  return (
    judged.find(({ fate }) => fate.kind === 'refused' && fate.unless.length === 0) ??
    judged.find(({ fate }) => fate.kind === 'open') ??
    judged.find(({ fate }) => fate.kind === 'refused') ??
    judged[0]
  );
}
