/** One `-A CHAIN …` line of iptables-save or `iptables -S`. */
import { given } from '../given.ts';
import { parseByteCount } from '../quantities.ts';
import type { Line } from '../text.ts';
import { iptablesVerdict } from './iptables-target.ts';
import {
  all,
  type FilterMatch,
  type FilterRule,
  filterPrefix,
  interfaceName,
  portRange,
  protocolName,
  ruleText,
} from './packet-filter.ts';

/** Words of a shell line; quoted ones may hold spaces. */
function shellWords(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) =>
    double === undefined ? (single ?? bare ?? '') : double.replace(/\\(.)/g, '$1'),
  );
}

type Reader = (value: string, negated: boolean) => FilterMatch | undefined;

const prefixes =
  (kind: 'source' | 'destination'): Reader =>
  (value, negated) => {
    const read = all(value.split(','), filterPrefix);
    return read === undefined ? undefined : { kind, prefixes: read, negated };
  };
const ports =
  (kind: 'source-port' | 'destination-port'): Reader =>
  (value, negated) => {
    const ranges = all(value.split(','), portRange);
    return ranges === undefined ? undefined : { kind, ranges, negated };
  };
const name =
  (kind: 'in-interface' | 'out-interface'): Reader =>
  (value, negated) => ({ kind, names: [interfaceName(value)], negated });
const protocol: Reader = (value, negated) => ({ kind: 'protocol', protocols: [protocolName(value)], negated });
const states: Reader = (value, negated) => ({
  kind: 'connection-state',
  states: value.toLowerCase().split(','),
  negated,
});

const MATCHERS: ReadonlyMap<string, Reader> = new Map([
  ['-s', prefixes('source')],
  ['--source', prefixes('source')],
  ['-d', prefixes('destination')],
  ['--destination', prefixes('destination')],
  ['-i', name('in-interface')],
  ['--in-interface', name('in-interface')],
  ['-o', name('out-interface')],
  ['--out-interface', name('out-interface')],
  ['-p', protocol],
  ['--protocol', protocol],
  ['--sport', ports('source-port')],
  ['--source-port', ports('source-port')],
  ['--sports', ports('source-port')],
  ['--dport', ports('destination-port')],
  ['--destination-port', ports('destination-port')],
  ['--dports', ports('destination-port')],
  ['--state', states],
  ['--ctstate', states],
]);

/** Reads what follows the chain's name. `counters` is the `12:840` of `iptables-save -c`. */
export function iptablesRule(line: Line, text: string, counters: string | undefined): FilterRule {
  const words = shellWords(text);
  const matches: FilterMatch[] = [];
  const unknown: string[] = [];
  let target: string | undefined;
  let goto = false;
  let to: string | undefined;
  let how: string | undefined;
  let comment: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const negated = words[i] === '!';
    if (negated) i++;
    const option = words[i] ?? '';
    const value = words[i + 1] ?? '';
    const matcher = MATCHERS.get(option);
    if (option === '-m' || option === '--match') i++;
    else if (matcher !== undefined) {
      i++;
      // Older versions write `-s ! 10.0.0.0/8`.
      const late = value === '!';
      if (late) i++;
      const read = late ? matcher(words[i] ?? '', true) : matcher(value, negated);
      if (read === undefined) unknown.push(`${option} ${words[i] ?? ''}`);
      else if (read.kind !== 'protocol' || read.protocols[0] !== 'all') matches.push(read);
    } else if (option === '-j' || option === '--jump' || option === '-g' || option === '--goto') {
      i++;
      target = value;
      goto = option.endsWith('g') || option.endsWith('goto');
    } else if (option === '--comment') {
      i++;
      comment = value;
    } else {
      const arguments_: string[] = [];
      while (i + 1 < words.length && !/^(-{1,2}[A-Za-z]|!$)/.test(words[i + 1] ?? ''))
        arguments_.push(words[++i] ?? '');
      if (target === undefined) unknown.push([...(negated ? ['!'] : []), option, ...arguments_].join(' '));
      else if (/^--to-(destination|source|ports?)$/.test(option)) to = arguments_[0];
      else if (option === '--reject-with') how = arguments_[0];
    }
  }
  const [packets, bytes] = counters?.split(':') ?? [];
  return given({
    line: line.number,
    text: ruleText(line.text.replace(/^\s*\[\d+:\d+\] /, '')),
    matches,
    unknown,
    verdict: goto ? { kind: 'goto' as const, chain: target ?? '' } : iptablesVerdict(target ?? '', to, how),
    comment,
    packets: packets === undefined ? undefined : Number(packets),
    bytes: bytes === undefined ? undefined : parseByteCount(bytes),
  });
}
