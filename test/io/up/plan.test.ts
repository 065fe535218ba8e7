/** The commands of a setup and what takes each of them back, against what wg-quick runs for the same configuration. */
import { describe, expect, test } from 'vitest';
import { parseWgConf } from '../../../src/config/wg-quick.ts';
import {
  needsMark,
  planDown,
  planNotes,
  planSetup,
  type SetupFacts,
  type SetupStep,
  type SystemCommand,
} from '../../../src/io/up/plan.ts';

const KEYS = ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI='];

/** Lines of [Interface], and AllowedIPs of each peer. */
function facts(lines: readonly string[], allowed: readonly string[], changes: Partial<SetupFacts> = {}): SetupFacts {
  const peers = allowed.map((ips, i) => `[Peer]\nPublicKey = ${KEYS[i]}\nAllowedIPs = ${ips}`);
  const { conf } = parseWgConf(['[Interface]', `PrivateKey = ${KEYS[0]}`, ...lines, ...peers].join('\n'));
  return { name: 'wg7', conf, mtu: 1420, table: 51_820, hasNft: true, hasResolvconf: true, hooks: false, ...changes };
}

const text = ({ argv }: SystemCommand): string => argv.join(' ');
const runs = (steps: readonly SetupStep[]): string[] => steps.map(({ run }) => text(run));
/** In the order in which they are done: the last first. */
const undone = (steps: readonly SetupStep[]): string[] =>
  steps
    .flatMap(({ undo }) => undo ?? [])
    .map(text)
    .reverse();

const QUIET = 'ip link set dev wg7 multicast off addrgenmode none';
const UP = 'ip link set mtu 1420 up dev wg7';

const DEFAULT_4 = [
  'ip -4 route add 0.0.0.0/0 dev wg7 table 51820',
  'ip -4 rule add not fwmark 51820 table 51820',
  'ip -4 rule add table main suppress_prefixlength 0',
  'sysctl -q net.ipv4.conf.all.src_valid_mark=1',
];
const DEFAULT_6 = [
  'ip -6 route add ::/0 dev wg7 table 51820',
  'ip -6 rule add not fwmark 51820 table 51820',
  'ip -6 rule add table main suppress_prefixlength 0',
];
const UNDONE_4 = [
  'nft delete table ip wgwhy-wg7',
  'ip -4 rule del table main suppress_prefixlength 0',
  'ip -4 rule del not fwmark 51820 table 51820',
];
const UNDONE_6 = [
  'nft delete table ip6 wgwhy-wg7',
  'ip -6 rule del table main suppress_prefixlength 0',
  'ip -6 rule del not fwmark 51820 table 51820',
];

interface Case {
  readonly name: string;
  readonly facts: SetupFacts;
  readonly runs: readonly string[];
  readonly undone?: readonly string[];
}

const cases: readonly Case[] = [
  { name: 'nothing but a key', facts: facts([], []), runs: [QUIET, UP] },
  {
    name: 'addresses as written, routes with the host bits off, each once, the narrowest first',
    facts: facts(['Address = 10.0.0.1/24, fd00::1/64'], ['10.1.2.3/16, 10.0.0.2/32', '10.1.9.9/16, fd00:1::5/32']),
    runs: [
      'ip -4 address add 10.0.0.1/24 dev wg7',
      'ip -6 address add fd00::1/64 dev wg7',
      QUIET,
      UP,
      'ip -4 route add 10.0.0.2/32 dev wg7',
      'ip -6 route add fd00:1::/32 dev wg7',
      'ip -4 route add 10.1.0.0/16 dev wg7',
    ],
  },
  {
    name: 'the default route of IPv4',
    facts: facts([], ['0.0.0.0/0']),
    runs: [QUIET, UP, ...DEFAULT_4, 'nft -f -'],
    undone: UNDONE_4,
  },
  {
    name: 'of both families, beside a narrower one',
    facts: facts(['Address = 10.0.0.1/32'], ['0.0.0.0/0, ::/0, 192.0.2.0/24']),
    runs: [
      'ip -4 address add 10.0.0.1/32 dev wg7',
      QUIET,
      UP,
      'ip -4 route add 192.0.2.0/24 dev wg7',
      ...DEFAULT_4,
      'nft -f -',
      ...DEFAULT_6,
      'nft -f -',
    ],
    undone: [...UNDONE_6, ...UNDONE_4],
  },
  {
    name: 'without nft',
    facts: facts([], ['::/0'], { hasNft: false }),
    runs: [QUIET, UP, ...DEFAULT_6],
    undone: UNDONE_6.slice(1),
  },
  {
    name: 'a mark of its own is the table as well',
    facts: facts(['FwMark = 0x99'], ['::/0'], { table: 0x99, hasNft: false }),
    runs: [QUIET, UP, ...DEFAULT_6.map((line) => line.replaceAll('51820', '153'))],
    undone: UNDONE_6.slice(1).map((line) => line.replaceAll('51820', '153')),
  },
  { name: 'Table = off', facts: facts(['Table = off'], ['0.0.0.0/0, 10.0.0.0/8']), runs: [QUIET, UP] },
  {
    name: 'Table = 123: the default route goes there as any other',
    facts: facts(['Table = 123'], ['0.0.0.0/0, fd00::/8']),
    runs: [QUIET, UP, 'ip -6 route add fd00::/8 dev wg7 table 123', 'ip -4 route add 0.0.0.0/0 dev wg7 table 123'],
  },
  {
    name: 'DNS',
    facts: facts(['DNS = 10.0.0.53, fd00::53, corp.example, example.net'], []),
    runs: [QUIET, UP, 'resolvconf -a wg7 -m 0 -x'],
    undone: ['resolvconf -d wg7 -f'],
  },
  {
    name: 'DNS without resolvconf',
    facts: facts(['DNS = 10.0.0.53'], [], { hasResolvconf: false }),
    runs: [QUIET, UP],
  },
  { name: 'an MTU', facts: facts([], [], { mtu: 1280 }), runs: [QUIET, 'ip link set mtu 1280 up dev wg7'] },
];

