/**
 * Texts in which each further line, word or field costs a look at all those before it, unless the reader takes care. In
 * a time that grows with the square each of these would take from half a minute to hours; nothing is measured here,
 * the test's own limit is enough.
 */
import { expect, test } from 'vitest';
import { parseIptablesList } from '../../src/config/host/iptables-list.ts';
import { parseNft } from '../../src/config/host/nft.ts';
import { parsePing } from '../../src/config/host/ping.ts';
import { parseUfwStatus } from '../../src/config/host/ufw.ts';
import { parseLog } from '../../src/config/log/parse.ts';
import { rosInterfaces } from '../../src/config/routeros/as-conf.ts';
import { parseRosExport } from '../../src/config/routeros/export.ts';
import { configOfPrints } from '../../src/config/routeros/merge.ts';
import { parseRosPrint } from '../../src/config/routeros/print.ts';
import { splitSections } from '../../src/config/sections.ts';

const times = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('');
/** As long as lines are read, and more than once. */
const longLines = (unit: string, count = 60): string =>
  `${unit.repeat(Math.ceil(16_000 / unit.length))}\n`.repeat(count);

const TEXTS: readonly (readonly [string, () => unknown])[] = [
  [
    'comments of iptables that are not closed',
    () =>
      parseIptablesList(
        `Chain INPUT (policy DROP)\ntarget prot opt source destination\n${longLines('ACCEPT all -- anywhere anywhere /* ')}`,
      ),
  ],
  ['runs of spaces in ufw', () => parseUfwStatus(`Status: active\n${longLines(`a${' '.repeat(7000)}`)}`)],
  [
    'runs of spaces behind a rule of ufw',
    () => parseUfwStatus(`Status: active\n${longLines(`22 ALLOW IN  a${' '.repeat(7000)}`)}`),
  ],
  ['heads of ping that do not end', () => parsePing(longLines(') a from ').replace(/^/gm, 'PING('))],
  ['words of a log that may be a module', () => parseLog(longLines('INFO:boringtun:', 8))],
  [
    'a set of nft that every rule asks for',
    () =>
      parseNft(
        `table inet f {\nset x { elements = { ${times(20_000, (i) => `10.${i >> 8}.${i & 255}.1, `)} } }\nchain input {\n${'ip saddr @x drop\n'.repeat(20_000)}}\n}\n`,
      ),
  ],
  [
    'a map of nft behind many conditions',
    () =>
      parseNft(
        `table inet f {\nchain input {\n${'ip saddr 10.0.0.1 '.repeat(900)}udp dport vmap { ${times(60_000, (i) => `${i} : accept, `)} }\n}\n}\n`,
      ),
  ],
  [
    'settings of RouterOS with many names',
    () => parseRosExport(`/ip cloud\n${times(80, (i) => `set ${times(600, (j) => `a${i}x${j}=1 `)}\n`)}`),
  ],
  [
    'changes of RouterOS that name many items',
    () =>
      parseRosExport(
        `/ip route\n${times(15_000, (i) => `add a=${i}\n`)}${times(20, (i) => `set ${times(1_000, (j) => `${i + j},`)} b=1\n`)}`,
      ),
  ],
  ['lines that lead from menu to menu', () => parseRosExport('-A a -j b\n'.repeat(40_000))],
  ['talk above an output, which belongs to it', () => splitSections(`${'a\n'.repeat(150_000)}interface: wg0\n`)],
  ['comments above a file', () => splitSections(`${'# a\n'.repeat(150_000)}[Interface]\n`)],
  ['headings that go on and on', () => parseRosPrint(`Columns: A,\n${times(60_000, (i) => `B${i},\n`)}`)],
  ['a row of very many cells', () => parseRosPrint(`Columns: A\n# ${'A  '.repeat(5_000)}\n${longLines('1  ', 20)}`)],
  [
    'comments of a table between spaces',
    () => parseRosPrint(`Columns: A, B\n# A  B\n${longLines(`;;; a${' '.repeat(15_000)}b`, 40)}`),
  ],
  ['settings with a name for each line', () => parseRosPrint(times(60_000, (i) => `a${i}: b\n`))],
  ['a setting that is said again and again', () => parseRosPrint('a: b\n'.repeat(100_000))],
  ['a value that is wrapped over very many lines', () => parseRosPrint(` 0 name="${'x\n'.repeat(200_000)}`)],
  ['words that belong to no setting', () => parseRosPrint(` 0 name=x\n${'    a b c\n'.repeat(60_000)}`)],
  [
    'peers that each have an interface of their own',
    () => {
      const { config } = parseRosExport('/interface wireguard peers\nadd interface=w allowed-address=10.0.0.1/32\n');
      const items = config.peers.flatMap((peer) =>
        Array.from({ length: 40_000 }, (_, i) => ({ ...peer, interface: { value: `w${i}`, line: i, column: 1 } })),
      );
      return rosInterfaces(configOfPrints([{ kind: 'peers', line: 1, items }], []));
    },
  ],
];

test.each(TEXTS)('%s', (_, read) => {
  expect(read()).toBeDefined();
});

test('a rule that asks for a set has its elements, turned round where it says so', () => {
  const { filter } = parseNft(
    'table ip f {\nset x { elements = { 22, 51820 } }\nchain c {\nudp dport @x accept\nudp dport != @x drop\nudp dport @y accept\n}\n}\n',
  );
  const rules = filter.chains[0]?.rules ?? [];
  const ports = rules.map(({ matches }) => matches.find(({ kind }) => kind === 'destination-port'));
  expect(ports.map((match) => match?.negated)).toEqual([false, true, undefined]);
  expect(rules.map(({ unknown }) => unknown)).toEqual([[], [], ['udp dport @y']]);
});
