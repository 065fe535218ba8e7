/** An Endpoint names another port than the file of that end listens on. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import { initiationOf, isAnswered, type World } from '../../analyze/world.ts';
import type { ConfEndpoint, WgPeer } from '../../config/wg-conf.ts';
import {
  type End,
  ends,
  fileSubject,
  listings,
  oncePerPair,
  placeOf,
  settings,
  unlessConfirmed,
} from '../config-evidence.ts';
import { settingEdit } from '../edit.ts';
import { hostText, isTo, setEndpoint } from '../endpoint-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const FRAMES = 8;

interface PortFacts extends Facts {
  /** Where the other port stands; null where only packets show it. */
  readonly place: string | null;
  readonly port: number;
  readonly owner: string;
  readonly ownerPlace: string;
  readonly listens: number;
  readonly key: string;
  readonly host: string | null;
}

export const endpointPortMismatch = defineRule({
  name: 'endpoint-port-mismatch',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §2.1',
  explain: {
    what: 'the Endpoint of a [Peer] names another port than the ListenPort in the file that this key belongs to',
    why: 'nothing listens on the port that the initiations go to, unless a router forwards it to the right one',
    fix: 'write the ListenPort of the other end into Endpoint, or forward that port on the router in front of it',
  },
  check(world): Found<PortFacts>[] {
    const found = oncePerPair(listings(world), ({ lister, listed, peer }) =>
      byFiles(lister.entry, peer, listed, unlessConfirmed(world, lister.own, listed.own), world),
    );
    found.push(...keyless(world));
    const explained = new Set(found.map(({ facts }) => facts.key));
    const arrived = arrivedElsewhere(world);
    for (const end of ends(world)) {
      const packets = explained.has(end.own.text) ? undefined : byPackets(end, arrived.get(end.own.text));
      if (packets !== undefined) found.push(packets);
    }
    return found;
  },
  message({ place, port, owner, ownerPlace, listens }) {
    if (place === null)
      return `initiations for the key of ${owner} arrive at port ${port}, and it listens on ${listens} (${ownerPlace})`;
    return `${place} writes to port ${port} of ${owner}, which listens on ${listens} (${ownerPlace})`;
  },
  fix: ({ key, host, listens, port }) => ({
    linux: [
      `in the [Peer] section: Endpoint = ${host ?? 'ADDRESS'}:${listens}`,
      `at once, until restart: wg set INTERFACE peer ${key} endpoint ${host ?? 'ADDRESS'}:${listens}`,
      'on the other end, to compare: wg show INTERFACE listen-port',
    ],
    routeros: [
      `/interface wireguard peers set [find public-key="${key}"] endpoint-port=${listens}`,
      `on a router that should forward it: /ip firewall nat add chain=dstnat protocol=udp dst-port=${port} action=dst-nat to-addresses=… to-ports=${listens}`,
    ],
  }),
});

/** Files without their own key: whom they write to is sure all the same. */
function keyless(world: World): Found<PortFacts>[] {
  const known = new Set(ends(world).map(({ entry }) => entry));
  const owners = new Map(ends(world).flatMap((end) => (end.presumed ? [] : [[end.own.text, end] as const])));
  return settings(world)
    .filter((entry) => !known.has(entry))
    .flatMap((entry) =>
      [...entry.peers].flatMap(([key, peer]) => {
        const listed = owners.get(key);
        return listed === undefined ? [] : byFiles(entry, peer, listed, { frames: [], notes: [] }, world);
      }),
    );
}