const HOOKS = [
  'PreUp = echo %i pre-up',
  'PostUp = a %i && b',
  'PostUp = c "%i" %i',
  'PreDown = pre-down 1 %i',
  'PreDown = pre-down 2',
  'PostDown = post-down 1 %i',
  'PostDown = post-down 2',
];

test.each(cases)('$name', ({ facts: given, runs: wanted, undone: back = [] }) => {
  const steps = planSetup(given);
  expect(runs(steps)).toEqual(wanted);
  expect(undone(steps)).toEqual(back);
  expect(planDown(given)).toEqual([]);
});

describe('hooks', () => {
  test('are left out unless they are wanted', () => {
    const given = facts(HOOKS, ['10.0.0.0/8']);
    expect(runs(planSetup(given))).toEqual([QUIET, UP, 'ip -4 route add 10.0.0.0/8 dev wg7']);
    expect(planDown(given)).toEqual([]);
  });

  test('stand where wg-quick has them, in the order of the file, with the name in place of %i', () => {
    const given = facts(HOOKS, ['10.0.0.0/8'], { hooks: true });
    const steps = planSetup(given);
    expect(runs(steps).filter((line) => line !== 'true')).toEqual([
      'bash -c echo wg7 pre-up',
      QUIET,
      UP,
      'ip -4 route add 10.0.0.0/8 dev wg7',
      'bash -c a wg7 && b',
      'bash -c c "wg7" wg7',
    ]);
    expect(planDown(given).map(text)).toEqual(['bash -c pre-down 1 wg7', 'bash -c pre-down 2']);
    expect(undone(steps)).toEqual(['bash -c post-down 1 wg7', 'bash -c post-down 2']);
  });

  test('PostDown is known before anything is done', () => {
    const steps = planSetup(facts(HOOKS, ['0.0.0.0/0'], { hooks: true }));
    const lastDown = steps.findLastIndex(({ undo }) => undo?.argv[0] === 'bash');
    expect(steps.slice(0, lastDown + 1).map(({ run }) => text(run))).toEqual(['true', 'true']);
  });

  test('may hold secrets, and are named by their place', () => {
    const given = facts(HOOKS, [], { hooks: true });
    const all = [...planSetup(given).flatMap(({ run, undo }) => [run, undo ?? run]), ...planDown(given)];
    for (const { argv, hook } of all) expect(hook !== undefined).toBe(argv[0] === 'bash');
    expect(new Set(all.flatMap(({ hook }) => hook ?? []))).toEqual(
      new Set(HOOKS.map((hook, i) => `${hook.split(' ')[0]} (line ${i + 3})`)),
    );
  });
});

