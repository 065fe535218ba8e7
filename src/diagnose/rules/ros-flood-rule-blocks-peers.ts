/** A pair of RouterOS rules against floods that drops the very packet that it has just counted. */
import type { RosRule } from '../../config/routeros/firewall.ts';
import { fileSubject } from '../config-evidence.ts';
import { ownList, type RosFate, rosFate, rosRuleText } from '../ros-filter.ts';
import { established, type RosPort, rosPorts } from '../ros-port.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface FloodFacts extends Facts {
  readonly file: string;
  readonly port: number;
  readonly list: string;
  readonly addLine: number;
  readonly addRule: string;
  readonly dropLine: number;
  readonly dropRule: string;
  readonly addNumber: number;
  readonly dropNumber: number;
  /** Which packet of a peer is the first to be lost. */
  readonly lost: 'first' | 'second' | 'answer';
  readonly packets: number | null;
}

export const rosFloodRuleBlocksPeers = defineRule({
  name: 'ros-flood-rule-blocks-peers',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a rule with add-src-to-address-list puts the source of every new WireGuard packet into a list, and a rule behind it drops what is in that list',
    why: 'adding to a list is no verdict: the same packet goes on to the next rule, which finds its source in the list; nothing is counted, so the first packet is lost already, and each retry after 5 s renews the entry',
    fix: 'take both rules out: WireGuard answers nobody without the right key, and limits initiations by itself under load; where a limit is wanted, let the accepting rule have it',
  },
  check: (world): Found<FloodFacts>[] => rosPorts(world).flatMap((one) => found(one) ?? []),
  message({ file, port, list, addLine, dropLine, lost }) {
    const what = {
      first: `the first packet of every peer to UDP port ${port} is dropped`,
      second: `of every peer that writes to UDP port ${port} the first packet passes, and those after it are dropped`,
      answer: `what comes back to UDP port ${port} is dropped`,
    }[lost];
    return `${what}: ${file} line ${addLine} puts its source into the list ${list}, and line ${dropLine} drops what is in it`;
  },
  fix: ({ addNumber, dropNumber, port, list }) => ({
    routeros: [
      `/ip firewall filter print; /ip firewall filter remove ${addNumber},${dropNumber}   (the numbers as print shows them)`,
      `/ip firewall address-list remove [find list=${list}]`,
      `a limit that lets peers in: on the rule that accepts UDP port ${port}, connection-state=new dst-limit=10,20,src-address/1m`,
    ],
  }),
});

function found(one: RosPort): Found<FloodFacts> | undefined {
  const { entry, port, by } = one;
  const pair = pairOf(one);
  if (pair === undefined) return undefined;
  const { add, drop, list, lost } = pair;
  const begins = lost === 'first' && by.length === 0;
  return {
    facts: {
      file: entry.name,
      port: port.value,
      list,
      addLine: add.line,
      addRule: rosRuleText(add),
      dropLine: drop.line,
      dropRule: rosRuleText(drop),
      addNumber: add.number,
      dropNumber: drop.number,
      lost,
      packets: drop.packets?.value ?? null,
    },
    certainty: 'proven',
    ...(begins ? { severity: 'warning' as const } : {}),
    frames: [],
    subject: fileSubject(entry),
    notes: [
      `line ${add.line} is “${rosRuleText(add)}”, line ${drop.line} “${rosRuleText(drop)}”`,
      ...(begins ? ['this router begins by itself with all its peers here: it is hit when one of them begins'] : []),
      ...(drop.packets === undefined ? [] : [`line ${drop.line} has dropped ${drop.packets.value} packets so far`]),
    ],
  };
}

interface Pair {
  readonly add: RosRule;
  readonly drop: RosRule;
  readonly list: string;
  readonly lost: FloodFacts['lost'];
}

function pairOf({ router, probe, fate }: RosPort): Pair | undefined {
  const { config } = router;
  const first = inOne(fate, 'first');
  if (first !== undefined) return first;
  if (fate.kind === 'accepted' && fate.added.size > 0)
    return inOne(rosFate(config, established(probe), fate.added), 'second');
  return inOne(rosFate(config, established(probe)), 'answer');
}

function inOne(fate: RosFate, lost: FloodFacts['lost']): Pair | undefined {
  const own = ownList(fate);
  return own === undefined || fate.by === undefined ? undefined : { ...own, drop: fate.by, lost };
}
