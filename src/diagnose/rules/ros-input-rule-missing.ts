/** RouterOS drops new packets to the WireGuard port, and no rule lets them in. */
import type { RosRule } from '../../config/routeros/firewall.ts';
import { fileSubject } from '../config-evidence.ts';
import { namesRosPort, parameter, rosRuleText } from '../ros-filter.ts';
import { acceptsOf, type RosPort, rosPorts } from '../ros-port.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface InputFacts extends Facts {
  readonly file: string;
  readonly interface: string;
  readonly port: number;
  readonly line: number;
  readonly rule: string;
  readonly number: number;
  /** A rule that names its place by a number, which may never be added. */
  readonly unplaced: boolean;
  readonly packets: number | null;
}

const FAMILY = { ip: 'ip', ip6: 'ipv6' } as const;

export const rosInputRuleMissing = defineRule({
  name: 'ros-input-rule-missing',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'the input chain of the router drops new UDP packets to the listen-port of WireGuard before any rule accepts them',
    why: 'peers that begin are not heard; while this router begins, what comes back passes as established, so the tunnel works from one side only',
    fix: 'add a rule that accepts UDP to the listen-port, in front of the one that drops',
  },
  check: (world): Found<InputFacts>[] => rosPorts(world).flatMap((one) => [...refused(one), ...unplaced(one)]),
  message({ file, interface: name, port, line, rule, unplaced: loose, packets }) {
    if (loose)
      return `the rule that should let in UDP port ${port} of ${name} is placed by a number, “${rule}” (${file} line ${line}): in a script, or before a print, that fails and the rule is not there`;
    const counted = packets === null ? '' : `, ${packets} packets so far`;
    return `no rule lets in new packets to UDP port ${port} of ${name}: the first that fits them is “${rule}” (${file} line ${line}${counted})`;
  },
  fix: ({ port, number, unplaced: loose }) => ({
    linux: ['at a peer, while it writes to the router: wg show   (received stays 0 B as long as the port is closed)'],
    routeros: loose
      ? [
          '/ip firewall filter print   (is the rule there? then its place is all right)',
          `/ip firewall filter add chain=input action=accept protocol=udp dst-port=${port} comment=WireGuard place-before=[find where chain=input action=drop]`,
        ]
      : [
          `/ip firewall filter print; /ip firewall filter add chain=input action=accept protocol=udp dst-port=${port} comment=WireGuard place-before=${number}`,
          `in a script: place-before=[find where chain=input action=drop]   (a number counts only after print)`,
        ],
  }),
});

function refused(one: RosPort): Found<InputFacts>[] {
  const { entry, router, port, by, settled: fate, probe } = one;
  const { by: rule } = fate;
  if (by.length === 0 || fate.kind !== 'refused' || rule === undefined) return [];
  // these two have names of their own: a list that the packet itself fills, a rule that comes too late
  if (acceptsOf(one, fate).length > 0) return [];
  const { config } = router;
  const off = config.rules.filter(
    (other) =>
      other.disabled &&
      other.table === 'filter' &&
      other.family === FAMILY[probe.family] &&
      other.action.value === 'accept' &&
      namesRosPort(other, port.value),
  );
  const fromHere = by.every(({ answered }) => answered);
  if (by.every(({ kept }) => kept)) return [];
  return [
    {
      facts: factsOf(one, rule, false),
      certainty: fate.unless.length === 0 ? 'deduced' : 'suspected',
      frames: [],
      subject: fileSubject(entry),
      notes: [
        ...off.map(({ line }) => `line ${line} would let it in, and is disabled`),
        ...fate.unless.slice(0, 3).map((other) => `unless line ${other.line} lets it in: “${rosRuleText(other)}”`),
        ...(fromHere ? ['the tunnel can still come up from this router, which has an endpoint for them too'] : []),
      ],
    },
  ];
}

/** `place-before=1` is what print counted last; the export of a router never has it. */
function unplaced(one: RosPort): Found<InputFacts>[] {
  return acceptsOf(one).flatMap((rule): Found<InputFacts>[] => {
    const place = parameter(rule, 'place-before');
    if (place === undefined || !/^\d+$/.test(place)) return [];
    return [
      {
        facts: factsOf(one, rule, true),
        certainty: 'suspected',
        frames: [],
        subject: fileSubject(one.entry),
        notes: [`it also needs ${Number(place) + 1} or more rules to be there already`],
      },
    ];
  });
}

function factsOf({ entry, router, port }: RosPort, rule: RosRule, loose: boolean): InputFacts {
  return {
    file: entry.name,
    interface: router.end.name ?? 'the WireGuard interface',
    port: port.value,
    line: rule.line,
    rule: rosRuleText(rule),
    number: rule.number,
    unplaced: loose,
    packets: rule.packets?.value ?? null,
  };
}
