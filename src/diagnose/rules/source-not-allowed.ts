/** Packets come out of the tunnel with a source that the receiver’s AllowedIPs do not have for their sender. */
import { flowsOf, type InnerEnd, type RefusedSource } from '../../analyze/inner/pair.ts';
import type { ConfEntry } from '../../analyze/key-set.ts';
import { allowedIpsOf } from '../../analyze/receivers.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { InnerView, Tunnel, World } from '../../analyze/world.ts';
import { formatIp, formatPrefix, type IpBytes, maskIp, type Prefix } from '../../base/address.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import type { AllowedIps } from '../../wg/allowed-ips.ts';
import { placeOf } from '../config-evidence.ts';
import { allowedIpsEdit, type Edit } from '../edit.ts';
import { tunnelSubject } from '../evidence.ts';
import { endNamed, isUnicast } from '../inner-evidence.ts';
import { closedOneWays, neverAnswers, type OneWayBetween, oneWayFrames } from '../one-way-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const LISTED = 6;
/** A part of an end’s packets that is no stray: old connections go on with an old source when a tunnel comes up. */
const LARGE_PART = 0.2;
const LEAST_PACKETS = 3;

interface SourceFacts extends Facts {
  /** As they stand in the packets, or in the sender’s Address. */
  readonly sources: readonly string[];
  readonly sender: string;
  /** `server.conf line 9` */
  readonly receiver: string;
  readonly receiverName: string;
  readonly allowed: readonly string[];
  /** Where the peer stands that has the source there; null where none has. */
  readonly owner: string | null;
  readonly packets: number;
  readonly opened: boolean;
  readonly key: string;
}

export const sourceNotAllowed = defineRule<'tunnel', SourceFacts>({
  name: 'source-not-allowed',
  severity: 'error',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §3',
  hides: ['inner-unanswered', 'dns-unanswered'],
  explain: {
    what: 'packets come through the tunnel from an address that the receiver’s AllowedIPs do not have for their sender',
    why: 'AllowedIPs are also the filter for what comes in: after decryption the receiver looks up the source of the packet inside, and drops it without a word unless that address belongs to the peer it came from; handshakes and keepalives succeed all the same',
    fix: 'add the sender’s tunnel address, and the networks behind it, to the AllowedIPs of its [Peer] at the receiver; or send from an address that stands there',
  },
  check(tunnel, world) {
    const decrypted = tunnel.inner.flatMap((view) => [
      ...refusals(0, view, tunnel, world),
      ...refusals(1, view, tunnel, world),
    ]);
    if (decrypted.length > 0) return decrypted;
    for (const each of closedOneWays(tunnel, world)) {
      const found = deduced(each, tunnel, world);
      if (found !== undefined) return found;
    }
    return undefined;
  },
  message({ sources, sender, receiver, allowed, packets, opened }) {
    const has = allowed.length === 0 ? 'nothing' : allowed.join(', ');
    const many = sources.length > LISTED ? ` and ${sources.length - LISTED} more addresses` : '';
    const from = `${sources.slice(0, LISTED).join(', ')}${many}`;
    const what = `${packets} packet${packets === 1 ? '' : 's'}`;
    if (opened)
      return `${what} from ${from} came through the tunnel from ${sender}, and ${receiver} allows ${has} for it: dropped after decryption`;
    const own = sources.length === 0 ? '' : ` with its own address ${from}`;
    return `${what} from ${sender}${own} were taken and never answered, and ${receiver} allows ${has} for it: dropped after decryption`;
  },
  fix({ sources, receiver, receiverName, allowed, key, owner }) {
    const missing = sources.slice(0, LISTED).map((source) => hostPrefix(source));
    const whole = [...allowed, ...(missing.length === 0 ? ['SENDER_ADDRESS/32'] : missing)];
    const first =
      owner === null ? [] : [`first see which peer should have it: ${owner} has it now, and an address has one peer`];
    return {
      linux: [
        ...first,
        `at ${receiver}: AllowedIPs = ${whole.join(', ')}   (or the whole network behind that peer)`,
        `at once, until restart, on the host of ${receiverName}: wg set INTERFACE peer ${key} allowed-ips ${whole.join(',')}   (the whole list: it replaces the old one)`,
      ],
      routeros: [
        ...first,
        `/interface wireguard peers set [find public-key="${key}"] allowed-address=${whole.join(',')}`,
      ],
    };
  },
});

