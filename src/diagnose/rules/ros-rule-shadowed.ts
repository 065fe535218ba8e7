/** A RouterOS rule for WireGuard that never sees a packet, because one before it has dropped them all. */
import type { RosRule } from '../../config/routeros/firewall.ts';
import { fileSubject } from '../config-evidence.ts';
import { askedRules, covers, rosRuleText } from '../ros-filter.ts';
import { acceptsOf, type RosPort, rosPorts } from '../ros-port.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ShadowFacts extends Facts {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly number: number;
  readonly byLine: number;
  readonly byRule: string;
  readonly byNumber: number;
  /** What is lost by it. */
  readonly lost: string;
  readonly family: 'ip' | 'ipv6';
  /** The rule that drops stands in the raw table. */
  readonly raw: boolean;
}

const REFUSES = new Set(['drop', 'reject']);
/** Told per router. */
const MOST = 5;

export const rosRuleShadowed = defineRule({
  name: 'ros-rule-shadowed',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a filter rule that accepts WireGuard’s port, or traffic of its interface, stands behind a rule that drops the same packets',
    why: 'the first rule that fits decides: what is added later lands at the end of the chain, behind the drop, and has no effect',
    fix: 'move the accepting rule in front of the one that drops, or take the stale drop out',
  },
  check: (world): Found<ShadowFacts>[] => rosPorts(world).flatMap((one) => [...behindDrop(one), ...ofInterface(one)]),
  message: ({ file, line, rule, byLine, byRule, lost }) =>
    `${file} line ${line} never sees ${lost}: “${rule}” stands behind line ${byLine}, “${byRule}”`,
  fix: ({ number, byNumber, family, raw }) => ({
    routeros: [
      raw
        ? `/${family} firewall raw print; /${family} firewall raw remove ${byNumber}   (raw comes before the filter; the number as print shows it)`
        : `/${family} firewall filter print; /${family} firewall filter move ${number} destination=${byNumber}   (numbers as print shows them)`,
      `/${family} firewall filter print stats   (the rule should count packets now)`,
    ],
  }),
});

/** The port: the first rule that fits a new packet from outside drops it, and one that would accept comes later. */
function behindDrop(one: RosPort): Found<ShadowFacts>[] {
  const { settled: fate, by, port, probe } = one;
  const { by: drop } = fate;
  if (fate.kind !== 'refused' || drop === undefined) return [];
  const [accept] = acceptsOf(one, fate);
  if (accept === undefined) return [];
  return [
    {
      facts: factsOf(one, accept, drop, `new packets to UDP port ${port.value}`, probe.family === 'ip' ? 'ip' : 'ipv6'),
      certainty: fate.unless.length === 0 ? 'deduced' : 'suspected',
      ...(by.length === 0 ? { severity: 'info' as const } : {}),
      frames: [],
      subject: fileSubject(one.entry),
      notes: [
        ...(by.length === 0
          ? ['this router begins by itself with all its peers here, so nothing is lost as long as it does']
          : []),
        ...fate.unless.slice(0, 3).map((rule) => `unless line ${rule.line} lets it in: “${rosRuleText(rule)}”`),
      ],
    },
  ];
}

/** Pairs of rules that are compared. */
const MOST_LOOKS = 200_000;

/** Traffic of the tunnel: every packet that the later rule asks for has met the earlier one. */
function ofInterface(one: RosPort): Found<ShadowFacts>[] {
  const { router, entry } = one;
  const { config, end } = router;
  const { name } = end;
  if (name === undefined) return [];
  const out: Found<ShadowFacts>[] = [];
  let looks = 0;
  for (const family of ['ip', 'ipv6'] as const) {
    const refusing = new Map<string, RosRule[]>();
    for (const rule of askedRules(config, family, 'filter')) {
      const chain = rule.chain?.value ?? '';
      const before = refusing.get(chain) ?? [];
      refusing.set(chain, before);
      if (REFUSES.has(rule.action.value)) before.push(rule);
      if (rule.action.value !== 'accept' || !isOf(rule, name)) continue;
      if (out.length >= MOST || looks > MOST_LOOKS) return out;
      looks += before.length;
      const by = before.find((drop) => covers(drop, rule, config));
      if (by === undefined) continue;
      out.push({
        facts: factsOf(one, rule, by, 'a packet', family),
        certainty: 'proven',
        frames: [],
        subject: fileSubject(entry),
      });
    }
  }
  return out;
}

function isOf({ matchers }: RosRule, name: string): boolean {
  return matchers.some(
    (one) => one.kind === 'text' && (one.name === 'in-interface' || one.name === 'out-interface') && one.value === name,
  );
}

function factsOf(
  { entry }: RosPort,
  rule: RosRule,
  by: RosRule,
  lost: string,
  family: ShadowFacts['family'],
): ShadowFacts {
  return {
    file: entry.name,
    line: rule.line,
    rule: rosRuleText(rule),
    number: rule.number,
    byLine: by.line,
    byRule: rosRuleText(by),
    byNumber: by.number,
    lost,
    family,
    raw: by.table === 'raw',
  };
}
