/** One static key in two places: each handshake of the one throws the other out. */

import type { MergedExchange } from '../../analyze/merge.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import { msBetween } from '../../base/time.ts';
import { keyName } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** How often a place must go on after another took the tunnel: once may be a device that was just moved. */
const OVERLAPS = 2;
/** What a queue may hold a packet back: data that comes later than this was sent later. */
const LATE_MS = 5000;
/** Retries of one device: it waits REKEY_TIMEOUT between any two initiations, so none of another fits in between. */
const RETRY_MS = 6000;

export const duplicateIdentity = defineRule({
  name: 'duplicate-identity',
  severity: 'error',
  on: 'files',
  group: 'wire',
  spec: 'wp §2.1',
  hides: ['rekey-failed', 'peer-restarted', 'packet-loss'],
  explain: {
    what: 'one static key is used in two places at the same time',
    why: 'a responder keeps one endpoint and one session per key: each handshake of one device takes the tunnel away from the other, and the later timestamp of one makes the other’s a replay',
    fix: 'give each device a key pair and an address of its own, and each key a [Peer] section',
  },
  check(world) {
    return [...visitsByKey(world).values()].flatMap(({ visits, identity }) => {
      const overlaps = overlapsOf(visits);
      if (overlaps.length < OVERLAPS) return [];
      const places = [...new Set(overlaps.flatMap(({ stays, takes }) => [stays.place, takes.place]))];
      const frames = new Set(overlaps.flatMap(({ stays, takes, until }) => [stays.at, takes.at, until]));
      return [
        {
          facts: { key: identity, places, overlaps: overlaps.length },
          certainty: 'proven' as const,
          frames: [...frames],
          subject: `tunnel:${identity}`,
          notes: ['each goes on after a handshake of the other: one roaming device would carry its session along'],
        },
      ];
    });
  },
  message: ({ key, places, overlaps }) =>
    `${key} is used in ${places.length} places at once, ${places.join(' and ')}, which take the tunnel from each other (${overlaps} times)`,
  fix: () => ({
    linux: [
      'on the second device: wg genkey | tee private | wg pubkey, and a [Peer] with its own AllowedIPs on the responder',
    ],
    routeros: ['/interface wireguard add makes a new key; add it as a peer of its own with its own allowed-address'],
  }),
});

/** A handshake with the key, from one place. */
interface Visit {
  readonly place: string;
  readonly at: FrameId;
  readonly answered: boolean;
  /** First data of its session. */
  readonly used: FrameId | undefined;
  /** Last data of its session, if all of it came from this place. */
  readonly until: FrameId | undefined;
}

interface Overlap {
  readonly stays: Visit;
  readonly takes: Visit;
  /** What `stays` sent after `takes` was there. */
  readonly until: FrameId;
}

/** Handshakes of a place that another place outlasts: with data of its own session, or in the middle of its retries. */
function overlapsOf(visits: readonly Visit[]): Overlap[] {
  const longest = new Map<string, Visit & { readonly until: FrameId }>();
  return visits.flatMap((takes, i) => {
    const [before, after] = [visits[i - 1], visits[i + 1]];
    const { until } = takes;
    const others = [...longest.values()].filter(({ place }) => place !== takes.place);
    if (until !== undefined && msBetween(longest.get(takes.place)?.until.time ?? takes.at.time, until.time) >= 0)
      longest.set(takes.place, { ...takes, until });
    const { used } = takes;
    const stays = others.find((other) => used !== undefined && msBetween(used.time, other.until.time) > LATE_MS);
    if (stays !== undefined) return [{ stays, takes, until: stays.until }];
    if (!takes.answered || before === undefined || after === undefined) return [];
    if (before.place !== after.place || before.place === takes.place) return [];
    return msBetween(before.at.time, after.at.time) > RETRY_MS ? [] : [{ stays: before, takes, until: after.at }];
  });
}

/** By key, responder and capture: moments of two captures are not compared. */
function visitsByKey(world: World): Map<string, { identity: string; visits: Visit[] }> {
  const sessions = new Map(world.timelines.flatMap((t) => t.sessions.map((session) => [session.exchange, session])));
  const out = new Map<string, { identity: string; visits: Visit[] }>();
  for (const merged of world.exchanges) {
    const sight = merged.views.map(({ exchange }) => exchange.sight).find((s) => s?.identity !== undefined);
    if (sight?.identity === undefined || sight.mac1.kind !== 'known' || unknownThere(merged)) continue;
    for (const { exchange } of merged.views) {
      const { initiation, confirmed, responses, capture } = exchange;
      if (initiation === undefined) continue;
      const key = `${toBase64(sight.identity)}>${sight.mac1.key.text}>${capture}`;
      const entry = out.get(key) ?? { identity: keyName(world, sight.identity), visits: [] };
      const half = sessions.get(exchange)?.toResponder;
      entry.visits.push({
        place: initiation.from.text,
        at: initiation.at,
        answered: responses.length > 0,
        used: confirmed?.from.text === initiation.from.text ? confirmed.at : undefined,
        until: half?.wandered === false ? half.last : undefined,
      });
      out.set(key, entry);
    }
  }
  return out;
}

/** An initiation that the responder does not take changes nothing there. */
function unknownThere({ views }: MergedExchange): boolean {
  return views.some(
    ({ exchange }) => exchange.sight?.verdict.kind === 'refused' && exchange.sight.verdict.drop.kind === 'unknown-peer',
  );
}