function byFiles(
  entry: ConfEntry,
  peer: WgPeer,
  listed: End,
  confirmed: ReturnType<typeof unlessConfirmed>,
  world: World,
): Found<PortFacts>[] {
  const located = listed.entry.conf.interface.listenPort;
  const written = setEndpoint(entry, peer);
  if (written === undefined || located === undefined || located.value === 0 || located.value === written.value.port)
    return [];
  const refusals = icmpFrom(written.value, world);
  const answered = refusals.length === 0 && (answers(written.value, world) || sendsBack(written.value, entry, world));
  const certain = refusals.length > 0;
  return [
    {
      facts: factsOf(listed, located, {
        place: placeOf(entry, written.line),
        port: written.value.port,
        host: hostText(written.value.host),
      }),
      certainty: certain ? 'proven' : 'suspected',
      ...(answered ? { severity: 'info' as const } : {}),
      ...confirmed,
      frames: certain ? refusals : confirmed.frames,
      subject: fileSubject(entry),
      edits: settingEdit(entry, written.line, 'Endpoint', `${hostText(written.value.host)}:${located.value}`),
      notes: [
        ...(certain
          ? ['ICMP port unreachable came back for that port']
          : ['a router in front of it that forwards this port to the other one would make it right']),
        ...(answered ? ['something answers at this Endpoint, so the port leads somewhere'] : []),
        ...confirmed.notes,
      ],
    },
  ];
}

interface Arrived {
  readonly port: number;
  readonly frames: FrameId[];
}

/** Unanswered initiations captured at the responder, by the public key that they are for. */
function arrivedElsewhere(world: World): Map<string, Arrived> {
  const answering = new Set(
    world.exchanges.flatMap((merged) => (isAnswered(merged) ? (initiationOf(merged)?.to.text ?? []) : [])),
  );
  const out = new Map<string, Arrived>();
  for (const merged of world.exchanges) {
    if (isAnswered(merged)) continue;
    for (const { exchange, vantage } of merged.views) {
      const { sight, initiation } = exchange;
      if (vantage !== 'responder' || initiation === undefined || sight?.mac1.kind !== 'known') continue;
      if (answering.has(initiation.to.text)) continue;
      const key = sight.mac1.key.text;
      const arrived = out.get(key) ?? { port: initiation.to.port, frames: [] };
      out.set(key, arrived);
      if (arrived.port === initiation.to.port && arrived.frames.length < FRAMES) arrived.frames.push(initiation.at);
    }
  }
  return out;
}

/** Its own key is meant, and the port is not the one in its file. */
function byPackets(end: End, arrived: Arrived | undefined): Found<PortFacts> | undefined {
  const located = end.entry.conf.interface.listenPort;
  if (arrived === undefined || located === undefined || located.value === 0 || located.value === arrived.port)
    return undefined;
  return {
    facts: factsOf(end, located, { place: null, port: arrived.port, host: null }),
    certainty: 'deduced',
    frames: arrived.frames,
    subject: fileSubject(end.entry),
    notes: ['they carry a MAC1 that is right for this key, so it is this end that is meant'],
  };
}

function factsOf(
  { entry, own }: End,
  listenPort: { readonly value: number; readonly line: number },
  written: Pick<PortFacts, 'place' | 'port' | 'host'>,
): PortFacts {
  return {
    ...written,
    owner: entry.name,
    ownerPlace: placeOf(entry, listenPort.line),
    listens: listenPort.value,
    key: own.text,
  };
}

function icmpFrom(configured: ConfEndpoint, world: World): FrameId[] {
  return world.timelines
    .flatMap(({ icmp }) =>
      icmp.filter(({ error, quotedTo }) => error === 'port-unreachable' && isTo(configured, quotedTo)),
    )
    .slice(0, FRAMES)
    .map(({ at }) => at);
}

function answers(configured: ConfEndpoint, world: World): boolean {
  return world.exchanges.some((merged) => {
    const to = initiationOf(merged)?.to;
    return to !== undefined && isTo(configured, to) && isAnswered(merged);
  });
}

/** Messages went there and came back, of a session whose handshake was not captured. */
function sendsBack(configured: ConfEndpoint, { conf }: ConfEntry, { timelines }: World): boolean {
  // a name may be any address, the writer’s own as well
  if (configured.ip === undefined && conf.interface.listenPort?.value === configured.port) return false;
  return timelines.some(({ senders, directions, duplicates: { nat } }) => {
    const names = [...senders.values()]
      .filter(({ endpoint }) => isTo(configured, endpoint))
      .map(({ endpoint: { text } }) => nat.get(text) ?? text);
    return [...directions.values()].some((counts) => counts.size > 1 && names.some((name) => counts.has(name)));
  });
}
