/** An end that others reach the internet through gives their private addresses no public one. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, type IpBytes, inPrefix } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { networkText } from '../../base/prefix.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import type { Edit } from '../edit.ts';
import { type Probe, some } from '../first-match.ts';
import { type Asked, askedText, askedThrough, forwardProbe, innerSources, wayTo } from '../forwarding-evidence.ts';
import { translatesSource } from '../linux-filter.ts';
import { type Host, hostOf, machineSubject, outsideInterfaces, presumption, tunnelNames } from '../machine-evidence.ts';
import { type PostUp, postUpOf, SELF } from '../post-up.ts';
import { routerOf } from '../ros-evidence.ts';
import { rosTranslates } from '../ros-filter.ts';
import { outsideOf } from '../ros-port.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface MasqueradeFacts extends Facts {
  readonly end: string;
  readonly asked: string;
  readonly source: string;
  readonly network: string;
  /** What shows it: the listing, or PostUp. */
  readonly place: string;
  readonly shownBy: 'listing' | 'post-up' | 'routeros';
  readonly outside: string | null;
}

export const masqueradeMissing = defineRule({
  name: 'masquerade-missing',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'an end forwards packets of others to the internet, and no rule gives them its own address as their source',
    why: 'an answer to a private address such as 10.66.66.2 finds no way back over the internet: what is sent leaves, and nothing comes back',
    fix: 'masquerade what comes from the tunnel’s network and leaves by the interface to the internet; between networks with routes both ways it is not needed',
  },
  check: (world): Found<MasqueradeFacts>[] => settings(world).flatMap((entry) => found(entry, world) ?? []),
  message({ end, asked, source, place, shownBy }) {
    const shown = {
      listing: `${place} translates no source of what leaves`,
      'post-up': `its PostUp (${place}) forwards and translates no source`,
      routeros: `no rule of srcnat fits them (${place})`,
    }[shownBy];
    return `${end} is to pass on packets from ${source} to ${asked}, and ${shown}: they leave with a private address`;
  },
  fix: ({ network, outside }) => ({
    linux: [
      `in [Interface]: PostUp = iptables -t nat -A POSTROUTING -s ${network} -o ${outside ?? 'OUTSIDE'} -j MASQUERADE; PostDown = the same with -D`,
      'firewalld: firewall-cmd --permanent --zone=ZONE --add-masquerade; nft: in a chain of type nat hook postrouting: oifname OUTSIDE masquerade',
    ],
    routeros: [`/ip firewall nat add chain=srcnat action=masquerade src-address=${network} out-interface-list=WAN`],
  }),
});

function found(entry: ConfEntry, world: World): Found<MasqueradeFacts> | undefined {
  const one = askedThrough(world, entry).find(({ prefix, internet }) => internet && prefix.ip.length === 4);
  if (one === undefined) return undefined;
  const sources = innerSources(one, 4);
  const [source] = sources;
  if (source === undefined || !sources.every((ip) => isPrivate(ip))) return undefined;
  if (routerOf(entry) !== undefined) return byRouter(entry, one, source);
  const postUp = postUpOf(entry.conf);
  if (postUp.rules.some(({ table, rule }) => table === 'nat' && /^(masquerade|snat)$/.test(rule.verdict.kind)))
    return undefined;
  const host = hostOf(entry, world);
  if (host !== undefined && listsNat(host)) return byListing(host, one, sources);
  return byPostUp(entry, one, source, postUp);
}

const isPrivate = (ip: IpBytes): boolean => scopeOf(ip) === 'private' || scopeOf(ip) === 'shared';

/** Translation of sources is among what was listed: empty there is empty. */
const listsNat = ({ machine }: Host): boolean =>
  machine.filters.some(({ filter }) => filter.chains.some(({ hook }) => hook === 'postrouting'));

function probeOf(host: Host, one: Asked, sources: readonly IpBytes[]): Probe {
  const tunnels = tunnelNames(host);
  return forwardProbe('in', { tunnels, outside: wayTo(one.prefix, host.machine, tunnels), sources, family: 'ip' });
}