const hostPrefix = (source: string): string => `${source}/${source.includes(':') ? 128 : 32}`;

/** What the end `by` sent and the other would refuse, by the file of each receiver. */
function* refusals(by: 0 | 1, view: InnerView, tunnel: Tunnel, world: World): Generator<Found<SourceFacts>> {
  const end = view.inner.ends[by];
  const used = usedByOther(by, view);
  const asked = end.refused.filter((one) => isUnicast(one.ip) && isUnicast(one.to));
  for (const receiver of new Set(asked.map((one) => one.receiver))) {
    const list = asked.filter(
      (one) => one.receiver === receiver && one.addressed === undefined && !used.has(formatIp(one.ip)),
    );
    const peer = receiver.entry.peers.get(receiver.peer);
    if (list.length === 0 || peer === undefined) continue;
    const packets = list.reduce((sum, one) => sum + one.packets, 0);
    const sender = endNamed(end.name, view.timeline, tunnel, world);
    yield {
      ...about(receiver.entry, peer, receiver.peer, {
        ips: list.map(({ ip }) => ip),
        owner: list.find((one) => one.owner !== undefined)?.owner,
        sender: sender.entry?.name ?? end.name,
        packets,
        opened: true,
      }),
      certainty: 'proven',
      ...(isSerious(list, packets, end) ? {} : { severity: 'info' as const }),
      frames: list.flatMap(({ frames }) => frames).sort(byFrame),
      subject: tunnelSubject(tunnel),
      notes: notesFor(list, packets, end, sender.entry),
    };
  }
}

/** The receiver itself sends to them through the tunnel: its AllowedIPs have them, whatever the file says. */
function usedByOther(by: 0 | 1, { inner }: InnerView): Set<string> {
  const used = new Set<string>();
  for (const flow of flowsOf(inner)) {
    if (flow.by !== by) used.add(formatIp(flow.to));
    else if (flow.back.packets > 0) used.add(formatIp(flow.from));
  }
  return used;
}

/** Somebody asks and can get no answer, or a good part of the traffic is lost. */
function isSerious(list: readonly RefusedSource[], packets: number, end: InnerEnd): boolean {
  const asks = list.reduce((sum, one) => sum + one.asks, 0);
  return asks > 1 || (packets >= LEAST_PACKETS && packets >= end.packets * LARGE_PART);
}

function notesFor(
  list: readonly RefusedSource[],
  packets: number,
  end: InnerEnd,
  sender: ConfEntry | undefined,
): string[] {
  const notes: string[] = [];
  if (packets < end.packets) notes.push(`${end.packets - packets} packets of that end had a source that is allowed`);
  if (!isSerious(list, packets, end))
    notes.push(
      'none of them asks for anything: connections that began before the tunnel came up go on with their old address, which is harmless',
    );
  const own = new Set(sender?.conf.interface.addresses.map(({ value }) => formatIp(value.ip)));
  const behind = list.find(({ ip }) => own.size > 0 && !own.has(formatIp(ip)));
  if (behind !== undefined && sender !== undefined)
    notes.push(
      `${formatIp(behind.ip)} is no address of ${sender.name} itself: it comes from behind it, or from another interface of that host`,
    );
  return notes;
}

