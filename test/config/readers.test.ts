/** What holds for every reader of pasted output: none throws, every place is in the text, no secret comes out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { parseFirewalld } from '../../src/config/host/firewalld.ts';
import { parseIptablesList } from '../../src/config/host/iptables-list.ts';
import { parseIptablesSave } from '../../src/config/host/iptables-save.ts';
import { parseNft } from '../../src/config/host/nft.ts';
import { parsePing } from '../../src/config/host/ping.ts';
import { parseIpRoute, parseRoutePrint } from '../../src/config/host/routes.ts';
import { parseUdpSockets } from '../../src/config/host/sockets.ts';
import { parseSysctl } from '../../src/config/host/sysctl.ts';
import { parseTimedatectl } from '../../src/config/host/timedatectl.ts';
import { parseUfwStatus } from '../../src/config/host/ufw.ts';
import { parseLog } from '../../src/config/log/parse.ts';
import { parseRosExport } from '../../src/config/routeros/export.ts';
import { parseRosPrint } from '../../src/config/routeros/print.ts';
import { parseRosSniffer } from '../../src/config/routeros/sniffer.ts';
import { sectionText, splitSections } from '../../src/config/sections.ts';
import { sniffText } from '../../src/config/sniff.ts';
import { parseWgShow } from '../../src/config/wg-show.ts';
import { parseWgShowDump } from '../../src/config/wg-show-dump.ts';
import { KEYS, sample } from './samples.ts';

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  parseFirewalld,
  parseIptablesList,
  parseIptablesSave,
  parseIpRoute,
  parseLog,
  parseNft,
  parsePing,
  parseRosExport,
  parseRosPrint,
  parseRosSniffer,
  parseRoutePrint,
  parseSysctl,
  parseTimedatectl,
  parseUdpSockets,
  parseUfwStatus,
  parseWgShow,
  parseWgShowDump,
  splitSections,
  sniffText,
};
const KEY = KEYS[0][1];

/** Words of all formats, so that texts get past the first check. */
const WORDS =
  `Chain INPUT (policy DROP)|target prot opt in out source destination|pkts bytes target prot|ACCEPT|udp|--|*|0.0.0.0/0|
udp dpt:51820|/* c */|*filter|:INPUT DROP [0:0]|-A INPUT|-p udp|--dport 51820|-j ACCEPT|!|-m multiport|COMMIT|-s ::/0|table inet filter|{|}|;|
chain input|type filter hook input priority 0|set x|elements = |@x|vmap|: accept|ct state|udp dport|"wg0"|counter packets 1 bytes 2|
log prefix "|comment|iifname|!=|,|Status: active|Default: deny (incoming), allow (outgoing)|51820/udp|ALLOW IN|Anywhere|(v6)| on wg0|
public (active)|  ports: |  rich rules: |State Recv-Q|UNCONN 0 0|0.0.0.0:51820|[::]:1|users:(("a",pid=1))|UDP|*:*|default via|dev wg0|nexthop|
metric 5|10.0.0.0/24|On-link|255.255.255.0|Active Routes:|net.ipv4.ip_forward|=|/proc/sys/|RTC time: Thu 1970-01-01 00:03:09|PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.|
64 bytes from|mtu=1420|Reply from|time<1ms|[ 1.5] wireguard: wg0:|Nov 21 01:59:30|2026-11-21T01:59:30Z|DEBUG: (wg0)|peer(8mD5…LLjo) - |
Handshake for peer 1 (1.2.3.4:5) did not complete after 5 seconds, retrying (try 2)|wireguard,debug wg1: [a]|boringtun::noise: |
/interface wireguard peers|/ip firewall filter|add|set|remove|[find|]|"|\\|\\\n|name=|public-key=|allowed-address=|private-key=|comment="|endpoint-port=|0|$x|#|:if (|
 by RouterOS 7.1|# 2026-01-02 03:04:05|Flags: X - DISABLED|Columns: A, B|# A  B|;;; c|R|X|time: 1|interface: wg0|peer: |transfer: 1 B received, 2 B sent|
latest handshake: 1 minute ago|(none)|(hidden)|wg0|51820|off|[admin@MikroTik] > |root@host:~# |wg show|\`\`\`|<-|->|AA:BB:CC:00:00:01|ip:udp|1h2m|35.6MiB`
    .split(/\n?\|\n?/)
    .concat(KEY, '\n', '\n', '\r\n', ' ', '  ', '\t', '\u00a0', '\ufeff', '\u001b[1m');
const text = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...WORDS) }, fc.string({ unit: 'binary', maxLength: 6 })), {
    maxLength: 60,
  })
  .map((words) => words.join(''));

interface Placed {
  readonly line?: number;
  readonly column?: number;
}

function problemsOf(read: unknown): readonly Placed[] {
  return typeof read === 'object' && read !== null && 'problems' in read && Array.isArray(read.problems)
    ? read.problems
    : [];
}

