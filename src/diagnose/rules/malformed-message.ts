/** A datagram with the type of a WireGuard message and another length than that message has. */
import type { Malformed, PairId, Session, Timeline } from '../../analyze/timeline.ts';
import { isConfirmed, type World } from '../../analyze/world.ts';
import { captureSubject, messageCount, noisePairs, pairIn } from '../capture-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** One odd datagram on an open port is a probe; an initiator tries again. */
const RETRIED = 2;

interface MalformedFacts extends Facts {
  readonly claims: string;
  readonly count: number;
  readonly length: number;
  readonly expected: number;
  readonly from: string;
  readonly to: string;
  readonly works: boolean;
}

export const malformedMessage = defineRule({
  name: 'malformed-message',
  severity: 'error',
  on: 'capture',
  group: 'wire',
  spec: 'wp §5.4',
  explain: {
    what: 'a datagram begins as a WireGuard message does, and its length on the wire is not that of this message',
    why: 'initiation, response and cookie reply have one length each (148, 92, 64 bytes) and data at least 32: everything else is dropped before MAC1 is looked at',
    fix: 'look for what pads or shortens it: an obfuscating program at one end only, a proxy, a tunnel in between',
  },
  check(timeline, world): Found<MalformedFacts>[] {
    const groups = new Map<string, Malformed[]>();
    for (const one of timeline.malformed) {
      const key = `${pairIn(timeline, one)} ${sender(one, timeline)} ${one.claims}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [one]);
      else group.push(one);
    }
    if (groups.size === 0) return [];
    const seen = around(timeline, world);
    const out: Found<MalformedFacts>[] = [];
    for (const group of groups.values()) {
      const found = judge(group, timeline, world, seen);
      if (found !== undefined) out.push(found);
    }
    return out.sort((a, b) => b.facts.count - a.facts.count);
  },
  message({ claims, count, length, expected, from, to, works }) {
    const which =
      count === 1 ? `a message from ${from} to ${to} claims` : `${count} messages from ${from} to ${to} claim`;
    const wanted = claims === 'data' ? `at least ${expected}` : `${expected}`;
    const what = `${which} to be ${NOUN[claims] ?? claims} and ${count === 1 ? 'has' : 'have'} ${length} bytes instead of ${wanted}`;
    return works
      ? `${what}; the tunnel works all the same`
      : `${what}: the receiver drops ${count === 1 ? 'it' : 'them'} unread`;
  },
  fix: ({ works }) =>
    works
      ? {}
      : {
          linux: ['at both ends, to see what runs: wg version; ps -e | grep -i -E "wg|wireguard|amnezia"'],
          routeros: ['RouterOS speaks plain WireGuard only: use plain WireGuard at the other end'],
        },
});

const NOUN: Readonly<Record<string, string>> = {
  initiation: 'an initiation',
  response: 'a response',
  'cookie-reply': 'a cookie reply',
  data: 'data',
};

interface Around {
  /** `pair from kind` of handshake messages that came whole. */
  readonly whole: ReadonlySet<string>;
  /** Pairs of this capture whose tunnel carried data both ways, or whose handshake was taken, in any capture. */
  readonly working: ReadonlySet<string>;
  readonly noise: ReadonlySet<PairId>;
}

/** Behind a NAT the same end has two addresses in one capture. */
function sender({ from }: { from: Malformed['from'] }, { duplicates: { nat } }: Timeline): string {
  return nat.get(from.text) ?? from.text;
}

function around(timeline: Timeline, world: World): Around {
  const whole = new Set<string>();
  for (const { pair, initiation, responses } of timeline.exchanges) {
    if (initiation !== undefined) whole.add(`${pair} ${sender(initiation, timeline)} initiation`);
    for (const { seen } of responses) whole.add(`${pair} ${sender(seen, timeline)} response`);
  }
  const working = new Set<string>();
  for (const { exchanges, sessions } of world.tunnels) {
    const senders = new Set(sessions.flatMap(({ session }) => sendersOf(session)));
    if (senders.size < 2 && !exchanges.some(isConfirmed)) continue;
    for (const { views } of exchanges)
      for (const view of views) if (view.timeline === timeline) working.add(view.exchange.pair);
    for (const view of sessions) if (view.timeline === timeline) working.add(view.session.pair);
  }
  return { whole, working, noise: noisePairs(timeline, world) };
}

function sendersOf({ toResponder, toInitiator }: Session): string[] {
  return [toResponder, toInitiator].flatMap((half) => half?.sender.text ?? []);
}

function judge(
  group: readonly Malformed[],
  timeline: Timeline,
  world: World,
  seen: Around,
): Found<MalformedFacts> | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const { from, to, claims, length, expected } = first;
  const pair = pairIn(timeline, first);
  const related = timeline.directions.has(pair);
  const configured = world.keys.listeningOn(to.port).length + world.keys.listeningOn(from.port).length > 0;
  if (!related && !configured) return undefined;
  const works = seen.working.has(pair);
  // whoever also sends this kind whole is not stopped by the odd one
  const handshake = claims === 'initiation' || claims === 'response';
  const told = seen.noise.has(pair) || seen.whole.has(`${pair} ${sender(first, timeline)} ${claims}`);
  const stops = handshake && !works && !told;
  const fails = stops && (related || (group.length >= RETRIED && messageCount(timeline) === 0));
  const padded = fails && claims === 'initiation' && length > expected;
  return {
    facts: { claims, count: group.length, length, expected, from: from.text, to: to.text, works },
    certainty: 'proven',
    ...(fails ? {} : { severity: 'info' as const }),
    frames: group.map(({ at }) => at),
    subject: captureSubject(timeline),
    notes: padded ? ['padding before or behind the message is what AmneziaWG and its like do'] : [],
  };
}
