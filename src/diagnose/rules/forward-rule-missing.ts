/** An end that others send packets through refuses to forward them, or what comes back, by its own firewall or by its PostUp. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import type { Edit } from '../edit.ts';
import { type Decider, type Fits, type Probe, some } from '../first-match.ts';
import {
  type Asked,
  askedText,
  askedThrough,
  type Direction,
  forwardProbe,
  innerSources,
  wayTo,
} from '../forwarding-evidence.ts';
import { hostFate } from '../host-firewall.ts';
import { fitsRule } from '../linux-filter.ts';
import { type Host, hostOf, machineSubject, presumption, tunnelNames } from '../machine-evidence.ts';
import { type PostUp, postUpOf, SELF } from '../post-up.ts';
import { routerOf } from '../ros-evidence.ts';
import { rosFate, rosRuleText } from '../ros-filter.ts';
import { outsideOf } from '../ros-port.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ForwardFacts extends Facts {
  readonly end: string;
  readonly asked: string;
  readonly direction: Direction;
  /** Where a rule or a policy refuses, and its text; null where only PostUp shows what is missing. */
  readonly place: string | null;
  readonly rule: string;
  readonly postUp: string | null;
  readonly tunnel: string;
}

const WHAT: Readonly<Record<Direction, (asked: string) => string>> = {
  in: (asked) => `packets from the tunnel to ${asked}`,
  back: (asked) => `what comes back into the tunnel from ${asked}`,
  out: (asked) => `new packets into the tunnel from ${asked}`,
};

export const forwardRuleMissing = defineRule({
  name: 'forward-rule-missing',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'an end is to pass on packets of other ends, and its forwarding firewall lets them through in one direction only, or not at all',
    why: 'forwarded packets meet the FORWARD chain both ways: where it drops by default, as with Docker or ufw, a rule for what comes in by the tunnel does not let the answers back into it',
    fix: 'accept both what comes in by the tunnel and what goes out by it, before any rule that drops',
  },
  check: (world): Found<ForwardFacts>[] => settings(world).flatMap((entry) => found(entry, world)),
  message({ end, asked, direction, place, rule, postUp }) {
    if (place === null) {
      const [has, lacks] = direction === 'in' ? ['goes out by', 'comes in by'] : ['comes in by', 'goes out by'];
      return `${postUp} lets ${end} forward what ${has} the tunnel, and nothing that ${lacks} it: where FORWARD drops by default, ${WHAT[direction](asked)} is lost`;
    }
    return `${end} does not forward ${WHAT[direction](asked)}: the first rule that fits is “${rule}” (${place})`;
  },
  fix: ({ direction, tunnel }) => {
    const linux = tunnel === '' ? SELF : tunnel;
    const option = direction === 'in' ? '-i' : '-o';
    const way = direction === 'in' ? 'in-interface' : 'out-interface';
    return {
      linux: [
        `in [Interface]: PostUp = iptables -I FORWARD ${option} ${SELF} -j ACCEPT; PostDown = iptables -D FORWARD ${option} ${SELF} -j ACCEPT`,
        `at once: iptables -I FORWARD ${option} ${linux === SELF ? 'INTERFACE' : linux} -j ACCEPT   (nft: insert rule FAMILY TABLE forward ${option === '-i' ? 'iifname' : 'oifname'} … accept; ufw: ufw route allow ${option === '-i' ? 'in' : 'out'} on …)`,
      ],
      routeros: [
        `/ip firewall filter add chain=forward action=accept ${way}=${tunnel === '' ? 'WIREGUARD' : tunnel} place-before=[find where chain=forward action=drop]`,
      ],
    };
  },
});

function found(entry: ConfEntry, world: World): Found<ForwardFacts>[] {
  const through = askedThrough(world, entry).filter(({ prefix }) => prefix.ip.length === 4);
  if (through.length === 0) return [];
  if (routerOf(entry) !== undefined) return firstOf(through, (one) => byRouter(entry, one));
  const postUp = postUpOf(entry.conf);
  const host = hostOf(entry, world);
  const listed = host === undefined ? [] : firstOf(through, (one) => byListing(host, one, postUp));
  if (listed.length > 0 || (host !== undefined && hasForward(host))) return listed;
  return firstOf(through, (one) => byPostUp(entry, one, postUp));
}

/** One finding for each direction is enough, whatever is asked for. */
function firstOf(through: readonly Asked[], judge: (one: Asked) => Found<ForwardFacts>[]): Found<ForwardFacts>[] {
  for (const one of through) {
    const findings = judge(one);
    if (findings.length > 0) return findings;
  }
  return [];
}

const hasForward = ({ machine }: Host): boolean =>
  machine.filters.some(({ filter }) => filter.chains.some(({ hook }) => hook === 'forward'));

function byListing(host: Host, one: Asked, postUp: PostUp): Found<ForwardFacts>[] {
  const { machine, sure } = host;
  const tunnels = tunnelNames(host);
  // without its name no rule can be told from those for other interfaces
  if (tunnels.length === 0) return [];
  const outside = wayTo(one.prefix, machine, tunnels);
  for (const direction of ['in', 'back'] as const) {
    const probe = forwardProbe(direction, { tunnels, outside, sources: innerSources(one, 4), family: 'ip' });
    const judged = hostFate(machine, probe);
    if (judged?.fate.kind !== 'refused' || (!mentions(host, tunnels) && postUpLets(postUp, probe, tunnels))) continue;
    const { by, unless } = judged.fate;
    return [
      {
        facts: factsOf(one, direction, tunnels[0] ?? '', { place: `${machine.name} line ${by.line}`, rule: by.text }),
        certainty: sure && unless.length === 0 ? 'deduced' : 'suspected',
        frames: [],
        subject: machineSubject(machine),
        notes: [...presumption(host), ...unlessNotes(unless), ...counted(by)],
      },
    ];
  }
  return [];
}

