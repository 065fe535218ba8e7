/** What wg-quick would do to this machine for a configuration, as commands, each with what takes it back. */
import { formatIp, formatPrefix, maskIp, type Prefix } from '../../base/address.ts';
import type { WgConf } from '../../config/wg-conf.ts';

export interface SystemCommand {
  readonly argv: readonly string[];
  readonly input?: string;
  /** Where the configuration has it, `PostUp (line 7)`: it may hold a secret, so it is not repeated. */
  readonly hook?: string;
}

export interface SetupStep {
  readonly run: SystemCommand;
  /** Left out where it goes with the interface. */
  readonly undo?: SystemCommand;
  /** What is printed by this makes `run` needless. */
  readonly unlessSaid?: SystemCommand;
  /** Without it the tunnel works all the same; what is lost then. */
  readonly optional?: string;
}

export interface SetupFacts {
  readonly name: string;
  readonly conf: WgConf;
  readonly mtu: number;
  /** Mark of our datagrams and routing table of everything else, where a default route goes into the tunnel. */
  readonly table: number;
  readonly hasNft: boolean;
  readonly hasResolvconf: boolean;
  /** PreUp, PostUp, PreDown and PostDown are run. */
  readonly hooks: boolean;
}

/** Smaller than the smallest that IPv6 works with (RFC 8200 §5). */
const IPV6_LEAST_MTU = 1280;

const ip = (prefix: Pick<Prefix, 'ip'>, ...argv: readonly string[]): SystemCommand => ({
  argv: ['ip', prefix.ip.length === 4 ? '-4' : '-6', ...argv],
});

/** Each once, host bits off, the narrower first as wg-quick has it. */
function ranges({ peers }: WgConf): Prefix[] {
  const all = new Map<string, Prefix>();
  for (const { allowedIps } of peers) {
    for (const { value } of allowedIps) {
      const range = { ip: maskIp(value.ip, value.bits), bits: value.bits };
      all.set(formatPrefix(range), range);
    }
  }
  return [...all.values()].sort((a, b) => b.bits - a.bits);
}

const QUIETER = 'packets to groups are among the drops';

const isDefault = ({ bits }: Prefix): boolean => bits === 0;

/** A default route into the tunnel would take our own datagrams along: then they carry a mark, and rules go by it. */
export function needsMark(conf: WgConf): boolean {
  const table = conf.interface.table?.value ?? 'auto';
  return table === 'auto' && ranges(conf).some(isDefault);
}

const HOOK_NAMES = { preUp: 'PreUp', postUp: 'PostUp', preDown: 'PreDown', postDown: 'PostDown' } as const;

/** Those lines of the configuration as commands, in their order; none unless they were asked for. */
function hooksOf({ name, conf, hooks }: SetupFacts, which: keyof typeof HOOK_NAMES): SystemCommand[] {
  const lines = hooks ? conf.interface[which] : [];
  return lines.map(({ value, line }) => ({
    argv: ['bash', '-c', value.replaceAll('%i', name)],
    hook: `${HOOK_NAMES[which]} (line ${line})`,
  }));
}

/** What is done before the interface goes, if there is time for it. */
export const planDown = (facts: SetupFacts): SystemCommand[] => hooksOf(facts, 'preDown');

export function planSetup(facts: SetupFacts): SetupStep[] {
  const { name, conf, mtu } = facts;
  const { addresses } = conf.interface;
  return [
    // What takes PostUp back must be known before anything is done; the last is undone first.
    ...hooksOf(facts, 'postDown')
      .reverse()
      .map((undo) => ({ run: { argv: ['true'] }, undo })),
    ...hooksOf(facts, 'preUp').map((run) => ({ run })),
    ...addresses.map(({ value }) => ({
      run: ip(value, 'address', 'add', `${formatIp(value.ip)}/${value.bits}`, 'dev', name),
    })),
    // As the kernel's own interfaces are: no addresses made up, and no group traffic, which no peer could be meant by.
    { run: { argv: ['ip', 'link', 'set', 'dev', name, 'multicast', 'off', 'addrgenmode', 'none'] }, optional: QUIETER },
    { run: { argv: ['ip', 'link', 'set', 'mtu', `${mtu}`, 'up', 'dev', name] } },
    ...names(facts),
    ...routes(facts),
    ...hooksOf(facts, 'postUp').map((run) => ({ run })),
  ];
}

