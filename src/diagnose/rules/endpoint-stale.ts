/** What runs still writes to a place where the other end no longer is, or that the file no longer has. */
import type { ConfEntry, KnownKey } from '../../analyze/key-set.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, type IpBytes } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { equal } from '../../base/bytes.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { ends, fileSubject, placeOf } from '../config-evidence.ts';
import { type Counters, countersOf } from '../counter-evidence.ts';
import { askedFor, currentIp, endpointText, hostText, wanOf } from '../endpoint-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** A session is used up to this age (REJECT_AFTER_TIME, wp §6.1): older ones say nothing of now. */
const FRESH_MS = 180_000;

interface StaleFacts extends Facts {
  readonly place: string;
  readonly runs: string;
  readonly wanted: string;
  readonly shownAt: string;
  /** The file of this end has it already, and it was not loaded. */
  readonly notLoaded: boolean;
  /** A name that is set, which was looked up too long ago. */
  readonly name: string | null;
  readonly key: string;
}

export const endpointStale = defineRule({
  name: 'endpoint-stale',
  severity: 'warning',
  on: 'files',
  group: 'config',
  spec: 'wp §2.1',
  explain: {
    what: 'by `wg show` or a print of the router, packets go to an address where the other end is no longer found',
    why: 'a name in Endpoint is looked up once, when the tunnel comes up, and never again by WireGuard itself; after a new address, or a file that was changed and not loaded, the old one stays',
    fix: 'load the Endpoint again, and let something look the name up from time to time: reresolve-dns of wireguard-tools on Linux, a script on RouterOS',
  },
  check: (world): Found<StaleFacts>[] =>
    world.keys.confs.flatMap((entry) =>
      [...countersOf(entry).values()].flatMap((counters) => judge(counters, world) ?? []),
    ),
  message({ place, runs, wanted, shownAt, notLoaded, name }) {
    const looked = name === null ? '' : `, which ${name} was once looked up as`;
    return notLoaded
      ? `packets go to ${runs} (${place}), and the file has ${wanted} (${shownAt}): it was not loaded`
      : `packets go to ${runs} (${place})${looked}, and the other end is at ${wanted} (${shownAt})`;
  },
  fix: ({ wanted, name, notLoaded, key }) => ({
    linux: [
      notLoaded
        ? 'to load the file, the tunnel staying up: wg syncconf INTERFACE <(wg-quick strip INTERFACE)'
        : `at once, until restart: wg set INTERFACE peer ${key} endpoint ${name ?? wanted}`,
      'for names that change, every 30 s by a timer: reresolve-dns.sh INTERFACE   (contrib of wireguard-tools)',
    ],
    routeros: [
      `/interface wireguard peers set [find public-key="${key}"] endpoint-address=${name === null ? wanted.replace(/:\d+$/, '') : name.replace(/:\d+$/, '')}`,
      'to look a name up again, from /system scheduler: /interface wireguard peers disable NUMBER; /interface wireguard peers enable NUMBER',
    ],
  }),
});

function judge(counters: Counters, world: World): Found<StaleFacts> | undefined {
  const { entry, peer } = counters;
  const ip = currentIp(entry, peer);
  const known = peer.publicKey === undefined ? undefined : world.keys.find(peer.publicKey.value);
  if (ip === undefined || known === undefined || isFresh(counters)) return undefined;
  const set = setBy(entry, known, world);
  const literal = set?.peer.endpoint?.value.ip;
  // what the file itself has wrong is endpoint-address-mismatch
  if (literal !== undefined && equal(literal, ip)) return undefined;
  const shown = notLoaded(counters, ip, set) ?? foundElsewhere(counters, known, ip, world);
  if (shown === undefined) return undefined;
  const { frames, certainty, ...facts } = shown;
  const name = set?.peer.endpoint;
  const isName = name !== undefined && name.value.ip === undefined && !facts.notLoaded;
  return {
    facts: {
      place: placeOf(entry, peer.endpoint?.line ?? counters.line),
      runs: formatIp(ip),
      name: isName ? endpointText(name.value) : null,
      key: known.text,
      ...facts,
    },
    certainty,
    frames,
    subject: fileSubject(entry),
    notes: [
      counters.handshake === 'never'
        ? 'there was no handshake with it since this interface came up'
        : 'the last handshake with it is too old for a session to be alive',
    ],
  };
}

