/** A status shows an old handshake although packets go out that would have brought a new one. */
import type { World } from '../../analyze/world.ts';
import { REJECT_AFTER_TIME_MS } from '../../wg/constants.ts';
import { fileSubject, placeOf } from '../config-evidence.ts';
import { type Counters, countersOf } from '../counter-evidence.ts';
import { keyName, spanText } from '../evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** Under traffic no handshake gets older than REJECT_AFTER_TIME and what a retry takes. */
const SLACK_MS = 60_000;

interface StaleFacts extends Facts {
  readonly place: string;
  readonly peer: string;
  readonly ageSeconds: number;
  readonly age: string;
  /** PersistentKeepalive of that end, seconds. */
  readonly keepalive: number | null;
  /** Bytes that went out between two texts of that end. */
  readonly sent: number | null;
}

export const handshakeStale = defineRule<'files', StaleFacts>({
  name: 'handshake-stale',
  severity: 'info',
  on: 'files',
  group: 'config',
  spec: 'wp §6.2',
  explain: {
    what: 'the last handshake is more than three minutes old, and this end has sent something since',
    why: 'what is sent later than 120 seconds after a handshake makes a new one, so with traffic its age stays below three minutes: either nothing comes back, or the peer is off; without traffic any age is normal and means nothing',
    fix: 'see whether the peer is up and reachable: capture on this end whether initiations go out and what comes back',
  },
  check: (world) =>
    world.keys.confs.flatMap((entry) =>
      [...countersOf(entry).values()].flatMap((counters) => found(counters, world) ?? []),
    ),
  message({ place, peer, age, keepalive, sent }) {
    const traffic =
      sent === null
        ? `a keepalive goes out every ${keepalive} s`
        : `${sent} bytes went out meanwhile and nothing came in`;
    return `the last handshake with ${peer} (${place}) is ${age} old although ${traffic}`;
  },
  fix: () => ({
    linux: [
      'wg show INTERFACE latest-handshakes; wg show INTERFACE transfer   (twice: does only “sent” grow?)',
      'tcpdump -ni any -c 20 udp port PORT   (148 bytes going out every 5 s: nobody answers)',
    ],
    routeros: [
      '/interface wireguard peers print detail   (last-handshake, rx, tx)',
      '/tool sniffer quick ip-protocol=udp port=PORT',
    ],
  }),
});

function found(counters: Counters, world: World): Found<StaleFacts> | undefined {
  const { entry, peer, line, handshake } = counters;
  const ageMs = handshake === 'never' ? undefined : handshake.ageMs;
  const key = peer.publicKey?.value;
  if (ageMs === undefined || key === undefined || peer.endpoint === undefined) return undefined;
  const keepalive = peer.persistentKeepalive?.value ?? 0;
  const before = sentBefore(counters, world);
  const limitMs = REJECT_AFTER_TIME_MS + SLACK_MS + keepalive * 1000;
  if (ageMs < limitMs || (keepalive === 0 && before === undefined)) return undefined;
  return {
    facts: {
      place: placeOf(entry, line),
      peer: keyName(world, key),
      ageSeconds: Math.round(ageMs / 1000),
      age: spanText(ageMs),
      keepalive: keepalive === 0 ? null : keepalive,
      sent: before ?? null,
    },
    certainty: before === undefined ? 'deduced' : 'proven',
    frames: [],
    subject: fileSubject(entry),
    notes: ['the peer may simply be off; on a server that is usual for phones and laptops'],
  };
}

/** An earlier text of the same end counts as much in, and less out: what went out since. */
function sentBefore(counters: Counters, world: World): number | undefined {
  const { entry, peer, rx, tx, handshake } = counters;
  if (entry.own === undefined || peer.publicKey === undefined || handshake === 'never') return undefined;
  for (const other of world.keys.confs) {
    if (other === entry || other.own !== entry.own) continue;
    for (const [same, counted] of countersOf(other)) {
      if (
        same.publicKey === undefined ||
        world.keys.find(same.publicKey.value) !== world.keys.find(peer.publicKey.value)
      )
        continue;
      const sent = tx.bytes - counted.tx.bytes;
      const exact = tx.uncertaintyBytes + counted.tx.uncertaintyBytes;
      const sameIn = rx.bytes === counted.rx.bytes && rx.bytes > 0 && rx.uncertaintyBytes === 0;
      if (sameIn && sent > exact) return sent;
    }
  }
  return undefined;
}
