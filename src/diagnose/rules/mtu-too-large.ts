/** An MTU whose full packets are larger, with WireGuard around them, than the links that are known or usual. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { type Edit, settingEdit } from '../edit.ts';
import { pathLimit } from '../host-notes.ts';
import { pppoeMtu, routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** What nearly every path on the internet carries at most. */
const ETHERNET_MTU = 1500;
/** IP, UDP, and the 32 bytes of a data message (wp §5.4.6). */
const OVERHEAD = { IPv4: 20 + 8 + 32, IPv6: 40 + 8 + 32 } as const;

interface LargeFacts extends Facts {
  readonly place: string;
  readonly mtu: number;
  /** The outer packets that it makes. */
  readonly outer: number;
  readonly family: keyof typeof OVERHEAD;
  readonly link: number;
  readonly pppoe: string | null;
  /** A ping that shows what the path carries. */
  readonly measured: string | null;
  readonly right: number;
}

export const mtuTooLarge = defineRule({
  name: 'mtu-too-large',
  severity: 'warning',
  on: 'files',
  group: 'config',
  spec: 'wp §5.4.6',
  explain: {
    what: 'the MTU of the tunnel plus the 60 (IPv4) or 80 (IPv6) bytes that WireGuard adds is more than the link carries',
    why: 'full packets are fragmented outside or lost: handshakes, ping and small pages work, large transfers crawl or hang',
    fix: 'MTU = that of the path − 60 where the outer packets are IPv4, − 80 where they are IPv6: 1440 and 1420 on Ethernet, 1432 and 1412 on PPPoE',
  },
  check: (world): Found<LargeFacts>[] => settings(world).flatMap((entry) => found(entry, world) ?? []),
  message({ place, mtu, outer, family, link, pppoe, measured }) {
    const over =
      measured !== null
        ? `the path carries ${link} (${measured})`
        : pppoe === null
          ? `Ethernet carries ${link}`
          : `the PPPoE at ${pppoe} carries ${link}`;
    return `MTU ${mtu} at ${place} makes packets of ${outer} bytes over ${family}, and ${over}`;
  },
  fix: ({ place, right }) => ({
    linux: [
      `at ${place}: MTU = ${right}`,
      `at once, until restart: ip link set dev INTERFACE mtu ${right}`,
      'to measure the path, outside the tunnel: ping -M do -s 1472 ENDPOINT   (1500 bytes; smaller until it passes)',
    ],
    routeros: [
      `/interface wireguard set INTERFACE mtu=${right}`,
      'to measure the path, outside the tunnel: /ping ENDPOINT do-not-fragment size=1500',
    ],
  }),
});

function found(entry: ConfEntry, world: World): Found<LargeFacts> | undefined {
  const limit = pathLimit(entry, world);
  const { mtu = limit === undefined ? undefined : unset(entry) } = entry.conf.interface;
  if (mtu === undefined) return undefined;
  const router = routerOf(entry);
  const pppoe = router === undefined ? undefined : pppoeMtu(router.config);
  const link = limit?.bytes ?? pppoe?.bytes ?? ETHERNET_MTU;
  const six = entry.conf.peers.some(({ endpoint }) => endpoint?.value.ip?.length === 16);
  const family = six ? 'IPv6' : 'IPv4';
  const outer = mtu.value + OVERHEAD[family];
  if (outer <= link) return undefined;
  // somebody who sets that much has links for it
  const jumbo = mtu.value > ETHERNET_MTU && pppoe === undefined && limit === undefined;
  const right = link - OVERHEAD.IPv6;
  return {
    facts: {
      place: placeOf(entry, mtu.line),
      mtu: mtu.value,
      outer,
      family,
      link,
      pppoe: pppoe === undefined ? null : placeOf(entry, pppoe.line),
      measured: limit?.place ?? null,
      right,
    },
    certainty: limit === undefined ? 'suspected' : 'deduced',
    ...(jumbo ? { severity: 'info' as const } : {}),
    frames: [],
    subject: fileSubject(entry),
    edits: edits(entry, right),
    notes: [
      ...(limit === undefined ? [`it is right only where every link to the other end carries ${outer} bytes`] : []),
      ...(family === 'IPv4'
        ? [`${link - OVERHEAD.IPv4} is enough as long as the outer packets are IPv4; ${right} fits both`]
        : []),
    ],
  };
}

/** wg-quick takes what the interface to the endpoint has, less 80: on Ethernet this. */
const WG_QUICK_MTU = 1420;

function unset({ conf, origin }: ConfEntry): { readonly value: number; readonly line: number } | undefined {
  const { line } = conf.interface;
  return origin.kind === 'wg-quick' && line !== undefined ? { value: WG_QUICK_MTU, line } : undefined;
}

function edits(entry: ConfEntry, right: number): Edit[] {
  const { mtu, line } = entry.conf.interface;
  if (mtu !== undefined) return settingEdit(entry, mtu.line, 'MTU', `${right}`);
  if (line === undefined || entry.origin.kind !== 'wg-quick') return [];
  return [{ input: entry.input, line, kind: 'insert-after', text: `MTU = ${right}` }];
}
