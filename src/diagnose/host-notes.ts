/** What the machine of an end says of its clock and of the path, for findings that rest on other things. */
import type { ConfEntry } from '../analyze/key-set.ts';
import type { World } from '../analyze/world.ts';
import { toBase64 } from '../base/base64.ts';
import type { PingRun } from '../config/host/ping.ts';
import { covered, placeOf, settings } from './config-evidence.ts';
import { hosts, presumption } from './machine-evidence.ts';
import { routerOf } from './ros-evidence.ts';

/** Whether anything keeps the clock right of the end with this key. */
export function clockNotes(world: World, key: Uint8Array | undefined): string[] {
  if (key === undefined) return [];
  const text = toBase64(key);
  return settings(world)
    .filter(({ own }) => own?.text === text)
    .flatMap((entry) => [...routerClock(entry), ...hostClock(entry, world)]);
}

function routerClock(entry: ConfEntry): string[] {
  const client = routerOf(entry)?.config.ntpClient;
  return client?.enabled?.value === false ? [`its NTP client is off (${placeOf(entry, client.enabled.line)})`] : [];
}

function hostClock(entry: ConfEntry, world: World): string[] {
  return hosts(world).flatMap((host) => {
    const { machine } = host;
    const { synchronized, ntpActive } = machine.clock ?? {};
    if (host.entry !== entry || synchronized?.value !== false) return [];
    const service = ntpActive?.value === false ? ', and no service keeps it right' : '';
    return [
      `its clock is not synchronised${service} (${machine.name} line ${synchronized.line})`,
      ...presumption(host),
    ];
  });
}

/** Bytes of whole packets outside of the tunnel, and where a ping with a fixed size shows them. */
export interface Measured {
  readonly bytes: number;
  readonly place: string;
}

const LEAST_MTU = 576;

/** The least that a router on the way, or the host's own link, says it carries; replies prove nothing without DF. */
export function pathLimit(entry: ConfEntry, world: World): Measured | undefined {
  let limit: Measured | undefined;
  for (const host of hosts(world)) {
    if (host.entry !== entry) continue;
    for (const run of host.machine.pings) {
      if (insideTunnel(run, entry)) continue;
      for (const event of run.events) {
        if (event.kind !== 'fragmentation-needed' && event.kind !== 'too-long') continue;
        const bytes = event.mtu ?? 0;
        if (bytes < LEAST_MTU || bytes >= (limit?.bytes ?? Number.POSITIVE_INFINITY)) continue;
        limit = { bytes, place: `${host.machine.name} line ${event.line}` };
      }
    }
  }
  return limit;
}

/** Only a ping past the tunnel measures the path: inside the kernel fragments what is too large. */
function insideTunnel({ address }: PingRun, { conf }: ConfEntry): boolean {
  return (
    address === undefined ||
    conf.peers.some((peer) =>
      covered(address, { ...peer, allowedIps: peer.allowedIps.filter(({ value }) => value.bits > 0) }),
    )
  );
}
