/** Reads `ufw status`, plain, verbose or numbered. */
import { parsePrefix } from '../../base/address.ts';
import type { Problem } from '../../base/problem.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import { type Located, ProblemList } from '../text.ts';
import { type PortRange, portRange } from './packet-filter.ts';

export type UfwAction = 'allow' | 'deny' | 'reject' | 'limit';

/** One side of a rule: `51820/udp`, `10.0.0.1 53`, `Anywhere on wg0`, `OpenSSH`. */
export interface UfwSide {
  readonly text: string;
  /** Absent for any. */
  readonly address?: string;
  readonly ports?: readonly PortRange[];
  /** Absent for TCP and UDP alike. */
  readonly protocol?: string;
  readonly interface?: string;
  /** The name of an application profile, whose ports are not told here. */
  readonly application?: string;
}

export interface UfwRule {
  readonly line: number;
  readonly action: UfwAction;
  readonly direction: 'in' | 'out' | 'forward';
  readonly ipv6: boolean;
  readonly to: UfwSide;
  readonly from: UfwSide;
  readonly comment?: string;
}

export interface UfwStatus {
  readonly active: Located<boolean>;
  /** Only `verbose` tells what happens to what no rule names. */
  readonly incoming?: Located<UfwAction>;
  readonly outgoing?: Located<UfwAction>;
  /** `disabled`: not forwarded at all. */
  readonly routed?: Located<UfwAction | 'disabled'>;
  readonly rules: readonly UfwRule[];
}

const ACTION = /\s(ALLOW|DENY|REJECT|LIMIT)(?: (IN|OUT|FWD))?\s{2}/;

interface Split {
  readonly to: string;
  readonly action: string;
  readonly direction: string | undefined;
  readonly from: string;
  readonly comment: string | undefined;
}

/** Columns are told by the action between them; no pattern may look at a run of spaces twice. */
function split(line: string): Split | undefined {
  const action = ACTION.exec(line);
  const to = line
    .slice(0, action?.index ?? 0)
    .trim()
    .replace(/^\[ ?\d+\] /, '')
    .trim();
  if (action === null || to === '') return undefined;
  const rest = line.slice(action.index + action[0].length);
  const hash = rest.search(/\s# /);
  const comment = hash < 0 ? undefined : rest.slice(hash + 3).trim();
  const from = (hash < 0 ? rest : rest.slice(0, hash)).trim();
  return { to, action: action[1] ?? '', direction: action[2], from, comment };
}

function policy(text: string | undefined): UfwAction | undefined {
  return text === 'allow' || text === 'deny' || text === 'reject' || text === 'limit' ? text : undefined;
}

function side(written: string): UfwSide {
  // `80,443/tcp (Nginx Full)`: what a profile stands for, and its name.
  const text = written.replace(/ \([^()]{1,60}\)/g, '').trim();
  const on = / on (\S+)$/.exec(text);
  const rest = on === null ? text : text.slice(0, on.index);
  const words = rest.split(/\s+/);
  const [first = ''] = words;
  // `10.0.0.0/8 53/udp`, `10.0.0.1/udp`, `Anywhere/udp`.
  const alone = /^(.*)\/([a-z]+)$/.exec(first);
  const host = alone?.[1] ?? first;
  const address = parsePrefix(host) === undefined ? undefined : host;
  const port = /^([\d:,]+)(?:\/([a-z]+))?$/.exec(words.at(-1) ?? '');
  const ports = port === null ? undefined : (port[1] ?? '').split(',').flatMap((item) => portRange(item) ?? []);
  const named = address === undefined && ports === undefined && host !== 'Anywhere';
  return given({
    text: written,
    address,
    ports,
    protocol: port?.[2] ?? alone?.[2],
    interface: on?.[1],
    application: named ? rest : undefined,
  });
}

/** Never throws. */
export function parseUfwStatus(text: Pasted): { readonly ufw?: UfwStatus; readonly problems: readonly Problem[] } {
  const problems = new ProblemList();
  const rules: UfwRule[] = [];
  let active: Located<boolean> | undefined;
  const defaults: {
    incoming?: Located<UfwAction>;
    outgoing?: Located<UfwAction>;
    routed?: Located<UfwAction | 'disabled'>;
  } = {};
  for (const { number, text: line } of pastedLines(text)) {
    const status = /^\s*Status: (active|inactive)\b/.exec(line);
    const policies = /^\s*Default: (\w+) \(incoming\), (\w+) \(outgoing\)(?:, (\w+) \(routed\))?/.exec(line);
    const rule = status === null && policies === null ? split(line) : undefined;
    const place = { line: number, column: 1 };
    if (status !== null) active = { value: status[1] === 'active', ...place };
    else if (policies !== null) {
      const [, incoming, outgoing, routed] = policies;
      const inbound = policy(incoming);
      const outbound = policy(outgoing);
      const through = routed === 'disabled' ? routed : policy(routed);
      if (inbound !== undefined) defaults.incoming = { value: inbound, ...place };
      if (outbound !== undefined) defaults.outgoing = { value: outbound, ...place };
      if (through !== undefined) defaults.routed = { value: through, ...place };
    } else if (rule !== undefined) {
      const { to, action, direction, from, comment } = rule;
      rules.push(
        given({
          line: number,
          action: policy(action.toLowerCase()) ?? 'allow',
          direction:
            direction === 'OUT' ? ('out' as const) : direction === 'FWD' ? ('forward' as const) : ('in' as const),
          ipv6: from.includes('(v6)') || to.includes('(v6)'),
          to: side(to),
          from: side(from),
          comment,
        }),
      );
    } else if (line.trim() !== '' && !/^\s*(Logging:|New profiles:|To\s+Action|-+\s|Skipping|WARN)/.test(line)) {
      problems.add(place, 'this is no line of ufw status');
    }
  }
  if (active === undefined) return { problems: problems.done() };
  return { ufw: { active, ...defaults, rules }, problems: problems.done() };
}