/** The listing was taken while the tunnel was up. */
function mentions({ machine }: Host, tunnels: readonly string[]): boolean {
  return machine.filters.some(({ filter }) =>
    filter.chains.some(({ rules }) =>
      rules.some(({ matches }) =>
        matches.some(
          (match) =>
            (match.kind === 'in-interface' || match.kind === 'out-interface') &&
            match.names.some((name) => tunnels.includes(name)),
        ),
      ),
    ),
  );
}

const unlessNotes = (unless: readonly Decider[]): string[] =>
  unless
    .slice(0, 3)
    .map(({ line, text }) => `unless this lets them through, which the listing leaves open: “${text}” (line ${line})`);

const counted = ({ packets, line }: Decider): string[] =>
  packets === undefined ? [] : [`${packets} packets have met line ${line} so far`];

/** What PostUp adds to FORWARD in this direction, as far as it can be told. */
function postUpFits({ rules }: PostUp, probe: Probe): Fits {
  return some(
    rules
      .filter(
        ({ table, chain, family, rule }) =>
          table === 'filter' && chain === 'FORWARD' && family === 'ip' && rule.verdict.kind === 'accept',
      )
      .map(({ rule }) => fitsRule(rule, probe)),
  );
}

function postUpLets(postUp: PostUp, probe: Probe, tunnels: readonly string[]): boolean {
  const own = { names: [SELF, ...tunnels], never: [] };
  const asked =
    probe.in.names === undefined || !probe.in.names.some((name) => tunnels.includes(name))
      ? { ...probe, out: own }
      : { ...probe, in: own };
  return postUp.opaque || postUpFits(postUp, asked) !== 'no';
}

/** Rules that were written for one direction show that the other was forgotten. */
function byPostUp(entry: ConfEntry, one: Asked, postUp: PostUp): Found<ForwardFacts>[] {
  const { opaque, forwardLine } = postUp;
  if (opaque || forwardLine === undefined) return [];
  const file = /([^/\\]{1,15})\.conf$/.exec(entry.name)?.[1];
  const names = [SELF, ...(file === undefined ? [] : [file]), ...literalNames(postUp)];
  const known = {
    tunnels: names,
    outside: { never: ['lo', ...names] },
    sources: innerSources(one, 4),
    family: 'ip' as const,
  };
  const into = postUpFits(postUp, forwardProbe('in', known));
  const back = postUpFits(postUp, forwardProbe('back', known));
  if ((into === 'no') === (back === 'no')) return [];
  const direction = into === 'no' ? 'in' : 'back';
  const line = placeOf(entry, forwardLine);
  return [
    {
      facts: { ...factsOf(one, direction, '', { place: null, rule: '' }), postUp: `PostUp at ${line}` },
      certainty: 'suspected',
      frames: [],
      subject: fileSubject(entry),
      edits: edits(entry, forwardLine, direction),
      notes: [
        'where FORWARD accepts by default, or lets established connections through by another rule, nothing is missing: iptables -S FORWARD shows it',
      ],
    },
  ];
}

/** `wg0` written out in place of %i. */
function literalNames({ rules }: PostUp): string[] {
  return rules.flatMap(({ rule }) =>
    rule.matches.flatMap((match) =>
      match.kind === 'in-interface' || match.kind === 'out-interface'
        ? match.names.filter((name) => /^(wg|tun|awg)/.test(name))
        : [],
    ),
  );
}

function edits({ input, origin, conf }: ConfEntry, line: number, direction: Direction): Edit[] {
  if (origin.kind !== 'wg-quick') return [];
  const rule = `FORWARD ${direction === 'in' ? '-i' : '-o'} ${SELF} -j ACCEPT`;
  const down = conf.interface.postDown.at(-1)?.line;
  return [
    { input, line, kind: 'insert-after', text: `PostUp = iptables -A ${rule}` },
    ...(down === undefined
      ? []
      : [{ input, line: down, kind: 'insert-after' as const, text: `PostDown = iptables -D ${rule}` }]),
  ];
}

function byRouter(entry: ConfEntry, one: Asked): Found<ForwardFacts>[] {
  const router = routerOf(entry);
  const name = router?.end.name;
  if (router === undefined || name === undefined) return [];
  const outside = one.internet ? outsideOf(router.config, name) : { never: [name] };
  for (const direction of ['in', 'back'] as const) {
    const probe = forwardProbe(direction, { tunnels: [name], outside, sources: innerSources(one, 4), family: 'ip' });
    const { kind, by, unless } = rosFate(router.config, probe);
    if (kind !== 'refused' || by === undefined) continue;
    return [
      {
        facts: factsOf(one, direction, name, { place: placeOf(entry, by.line), rule: rosRuleText(by) }),
        certainty: unless.length === 0 ? 'deduced' : 'suspected',
        frames: [],
        subject: fileSubject(entry),
        notes: unless.slice(0, 3).map((rule) => `unless line ${rule.line} lets them through: “${rosRuleText(rule)}”`),
      },
    ];
  }
  return [];
}

function factsOf(
  one: Asked,
  direction: Direction,
  tunnel: string,
  by: Pick<ForwardFacts, 'place' | 'rule'>,
): ForwardFacts {
  return { end: one.through.name, asked: askedText(one), direction, tunnel, postUp: null, ...by };
}
