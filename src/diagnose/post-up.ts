/** What PostUp of a wg-quick file adds to the firewall, as far as it is plain iptables. Its lines may hold secrets: never shown. */
import { iptablesRule } from '../config/host/iptables-rule.ts';
import type { FilterRule } from '../config/host/packet-filter.ts';
import type { WgConf } from '../config/wg-conf.ts';

export interface PostUpRule {
  readonly table: string;
  readonly chain: string;
  readonly family: 'ip' | 'ip6';
  readonly rule: FilterRule;
}

export interface PostUp {
  readonly rules: readonly PostUpRule[];
  /** Something else may change the firewall too: a script, nft, ufw, firewall-cmd. */
  readonly opaque: boolean;
  /** It switches forwarding on. */
  readonly forwards: boolean;
  /** Of the last line that adds to the filter's FORWARD chain. */
  readonly forwardLine: number | undefined;
}

/** wg-quick puts the interface's name in its place. */
export const SELF = '%i';

const IPTABLES = /^(?:sudo )?(?:\/\S*\/)?(ip6?tables)(?:-legacy|-nft)? (.*)$/;
/** Commands that touch no firewall. */
const HARMLESS =
  /^(?:sudo )?(?:\/\S*\/)?(?:sysctl|echo|ip|wg|resolvectl|resolvconf|ping|sleep|logger|true|date|chmod|touch|cat)\b/;
const LONGEST = 4096;
const MOST_COMMANDS = 500;

export function postUpOf(conf: WgConf): PostUp {
  const rules: PostUpRule[] = [];
  let opaque = false;
  let forwards = false;
  let forwardLine: number | undefined;
  let left = MOST_COMMANDS;
  for (const { value, line } of [...conf.interface.preUp, ...conf.interface.postUp]) {
    forwards ||= /\b(?:ip_forward|forwarding)\b/.test(value);
    for (const part of value.slice(0, LONGEST).split(/;|&&|\|\|/)) {
      const command = part.replace(/\s+/g, ' ').trim();
      if (command === '' || left-- <= 0) continue;
      const rule = readRule(command, line);
      if (rule === undefined) opaque ||= !HARMLESS.test(command);
      else if (rule !== 'none') {
        rules.push(rule);
        if (rule.table === 'filter' && rule.chain === 'FORWARD') forwardLine = line;
      }
    }
  }
  return { rules, opaque, forwards, forwardLine };
}

/** undefined for what is no iptables, `none` for what adds nothing. */
function readRule(command: string, line: number): PostUpRule | 'none' | undefined {
  const [, tool, rest] = IPTABLES.exec(command) ?? [];
  if (tool === undefined || rest === undefined) return undefined;
  const table = /(?:^| )(?:-t|--table) (\S+)/.exec(rest)?.[1] ?? 'filter';
  const plain = rest.replace(/(^| )(?:-t|--table) \S+/, '$1').replace(/(^| )-w(?: \d+)?(?= |$)/, '$1');
  const added = /(?:^| )(?:-A|-I|--append|--insert) (\S+)(?: \d+)?(?: |$)/.exec(plain);
  if (added === null) return 'none';
  const asked = `${plain.slice(0, added.index)} ${plain.slice(added.index + added[0].length)}`.trim();
  return {
    table,
    chain: added[1] ?? '',
    family: tool === 'ip6tables' ? 'ip6' : 'ip',
    rule: iptablesRule({ number: line, text: '' }, asked, undefined),
  };
}
