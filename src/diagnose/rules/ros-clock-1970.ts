/** A RouterOS export or clock from before RouterOS 7 existed: the router has lost the time, and others will take it for a replay. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { parseIp } from '../../base/address.ts';
import type { RosConfig } from '../../config/routeros/export.ts';
import { covered, fileSubject, settings } from '../config-evidence.ts';
import { dateText } from '../evidence.ts';
import { routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** RouterOS 7, the first with WireGuard, is younger. */
const YEAR_2019 = 1_546_300_800;

interface ClockFacts extends Facts {
  readonly file: string;
  readonly line: number;
  readonly shown: string;
  readonly ntp: 'on' | 'off' | 'unknown';
}

export const rosClock1970 = defineRule({
  name: 'ros-clock-1970',
  severity: 'warning',
  on: 'files',
  group: 'config',
  spec: 'wp §5.1',
  explain: {
    what: 'the router’s clock stands at a date before RouterOS had WireGuard, such as January 1970, where it begins without a battery',
    why: 'each initiation carries the time, and the other end drops what is not later than the last one that it accepted from this key: after a restart the router is refused until its clock is right',
    fix: 'let the router have the time before the tunnel, by NTP outside of it; once, the other end can forget the peer by removing and adding it',
  },
  check: (world): Found<ClockFacts>[] => settings(world).flatMap((entry) => found(entry, world) ?? []),
  message: ({ file, line, shown }) =>
    `the router’s clock stood at ${shown} (${file} line ${line}): an end that has accepted later timestamps from its key drops its initiations as replays`,
  fix: ({ ntp }) => ({
    linux: ['on the other end, to forget the old timestamp: wg set INTERFACE peer KEY remove; then add it as before'],
    routeros: [
      ...(ntp === 'on' ? [] : ['/system ntp client set enabled=yes servers=pool.ntp.org']),
      '/system ntp client print; /system clock print   (is it synchronised, and by servers that are reached without the tunnel?)',
    ],
  }),
});

function found(entry: ConfEntry, world: World): Found<ClockFacts> | undefined {
  const config = routerOf(entry)?.config;
  const clock = config === undefined ? undefined : shownClock(config);
  if (config === undefined || clock === undefined) return undefined;
  // an end that never begins sends no timestamps
  if (!entry.conf.peers.some(({ endpoint }) => endpoint !== undefined)) return undefined;
  const { ntpClient, cloud } = config;
  const ntp = ntpClient?.enabled === undefined ? 'unknown' : ntpClient.enabled.value ? 'on' : 'off';
  const inside = (ntpClient?.servers ?? []).filter(({ value }) => {
    const ip = parseIp(value);
    return ip !== undefined && entry.conf.peers.some((peer) => covered(ip, peer));
  });
  return {
    facts: { file: entry.name, line: clock.line, shown: clock.text, ntp },
    certainty: 'suspected',
    frames: [],
    subject: fileSubject(entry),
    notes: [
      ...(ntp === 'off' ? [`the NTP client is off (line ${ntpClient?.line})`] : []),
      ...(ntp === 'unknown' ? ['the text sets no NTP client, which is off unless it is switched on'] : []),
      ...(cloud?.updateTime?.value === false ? [`/ip cloud does not set the clock either (line ${cloud.line})`] : []),
      ...inside.map(
        ({ value, line }) =>
          `the time server ${value} (line ${line}) is reached through the tunnel, which does not come up before the time is right`,
      ),
      ...(world.timelines.length > 0 ? ['timestamp-replayed shows in a capture whether it is so'] : []),
    ],
  };
}

function shownClock({ header, clock }: RosConfig): { readonly text: string; readonly line: number } | undefined {
  const at = header?.exportedAt;
  if (at !== undefined) {
    return at.value.sec < YEAR_2019 ? { text: dateText(at.value), line: at.line } : undefined;
  }
  const year = /^(?:(\d{4})-|[a-z]{3}\/\d\d\/(\d{4}))/i.exec(clock?.date?.value ?? '');
  const number = Number(year?.[1] ?? year?.[2] ?? 9999);
  if (clock?.date === undefined || number >= 2019) return undefined;
  return { text: [clock.date.value, clock.time?.value ?? ''].join(' ').trim(), line: clock.date.line };
}
