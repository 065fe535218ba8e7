/** The Endpoint that is set leads to another host than the one that has this key. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, type IpBytes } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { equal } from '../../base/bytes.ts';
import type { Located } from '../../config/text.ts';
import type { ConfEndpoint, WgPeer } from '../../config/wg-conf.ts';
import {
  confirmedBetween,
  type End,
  ends,
  fileSubject,
  placeOf,
  settings,
  unlessConfirmed,
} from '../config-evidence.ts';
import { settingEdit } from '../edit.ts';
import { askedFor, hostText, wanOf } from '../endpoint-evidence.ts';
import { outerAddresses, routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface AddressFacts extends Facts {
  readonly place: string;
  readonly written: string;
  readonly owner: string;
  /** Where the end is; null where it is only shown that it is not there. */
  readonly wanted: string | null;
  readonly port: number;
  readonly shownBy: 'router' | 'capture' | 'own-router';
  readonly shownAt: string;
  readonly key: string;
}

export const endpointAddressMismatch = defineRule({
  name: 'endpoint-address-mismatch',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §2.1',
  explain: {
    what: 'the Endpoint of a [Peer] is another address than the one where the end with this key is found',
    why: 'the initiations go to another host, which drops them in silence or answers with ICMP; nothing in WireGuard looks for the right one',
    fix: 'write the address of the other end into Endpoint, or a name that is kept up to date with it; names are looked up once, when the tunnel comes up',
  },
  check: (world): Found<AddressFacts>[] =>
    settings(world).flatMap((entry) => {
      if (entry.origin.kind === 'wg-show') return [];
      return entry.conf.peers.flatMap((peer) => judge(entry, peer, world) ?? []);
    }),
  message({ place, written, owner, wanted, shownBy, shownAt }) {
    switch (shownBy) {
      case 'own-router':
        return `the Endpoint at ${place}, ${written}, is an address of this router itself (${shownAt})`;
      case 'router':
        return `the Endpoint at ${place} is ${written}, and ${owner} is at ${wanted} (${shownAt})`;
      case 'capture':
        return `the Endpoint at ${place} is ${written}, where nothing answers, and the end with this key answers at ${wanted}`;
    }
  },
  fix: ({ place, wanted, port, key }) => ({
    linux: [
      `at ${place}: Endpoint = ${wanted ?? 'ADDRESS'}:${port}`,
      `at once, until restart: wg set INTERFACE peer ${key} endpoint ${wanted ?? 'ADDRESS'}:${port}`,
      'what the public address is, asked on the other end: curl -4 ifconfig.co',
    ],
    routeros: [
      `/interface wireguard peers set [find public-key="${key}"] endpoint-address=${wanted ?? 'ADDRESS'}`,
      'what the public address is, asked on the other router: /ip cloud print',
    ],
  }),
});

interface Shown extends Pick<AddressFacts, 'wanted' | 'shownBy' | 'shownAt'> {
  readonly frames: readonly FrameId[];
  readonly notes: readonly string[];
}

function judge(entry: ConfEntry, peer: WgPeer, world: World): Found<AddressFacts> | undefined {
  const { endpoint, publicKey } = peer;
  const ip = endpoint?.value.ip;
  if (endpoint === undefined || ip === undefined || publicKey === undefined) return undefined;
  const known = world.keys.find(publicKey.value);
  if (known === undefined) return undefined;
  const target = ends(world).find(({ own }) => own === known);
  const shown = ofOwnRouter(entry, ip) ?? byRouter(target, ip) ?? byCapture(known.text, endpoint, world);
  if (shown === undefined) return undefined;
  const confirmed =
    entry.own === undefined || confirmedBetween(world, entry.own, known) === undefined
      ? undefined
      : unlessConfirmed(world, entry.own, known);
  const { frames, notes, ...facts } = shown;
  const value = shown.wanted === null ? undefined : `${shown.wanted}:${endpoint.value.port}`;
  return {
    facts: {
      place: placeOf(entry, endpoint.line),
      written: hostText(endpoint.value.host),
      owner: target?.entry.name ?? 'the end with this key',
      port: endpoint.value.port,
      key: known.text,
      ...facts,
    },
    certainty: shown.shownBy === 'own-router' ? 'proven' : 'deduced',
    ...(confirmed?.severity === undefined ? {} : { severity: confirmed.severity }),
    frames: [...frames, ...(confirmed?.frames ?? [])],
    subject: fileSubject(entry),
    edits: value === undefined ? [] : settingEdit(entry, endpoint.line, 'Endpoint', value),
    notes: [...notes, ...(confirmed?.notes ?? [])],
  };
}

function ofOwnRouter(entry: ConfEntry, ip: IpBytes): Shown | undefined {
  const router = routerOf(entry);
  const own =
    router === undefined ? undefined : outerAddresses(router.config).find(({ address }) => equal(address.value.ip, ip));
  if (own === undefined) return undefined;
  return { wanted: null, shownBy: 'own-router', shownAt: placeOf(entry, own.line), frames: [], notes: [] };
}

/** Only public addresses: between private ones there may be a NAT that makes both right. */
function byRouter(target: End | undefined, ip: IpBytes): Shown | undefined {
  const wan = target === undefined ? undefined : wanOf(target.entry);
  if (wan === undefined || wan.ip.length !== ip.length || scopeOf(ip) !== 'global') return undefined;
  if (wan.all.some((other) => equal(other, ip))) return undefined;
  return {
    wanted: formatIp(wan.ip),
    shownBy: 'router',
    shownAt: wan.place,
    frames: [],
    notes: ['its only default route leads out from that address, so no other one of it is reached from outside'],
  };
}

function byCapture(key: string, { value }: Located<ConfEndpoint>, world: World): Shown | undefined {
  const asked = askedFor(world, key);
  const here = asked.filter(({ to }) => value.ip !== undefined && equal(to.ip, value.ip));
  const elsewhere = asked.filter(({ to, answered }) => answered.length > 0 && !here.some((one) => one.to === to));
  const [there] = elsewhere;
  if (there === undefined || here.length === 0 || here.some(({ answered }) => answered.length > 0)) return undefined;
  // several places that answer: which one is meant is not shown
  if (new Set(elsewhere.map(({ to }) => formatIp(to.ip))).size > 1) return undefined;
  return {
    wanted: hostText(formatIp(there.to.ip)),
    shownBy: 'capture',
    shownAt: there.to.text,
    frames: [...here.flatMap(({ unanswered }) => unanswered.slice(0, SHOWN)), ...there.answered.slice(0, SHOWN)],
    notes: ['the initiations to either place carry a MAC1 for this key, and only those to the other one are answered'],
  };
}

const SHOWN = 4;