/** Without the packets themselves: what the file gives the sender is none of its addresses, and nothing is ever answered. */
function deduced(each: OneWayBetween, tunnel: Tunnel, world: World): Found<SourceFacts> | undefined {
  const { oneWay, sender, receiver } = each;
  const peer = sender.key === undefined ? undefined : receiver.entry?.peers.get(sender.key.text);
  if (receiver.entry === undefined || sender.key === undefined || peer === undefined || !neverAnswers(each))
    return undefined;
  const table = allowedIpsOf(receiver.entry);
  const key = sender.key.text;
  const addresses = (sender.entry?.conf.interface.addresses ?? []).map(({ value }) => value.ip);
  const owners = addresses.map((ip) => table.lookup(ip, 0, ip.length === 4 ? 4 : 16));
  const nothing = peer.allowedIps.every(({ value }) => !holds(value, key, table));
  if (!nothing && (addresses.length === 0 || owners.includes(key))) return undefined;
  const shown = about(receiver.entry, peer, key, {
    ips: addresses,
    owner: owners.find((owner) => owner !== undefined) ?? takenBy(peer, table),
    sender: sender.entry?.name ?? oneWay.senderName,
    packets: oneWay.packets,
    opened: false,
  });
  return {
    ...shown,
    certainty: 'deduced',
    frames: oneWayFrames(oneWay).sort(byFrame),
    subject: tunnelSubject(tunnel),
    notes: [
      `the other end answers them with keepalives only, 10 s after data: it opened them and had nothing to send (wp §6.5)`,
    ],
    ruledOut: [
      {
        rule: 'packet-loss',
        because: 'the keepalives show that the data arrived and was authentic',
        frames: oneWay.taken.slice(0, 4),
      },
    ],
    missing: [
      {
        key: `an ephemeral private key of either end (a key log) for ${world.timelines.length > 1 ? 'these captures' : 'this capture'}`,
        wouldSettle: 'which source the packets inside really have',
      },
    ],
  };
}

/** After all peers were read, the prefix is still this peer’s. */
function holds({ ip, bits }: Prefix, peer: string, table: AllowedIps<string>): boolean {
  const base = maskIp(ip, bits);
  return table.lookup(base, 0, base.length === 4 ? 4 : 16) === peer;
}

function takenBy({ allowedIps }: WgPeer, table: AllowedIps<string>): string | undefined {
  const [first] = allowedIps;
  return first === undefined ? undefined : table.lookup(first.value.ip, 0, first.value.ip.length === 4 ? 4 : 16);
}

interface Seen {
  readonly ips: readonly IpBytes[];
  readonly owner: string | undefined;
  readonly sender: string;
  readonly packets: number;
  readonly opened: boolean;
}

function about(
  entry: ConfEntry,
  peer: WgPeer,
  key: string,
  { ips, owner, sender, packets, opened }: Seen,
): { facts: SourceFacts; edits: readonly Edit[] } {
  const table = allowedIpsOf(entry);
  const own = peer.allowedIps.filter(({ value }) => holds(value, key, table)).map(({ value }) => value);
  const other = owner === undefined || owner === key ? undefined : entry.peers.get(owner);
  const hosts = ips.map((ip) => ({ ip, bits: ip.length * 8 }));
  const edits =
    other === undefined && hosts.length > 0 && hosts.length <= LISTED
      ? allowedIpsEdit(entry, peer, [...peer.allowedIps.map(({ value }) => value), ...hosts])
      : [];
  return {
    facts: {
      sources: ips.map(formatIp),
      sender,
      receiver: placeOf(entry, peer.allowedIps[0]?.line ?? peer.line),
      receiverName: entry.name,
      allowed: own.map(({ ip, bits }) => formatPrefix({ ip: maskIp(ip, bits), bits })),
      owner: other === undefined ? null : placeOf(entry, other.allowedIps[0]?.line ?? other.line),
      packets,
      opened,
      key,
    },
    edits,
  };
}

function byFrame(a: FrameId, b: FrameId): number {
  return a.frame - b.frame;
}