/** A dump gives the time of the handshake, and not its own: then this is unknown, and nothing is said. */
function isFresh({ handshake, tx, entry }: Counters): boolean {
  if (tx.bytes === 0) return true;
  if (handshake === 'never') return false;
  return entry.origin.kind === 'wg-show' && isDump(entry) ? true : (handshake.ageMs ?? 0) < FRESH_MS;
}

function isDump({ origin }: ConfEntry): boolean {
  return origin.kind === 'wg-show' && origin.status.peers.some(({ latestHandshake: at }) => at?.value.kind === 'at');
}

/** The file of the same end. */
function setBy(entry: ConfEntry, known: KnownKey, world: World): { entry: ConfEntry; peer: WgPeer } | undefined {
  if (entry.origin.kind === 'routeros') {
    const peer = entry.peers.get(known.text);
    return peer === undefined ? undefined : { entry, peer };
  }
  const file = world.keys.confs.find(
    ({ origin, own }) => own !== undefined && own === entry.own && origin.kind === 'wg-quick',
  );
  const peer = file?.peers.get(known.text);
  return file === undefined || peer === undefined ? undefined : { entry: file, peer };
}

interface Shown extends Pick<StaleFacts, 'wanted' | 'shownAt' | 'notLoaded'> {
  readonly frames: readonly FrameId[];
  readonly certainty: Found<StaleFacts>['certainty'];
}

/** Without any handshake the place cannot have been learned: it is what was loaded. */
function notLoaded(
  { entry, peer, rx, handshake }: Counters,
  ip: IpBytes,
  set: { readonly entry: ConfEntry; readonly peer: WgPeer } | undefined,
): Shown | undefined {
  const wanted = set?.peer.endpoint;
  if (set === undefined || set.entry === entry || wanted?.value.ip === undefined) return undefined;
  if (rx.bytes > 0 || handshake !== 'never') return undefined;
  if (equal(wanted.value.ip, ip) && wanted.value.port === peer.endpoint?.value.port) return undefined;
  return {
    wanted: endpointText(wanted.value),
    shownAt: placeOf(set.entry, wanted.line),
    notLoaded: true,
    frames: [],
    certainty: 'proven',
  };
}

function foundElsewhere(counters: Counters, known: KnownKey, ip: IpBytes, world: World): Shown | undefined {
  const target = ends(world).find(({ own }) => own === known);
  const wan = target === undefined ? undefined : wanOf(target.entry);
  if (wan !== undefined && scopeOf(ip) === 'global' && wan.ip.length === ip.length) {
    if (wan.all.some((other) => equal(other, ip))) return undefined;
    return { wanted: formatIp(wan.ip), shownAt: wan.place, notLoaded: false, frames: [], certainty: 'deduced' };
  }
  const asked = askedFor(world, known.text);
  const answered = asked.find(({ to, answered: frames }) => frames.length > 0 && !equal(to.ip, ip));
  if (answered !== undefined && !asked.some(({ to, answered: frames }) => frames.length > 0 && equal(to.ip, ip)))
    return {
      wanted: hostText(formatIp(answered.to.ip)),
      shownAt: 'it answers there in the capture',
      notLoaded: false,
      frames: answered.answered.slice(0, 4),
      certainty: 'deduced',
    };
  return byOthers(counters, known, ip, world);
}

/** Another end has a living session with it, at another place. */
function byOthers({ entry }: Counters, known: KnownKey, ip: IpBytes, world: World): Shown | undefined {
  for (const other of world.keys.confs) {
    const peer = other === entry || other.own === entry.own ? undefined : other.peers.get(known.text);
    const counters = peer === undefined ? undefined : countersOf(other).get(peer);
    const there = peer === undefined ? undefined : currentIp(other, peer);
    if (counters === undefined || there === undefined || there.length !== ip.length || equal(there, ip)) continue;
    if (scopeOf(there) !== 'global' || scopeOf(ip) !== 'global') continue;
    if (counters.handshake === 'never' || isDump(other) || (counters.handshake.ageMs ?? FRESH_MS) >= FRESH_MS) continue;
    return {
      wanted: hostText(formatIp(there)),
      shownAt: `a living session of ${placeOf(other, counters.line)}`,
      notLoaded: false,
      frames: [],
      certainty: 'suspected',
    };
  }
  return undefined;
}