describe('steps', () => {
  test('a route that is there by the address is not added again', () => {
    const steps = planSetup(facts(['Address = fd00::1/64'], ['fd00::2/64, 0.0.0.0/0']));
    const asked = steps.flatMap(({ unlessSaid, run }) =>
      unlessSaid === undefined ? [] : [[text(unlessSaid), text(run)]],
    );
    expect(asked).toEqual([['ip -6 route show dev wg7 match fd00::/64', 'ip -6 route add fd00::/64 dev wg7']]);
  });

  test('what the tunnel works without may fail, and says what is lost; nothing else', () => {
    const steps = planSetup(facts(['DNS = 10.0.0.53', 'Address = 10.0.0.1/8'], ['0.0.0.0/0', '10.0.0.0/8']));
    const optional = steps.filter((step) => step.optional !== undefined).map(({ run }) => run.argv[0]);
    expect(optional).toEqual(['ip', 'resolvconf', 'sysctl', 'nft']);
    expect(steps.find((step) => step.optional !== undefined)?.run.argv).toContain('multicast');
  });

  test('what resolvconf reads', () => {
    const [step] = planSetup(facts(['DNS = 10.0.0.53, fd00::53, corp.example, example.net'], [])).slice(-1);
    expect(step?.run.input).toBe('nameserver 10.0.0.53\nnameserver fd00::53\nsearch corp.example example.net\n');
  });

  test('what nft reads: own addresses of that family, the mark, one table a family', () => {
    const addresses = 'Address = 10.0.0.1/24, 192.0.2.9, fd00::1/64';
    const steps = planSetup(facts([addresses, 'FwMark = 7'], ['0.0.0.0/0, ::/0'], { table: 7 }));
    const [four = '', six = ''] = steps.filter(({ run }) => run.argv[0] === 'nft').map(({ run }) => run.input);
    expect(four).toBe(
      [
        'table ip wgwhy-wg7 {',
        ' chain own { type filter hook prerouting priority -300;',
        '  iifname != "wg7" ip daddr 10.0.0.1 fib saddr type != local drop',
        '  iifname != "wg7" ip daddr 192.0.2.9 fib saddr type != local drop',
        ' }',
        ' chain answers { type filter hook prerouting priority -150; meta l4proto udp meta mark set ct mark; }',
        ' chain asked { type filter hook postrouting priority -150; meta l4proto udp meta mark 7 ct mark set meta mark; }',
        '}',
        '',
      ].join('\n'),
    );
    expect(six).toContain('table ip6 wgwhy-wg7 {');
    expect(six.match(/daddr .*/g)).toEqual(['daddr fd00::1 fib saddr type != local drop']);
  });
});

test.each<[string, readonly string[], readonly string[], boolean]>([
  ['no default route', [], ['10.0.0.0/8'], false],
  ['one in IPv4', [], ['10.0.0.0/8', '0.0.0.0/0'], true],
  ['one in IPv6', [], ['::/0'], true],
  ['halves of one', [], ['0.0.0.0/1, 128.0.0.0/1'], false],
  ['Table = auto', ['Table = auto'], ['::/0'], true],
  ['Table = off', ['Table = off'], ['::/0'], false],
  ['Table = 5', ['Table = 5'], ['::/0'], false],
])('our own datagrams need a mark: %s', (_, lines, allowed, wanted) => {
  expect(needsMark(facts(lines, allowed).conf)).toBe(wanted);
});

describe('notes', () => {
  const ADDRESS = 'Address = 10.0.0.1/24';
  test.each<[string, SetupFacts, readonly string[]]>([
    ['nothing', facts(['Address = 10.0.0.1/8, fd00::1/64', 'DNS = 10.0.0.53'], ['0.0.0.0/0']), []],
    [
      'hooks',
      facts([...HOOKS, ADDRESS], []),
      ['the shell commands of lines 3, 4, 5, 6, 7, 8, 9 are not run: --hooks runs them'],
    ],
    [
      'one hook',
      facts(['PostUp = true', ADDRESS], []),
      ['the shell commands of line 3 are not run: --hooks runs them'],
    ],
    ['hooks that are run', facts([...HOOKS, ADDRESS], [], { hooks: true }), []],
    ['no address', facts([], []), ['there is no Address: the interface gets none']],
    [
      'DNS',
      facts([ADDRESS, 'DNS = a.example'], [], { hasResolvconf: false }),
      ['DNS is not set: there is no resolvconf here (openresolv and systemd-resolved bring one)'],
    ],
    [
      'nft',
      facts([ADDRESS], ['::/0'], { hasNft: false }),
      ['there is no nft here: with strict reverse path filters answers may be lost'],
    ],
    ['nft that is not needed', facts([ADDRESS], ['10.0.0.0/8'], { hasNft: false }), []],
    ['SaveConfig', facts([ADDRESS, 'SaveConfig = true'], []), ['SaveConfig is not followed: the file stays as it is']],
    ['SaveConfig = false', facts([ADDRESS, 'SaveConfig = false'], []), []],
    [
      'an MTU without IPv6',
      facts(['Address = fd00::1/64'], [], { mtu: 1279 }),
      ['with an MTU of 1279 there is no IPv6 in the tunnel: it needs 1280'],
    ],
    ['the least MTU of IPv6', facts(['Address = fd00::1/64'], [], { mtu: 1280 }), []],
    ['a small MTU for IPv4', facts(['Address = 10.0.0.1/8'], [], { mtu: 576 }), []],
  ])('%s', (_, given, wanted) => {
    expect(planNotes(given)).toEqual(wanted);
  });
});

test('no command repeats a key', () => {
  const given = facts([...HOOKS, 'Address = 10.0.0.1/8', 'DNS = 10.0.0.53'], ['0.0.0.0/0, ::/0'], { hooks: true });
  expect(JSON.stringify([planSetup(given), planNotes(given), planDown(given)])).not.toContain(KEYS[0]);
});
