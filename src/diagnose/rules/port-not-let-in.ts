/** The firewall of the host refuses new packets to the port that the other end writes to: by its own listing, first match. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { confirmedBetween, settings, unlessConfirmed } from '../config-evidence.ts';
import { type FirewallTool, hostFate } from '../host-firewall.ts';
import {
  type Dialer,
  dialers,
  endOf,
  type Host,
  hosts,
  initiationProbe,
  listenPort,
  machineSubject,
  presumption,
} from '../machine-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const NOTES = 4;

interface ClosedFacts extends Facts {
  readonly end: string;
  readonly port: number;
  readonly place: string;
  readonly rule: string;
  /** The chain or zone where a rule has to come first. */
  readonly home: string;
  readonly tool: FirewallTool;
  readonly how: 'drop' | 'reject';
  readonly policy: boolean;
  /** Packets that it met; null where the listing does not count. */
  readonly packets: number | null;
}

export const portNotLetIn = defineRule({
  name: 'port-not-let-in',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'the firewall of the host refuses new UDP packets to the ListenPort: of its rules, asked in order, the first that fits drops or rejects',
    why: 'an initiation is a new connection to the firewall; a capture on that host still shows it, since it is taken before the firewall, and WireGuard never gets it',
    fix: 'let the port in, before the rule that drops: UDP, from any address unless all peers have fixed ones',
  },
  check: (world): Found<ClosedFacts>[] =>
    settings(world).flatMap((entry) => {
      const port = listenPort(entry)?.value;
      const by = entry.origin.kind === 'routeros' || port === undefined ? [] : dialers(entry, world);
      if (port === undefined || by.length === 0) return [];
      return hosts(world).flatMap((host) => (host.entry === entry ? (found(host, port, by, world) ?? []) : []));
    }),
  message({ end, port, place, rule, how, packets, policy }) {
    const counted = packets === null ? '' : `, ${packets} packet${packets === 1 ? '' : 's'} so far`;
    const verb = how === 'drop' ? 'dropped' : 'rejected';
    const first = policy ? 'no rule lets them in, and what is left goes to' : 'the first rule that fits them is';
    return `new packets to UDP port ${port} of ${end} are ${verb}: ${first} “${rule}” (${place}${counted})`;
  },
  fix: ({ port, tool, home }) => ({
    linux: [...OPEN[tool](port, home), `then look whether it counts: ${LOOK[tool]}`],
    routeros: [
      `on a router in front of the host: /ip firewall nat print where chain=dstnat   (UDP ${port} has to reach the host at all)`,
    ],
  }),
});

/** `ip mangle PREROUTING` and the like too: what is dropped there never comes to INPUT. */
function iptables(port: number, home: string): string[] {
  const [family, table, chain] = home.split(' ');
  const command = `${family === 'ip6' ? 'ip6tables' : 'iptables'}${table === 'filter' ? '' : ` -t ${table}`}`;
  return [
    `${command} -I ${chain} 1 -p udp --dport ${port} -j ACCEPT`,
    'to keep it: netfilter-persistent save, or the same line in the rules file of your distribution',
  ];
}

const OPEN: Readonly<Record<FirewallTool, (port: number, home: string) => string[]>> = {
  'iptables-save': iptables,
  iptables,
  nft: (port, home) => [
    `nft insert rule ${home} udp dport ${port} accept`,
    'to keep it: the same line in /etc/nftables.conf, at the beginning of that chain',
  ],
  ufw: (port) => [`ufw allow ${port}/udp`],
  firewalld: (port, zone) => [`firewall-cmd --permanent --zone=${zone} --add-port=${port}/udp; firewall-cmd --reload`],
};
const LOOK: Readonly<Record<FirewallTool, string>> = {
  'iptables-save': 'iptables -L INPUT -n -v --line-numbers',
  iptables: 'iptables -L INPUT -n -v --line-numbers',
  nft: 'nft list ruleset',
  ufw: 'ufw status verbose',
  firewalld: 'firewall-cmd --list-all',
};

function found(host: Host, port: number, by: readonly Dialer[], world: World): Found<ClosedFacts> | undefined {
  const { entry, machine, sure } = host;
  const judged = hostFate(machine, initiationProbe(host, port, by));
  if (judged === undefined || judged.fate.kind !== 'refused') return undefined;
  // where this end keeps writing to all of them, what they send belongs to a connection that is known
  if (by.every(({ kept }) => kept)) return undefined;
  const { fate, tool } = judged;
  const certain = sure && fate.unless.length === 0;
  const fromHere = by.every(({ answered }) => answered);
  return {
    facts: {
      end: entry.name,
      port,
      place: `${machine.name} line ${fate.by.line}`,
      rule: fate.by.text,
      home: fate.by.home,
      tool,
      how: fate.how,
      policy: fate.by.kind === 'policy',
      packets: fate.by.packets ?? null,
    },
    certainty: certain ? 'proven' : 'suspected',
    ...(fate.unless.length > 0 || fromHere ? { severity: 'warning' as const } : {}),
    ...worked(entry, by, world),
    subject: machineSubject(machine),
    notes: [
      ...presumption(host),
      ...fate.unless
        .slice(0, NOTES)
        .map(({ line, text }) => `unless this lets them in, which the listing leaves open: “${text}” (line ${line})`),
      ...(fromHere ? ['the tunnel can still come up from this end, which has an Endpoint for them too'] : []),
      ...worked(entry, by, world).notes,
    ],
  };
}

/** A capture that shows a peer of these coming through: then the listing is of another time. */
function worked(entry: ConfEntry, by: readonly Dialer[], world: World) {
  const own = endOf(entry, world)?.own;
  for (const { from } of by) {
    const other = from === undefined ? undefined : endOf(from, world)?.own;
    if (own === undefined || other === undefined || confirmedBetween(world, own, other) === undefined) continue;
    return unlessConfirmed(world, own, other);
  }
  return { frames: [], notes: [] as string[] };
}