function byListing(host: Host, one: Asked, sources: readonly IpBytes[]): Found<MasqueradeFacts> | undefined {
  const { machine, sure } = host;
  const probe = probeOf(host, one, sources);
  if (some(machine.filters.map(({ filter }) => translatesSource(filter, probe))) !== 'no') return undefined;
  if (machine.zones.some(({ masquerade }) => masquerade?.value === true)) return undefined;
  const chain = machine.filters.flatMap(({ filter }) => filter.chains).find(({ hook }) => hook === 'postrouting');
  const [outside] = outsideInterfaces(machine, tunnelNames(host)) ?? [];
  return {
    facts: {
      ...factsOf(one, sources[0] ?? one.prefix.ip),
      place: `${machine.name} line ${chain?.line ?? 1}`,
      shownBy: 'listing',
      outside: outside ?? null,
    },
    certainty: sure ? 'deduced' : 'suspected',
    frames: [],
    subject: machineSubject(machine),
    notes: [
      ...presumption(host),
      'a router in front of it that has a route back to the tunnel’s network may translate as well',
    ],
  };
}

/** Somebody who wrote rules for forwarding into the file would have written this one there too. */
function byPostUp(
  entry: ConfEntry,
  one: Asked,
  source: IpBytes,
  { opaque, forwardLine }: PostUp,
): Found<MasqueradeFacts> | undefined {
  if (opaque || forwardLine === undefined) return undefined;
  const facts = factsOf(one, source);
  return {
    facts: { ...facts, place: placeOf(entry, forwardLine), shownBy: 'post-up', outside: null },
    certainty: 'suspected',
    frames: [],
    subject: fileSubject(entry),
    edits: edits(entry, forwardLine, facts.network),
    notes: ['the firewall of the host may do it by a rule of its own: iptables -t nat -S POSTROUTING shows it'],
  };
}

/** Without the name of the interface outside: what leaves by anything but the tunnel. */
function edits({ input, origin, conf }: ConfEntry, line: number, network: string): Edit[] {
  if (origin.kind !== 'wg-quick') return [];
  const rule = `POSTROUTING -s ${network} ! -o ${SELF} -j MASQUERADE`;
  const down = conf.interface.postDown.at(-1)?.line;
  return [
    { input, line, kind: 'insert-after', text: `PostUp = iptables -t nat -A ${rule}` },
    ...(down === undefined
      ? []
      : [{ input, line: down, kind: 'insert-after' as const, text: `PostDown = iptables -t nat -D ${rule}` }]),
  ];
}

function byRouter(entry: ConfEntry, one: Asked, source: IpBytes): Found<MasqueradeFacts> | undefined {
  const router = routerOf(entry);
  const name = router?.end.name;
  if (router === undefined || name === undefined) return undefined;
  const { config, end } = router;
  const { header } = config;
  // commands, and prints of one menu, do not tell what is missing
  if (header === undefined) return undefined;
  const probe = forwardProbe('in', {
    tunnels: [name],
    outside: outsideOf(config, name),
    sources: [source],
    family: 'ip',
  });
  if (rosTranslates(config, probe) !== 'no') return undefined;
  const line = end.wireguard?.line ?? header.line;
  return {
    facts: { ...factsOf(one, source), place: placeOf(entry, line), shownBy: 'routeros', outside: null },
    certainty: 'deduced',
    frames: [],
    subject: fileSubject(entry),
    notes: ['a router in front of it that has a route back to the tunnel’s network may translate as well'],
  };
}

function factsOf(one: Asked, source: IpBytes) {
  return {
    end: one.through.name,
    asked: askedText(one),
    source: formatIp(source),
    network: tunnelNetwork(one, source),
  };
}

/** The network of the tunnel that the source lies in, as the forwarding end has it. */
function tunnelNetwork({ through }: Asked, source: IpBytes): string {
  const own = through.conf.interface.addresses.find(({ value }) => inPrefix(source, value));
  return own === undefined ? formatIp(source) : networkText(own.value);
}