/** What is to be known about this configuration that is not done. */
export function planNotes({ conf, mtu, hasResolvconf, hasNft, hooks }: SetupFacts): string[] {
  const { preUp, postUp, preDown, postDown, dns, dnsSearch, saveConfig, addresses } = conf.interface;
  const lines = [...preUp, ...postUp, ...preDown, ...postDown].map(({ line }) => line).sort((a, b) => a - b);
  const six = addresses.some(({ value }) => value.ip.length === 16);
  return [
    ...(addresses.length === 0 ? ['there is no Address: the interface gets none'] : []),
    ...(lines.length > 0 && !hooks
      ? [
          `the shell commands of line${lines.length === 1 ? '' : 's'} ${lines.join(', ')} are not run: --hooks runs them`,
        ]
      : []),
    ...(dns.length + dnsSearch.length > 0 && !hasResolvconf
      ? ['DNS is not set: there is no resolvconf here (openresolv and systemd-resolved bring one)']
      : []),
    ...(needsMark(conf) && !hasNft
      ? ['there is no nft here: with strict reverse path filters answers may be lost']
      : []),
    ...(saveConfig?.value === true ? ['SaveConfig is not followed: the file stays as it is'] : []),
    ...(six && mtu < IPV6_LEAST_MTU
      ? [`with an MTU of ${mtu} there is no IPv6 in the tunnel: it needs ${IPV6_LEAST_MTU}`]
      : []),
  ];
}

function names({ name, conf, hasResolvconf }: SetupFacts): SetupStep[] {
  const { dns, dnsSearch } = conf.interface;
  if (!hasResolvconf || dns.length + dnsSearch.length === 0) return [];
  const input = [
    ...dns.map(({ value }) => `nameserver ${formatIp(value)}\n`),
    ...(dnsSearch.length > 0 ? [`search ${dnsSearch.map(({ value }) => value).join(' ')}\n`] : []),
  ].join('');
  return [
    {
      run: { argv: ['resolvconf', '-a', name, '-m', '0', '-x'], input },
      undo: { argv: ['resolvconf', '-d', name, '-f'] },
      optional: 'names are looked up as before',
    },
  ];
}

function routes(facts: SetupFacts): SetupStep[] {
  const { name, conf } = facts;
  const table = conf.interface.table?.value ?? 'auto';
  if (table === 'off') return [];
  const all = ranges(conf);
  if (table !== 'auto') {
    return all.map((range) => ({ run: ip(range, 'route', 'add', formatPrefix(range), 'dev', name, 'table', table) }));
  }
  return all.flatMap((range) => {
    if (isDefault(range)) return defaultRoute(facts, range);
    const text = formatPrefix(range);
    return {
      run: ip(range, 'route', 'add', text, 'dev', name),
      unlessSaid: ip(range, 'route', 'show', 'dev', name, 'match', text),
    };
  });
}

/** All but our own datagrams goes by a table of its own; the main one still holds for what it knows better than a default. */
function defaultRoute({ name, conf, table, hasNft }: SetupFacts, range: Prefix): SetupStep[] {
  const number = `${table}`;
  const notMarked = ['not', 'fwmark', number, 'table', number];
  const suppress = ['table', 'main', 'suppress_prefixlength', '0'];
  const family = range.ip.length === 4 ? 'ip' : 'ip6';
  const own = conf.interface.addresses.filter(({ value }) => value.ip.length === range.ip.length);
  return [
    { run: ip(range, 'route', 'add', formatPrefix(range), 'dev', name, 'table', number) },
    { run: ip(range, 'rule', 'add', ...notMarked), undo: ip(range, 'rule', 'del', ...notMarked) },
    { run: ip(range, 'rule', 'add', ...suppress), undo: ip(range, 'rule', 'del', ...suppress) },
    ...(family === 'ip'
      ? [
          {
            run: { argv: ['sysctl', '-q', 'net.ipv4.conf.all.src_valid_mark=1'] },
            optional: 'with strict reverse path filters answers may be lost',
          },
        ]
      : []),
    ...(hasNft
      ? [
          {
            run: {
              argv: ['nft', '-f', '-'],
              input: rules(
                family,
                name,
                number,
                own.map(({ value }) => formatIp(value.ip)),
              ),
            },
            undo: { argv: ['nft', 'delete', 'table', family, nftTable(name)] },
            optional: 'with strict reverse path filters answers may be lost',
          },
        ]
      : []),
  ];
}

const nftTable = (name: string): string => `wgwhy-${name}`;

/**
 * Our addresses are reached through the tunnel only; and answers to marked datagrams get the mark back, so that the
 * reverse path filter looks for their way where they went.
 */
function rules(family: string, name: string, mark: string, own: readonly string[]): string {
  return [
    `table ${family} ${nftTable(name)} {`,
    ' chain own { type filter hook prerouting priority -300;',
    ...own.map((address) => `  iifname != "${name}" ${family} daddr ${address} fib saddr type != local drop`),
    ' }',
    ' chain answers { type filter hook prerouting priority -150; meta l4proto udp meta mark set ct mark; }',
    ` chain asked { type filter hook postrouting priority -150; meta l4proto udp meta mark ${mark} ct mark set meta mark; }`,
    '}',
    '',
  ].join('\n');
}
