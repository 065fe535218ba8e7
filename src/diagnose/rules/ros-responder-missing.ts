/** A RouterOS peer that roams, is not marked as one to wait for, and that the router therefore goes on calling when it is away. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import type { LogEvent } from '../../config/log/event.ts';
import type { RosPeer } from '../../config/routeros/wireguard.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ResponderFacts extends Facts {
  readonly place: string;
  readonly peer: string;
  /** Why it bites. */
  readonly shownBy: 'keepalive' | 'log';
  readonly shownAt: string;
  readonly key: string | null;
}

export const rosResponderMissing = defineRule({
  name: 'ros-responder-missing',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a peer without an endpoint-address is not marked with responder=yes, and the router has reason to write to it by itself',
    why: 'once the peer has been there, the router keeps its last address and goes on calling it when it is gone, 20 times in a row, over and over: the log fills, and an address that belongs to somebody else by then is written to',
    fix: 'set responder=yes (is-responder before 7.17) on peers that come and go, and take persistent-keepalive out: that belongs to the end behind a NAT',
  },
  check: (world): Found<ResponderFacts>[] => settings(world).flatMap((entry) => found(entry, world)),
  message({ place, peer, shownBy, shownAt }) {
    const why = {
      keepalive: `has a persistent-keepalive (${shownAt})`,
      log: `is called in vain (${shownAt})`,
    }[shownBy];
    return `${peer} at ${place} has no endpoint of its own and no responder=yes, and ${why}`;
  },
  fix: ({ key, shownBy }) => ({
    linux: ['at the peer, where it is behind a NAT: PersistentKeepalive = 25 in its [Peer] section'],
    routeros: [
      `/interface wireguard peers set ${key === null ? 'NUMBER' : `[find public-key="${key}"]`} responder=yes${shownBy === 'keepalive' ? ' persistent-keepalive=0s' : ''}   (before 7.17: is-responder=yes)`,
    ],
  }),
});

function found(entry: ConfEntry, world: World): Found<ResponderFacts>[] {
  const router = routerOf(entry);
  if (router === undefined) return [];
  const log = world.keys.machines.filter(({ input }) => input === entry.input).flatMap((machine) => machine.log);
  return router.end.peers.flatMap((peer): Found<ResponderFacts>[] => {
    if ((peer.endpointAddress?.value ?? '') !== '' || peer.responder?.value === true) return [];
    const shown = reason(peer, log, entry);
    if (shown === undefined) return [];
    return [
      {
        facts: {
          place: placeOf(entry, peer.line),
          peer: peerText(peer),
          ...shown,
          key: peer.publicKey === undefined ? null : toBase64(peer.publicKey.value),
        },
        certainty: shown.shownBy === 'keepalive' ? 'suspected' : 'deduced',
        frames: [],
        subject: fileSubject(entry),
        notes: ['two routers that both have fixed addresses need an endpoint-address each instead'],
      },
    ];
  });
}

function reason(
  peer: RosPeer,
  log: readonly LogEvent[],
  entry: ConfEntry,
): Pick<ResponderFacts, 'shownBy' | 'shownAt'> | undefined {
  const gaveUp = log.find((event) => event.kind === 'handshake-gave-up' && isOf(event, peer));
  if (gaveUp !== undefined) return { shownBy: 'log', shownAt: placeOf(entry, gaveUp.line) };
  const keepalive = peer.persistentKeepaliveMs;
  if (keepalive !== undefined && keepalive.value > 0)
    return { shownBy: 'keepalive', shownAt: placeOf(entry, keepalive.line) };
  return undefined;
}

function isOf({ peer }: LogEvent, { name, publicKey }: RosPeer): boolean {
  if (peer?.kind === 'key') return publicKey !== undefined && toBase64(peer.key) === toBase64(publicKey.value);
  return peer?.kind === 'name' && peer.name === name?.value;
}

function peerText({ name, comment }: RosPeer): string {
  const called = name?.value ?? comment?.value;
  return called === undefined ? 'a peer' : `the peer “${called}”`;
}