/** Every line and column anywhere in what was read. */
function places(value: unknown, into: Placed[] = []): readonly Placed[] {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return into;
  if ('line' in value && typeof value.line === 'number') {
    into.push(
      'column' in value && typeof value.column === 'number'
        ? { line: value.line, column: value.column }
        : { line: value.line },
    );
  }
  for (const inner of Object.values(value)) places(inner, into);
  return into;
}

test.each(Object.entries(READERS))('%s: no text makes it throw, and every place is in the text', (_, read) => {
  fc.assert(
    fc.property(fc.oneof({ weight: 4, arbitrary: text }, fc.string({ unit: 'binary' })), (given) => {
      const rows = given.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
      for (const { line, column } of places(read(given))) {
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(rows.length);
        // Colours are taken off before columns are counted.
        if (column !== undefined && !given.includes('\u001b')) {
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual((rows[(line ?? 1) - 1]?.length ?? 0) + 1);
        }
      }
    }),
    { numRuns: 150 },
  );
});

/** Texts of the formats, with K where a key stands. */
const FORMS = [
  '/interface wireguard add private-key="K"',
  '/interface wireguard peers add preshared-key=K public-key=abc',
  '/interface wireguard peers\nadd private-key=\\\n    "K" preshared-key="K"',
  '/interface wireguard peers add endpoint-address=K name=K comment="key K"',
  '/ppp secret add password=K\n/user add name=x password="K"',
  '/system script add source="wg set K"\n# private-key K\n/ip address add',
  ':local key "K"\n/interface wireguard set [find] private-key=$key',
  ' 0  R name="wg1" private-key="K" \n',
  '0 R name=wg1 private-key=K public-key=',
  'interface: wg0\n  private key: K\npeer: abc\n  preshared key: K\n',
  'interface: wg0\n  private key: K.\n  endpoint: K\n  listening port: K\n  fwmark: K\n',
  `K\t${KEY}\t51820\toff\n${KEY}\tK\t(none)\t(none)\t0\t0\t0\toff`,
  `wg0\tK\t${KEY}\t51820\toff\nwg0\t${KEY}\tK\t(none)\t(none)\t0\t0\t0\toff`,
  '[ 1.5] wireguard: wg0: K\nroot@host:~# wg set wg0 private-key K\n',
  '14:25:01 wireguard,debug wg1: K K: K',
];

/** All that JavaScript calls white space, of which web pages and chats bring any. */
const SPACES = [...'\t\v\f\r \u00a0\u1680\u2000\u2003\u2009\u2028\u2029\u202f\u205f\u3000\ufeff'];

test.each(Object.entries(READERS))('%s: any white space anywhere ends', (_, read) => {
  for (const form of [...FORMS, WORDS.join('\n'), WORDS.join(' ')]) {
    const whole = form.replaceAll('K', KEY);
    for (const space of SPACES) {
      read(whole.replaceAll(' ', space));
      read(whole.replaceAll(/[=: ,"]/g, `$&${space}`));
      read(whole.replaceAll(/[=: ,"]/g, `${space}$&`));
    }
  }
});

test('sections keep every line that is no prompt and no fence, once and in order', () => {
  fc.assert(
    fc.property(text, (given) => {
      const sections = splitSections(given);
      const numbers = sections.flatMap(({ lines }) => lines.map(({ number }) => number));
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      for (const section of sections) {
        const rows = sectionText(section).split('\n');
        for (const { number, text: row } of section.lines) expect(rows[number - 1]).toBe(row);
      }
    }),
    { numRuns: 200 },
  );
});

test('no secret comes out, wherever it was put', () => {
  const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBase64);
  const around = fc.constantFrom(...FORMS);
  const shownBy = (read: (given: string) => unknown, given: string): string =>
    JSON.stringify(read(given), (name, value) => (name === 'lines' || name === 'command' ? undefined : value));
  fc.assert(
    fc.property(secret, around, (key, form) => {
      const given = form.replaceAll('K', key);
      for (const [name, read] of Object.entries(READERS)) {
        const shown = shownBy(read, given);
        const runs = Array.from({ length: 37 }, (_, i) => key.slice(i, i + 8)).filter((run) => shown.includes(run));
        expect([name, runs]).toEqual([name, []]);
      }
    }),
    { numRuns: 150 },
  );
});

test('damage to an export is a problem in its place, never an exception', () => {
  const whole = sample('ros-export-sensitive.rsc');
  fc.assert(
    fc.property(
      fc.nat(whole.length),
      fc.nat(6),
      fc.constantFrom('', '"', '\\', '[', ']', '{', '}', '=', '\n', ';', '#', '$', '('),
      (at, drop, put) => {
        const given = whole.slice(0, at) + put + whole.slice(at + drop);
        const rows = given.split('\n');
        for (const { line, column } of problemsOf(parseRosExport(given))) {
          expect(line).toBeLessThanOrEqual(rows.length);
          expect(column).toBeLessThanOrEqual((rows[(line ?? 1) - 1]?.length ?? 0) + 1);
        }
      },
    ),
    { numRuns: 150 },
  );
});
