/** What texts tell of one machine beside its tunnels: its firewall, sockets, routes, settings, clock and logs. */
import type { FirewalldZone } from '../config/host/firewalld.ts';
import type { PacketFilter } from '../config/host/packet-filter.ts';
import type { PingRun } from '../config/host/ping.ts';
import type { HostRoute } from '../config/host/routes.ts';
import type { UdpSocket } from '../config/host/sockets.ts';
import type { SysctlSetting } from '../config/host/sysctl.ts';
import type { ClockStatus } from '../config/host/timedatectl.ts';
import type { UfwStatus } from '../config/host/ufw.ts';
import type { LogEvent } from '../config/log/event.ts';
import type { RosConfig } from '../config/routeros/export.ts';
import type { SniffedPacket } from '../config/routeros/sniffer.ts';

/**
 * One input: what stands in one file is taken to be of one machine, as people paste it. Lists are in the file's order;
 * `undefined` and empty mean that the file says nothing of it.
 */
export interface Machine {
  readonly input: string;
  readonly name: string;
  readonly filters: {
    readonly tool: 'iptables-save' | 'iptables' | 'nft';
    readonly line: number;
    readonly filter: PacketFilter;
  }[];
  readonly zones: FirewalldZone[];
  /** A list of sockets was there: a port that is not among them is not open. */
  socketsListed: boolean;
  readonly sockets: UdpSocket[];
  readonly routes: HostRoute[];
  readonly sysctls: SysctlSetting[];
  readonly pings: PingRun[];
  readonly log: LogEvent[];
  readonly sniffed: SniffedPacket[];
  ufw?: UfwStatus;
  clock?: ClockStatus;
  /** Of an export, or of several prints together. */
  ros?: RosConfig;
  /** False where prints show some menus only: what is missing may be set all the same. */
  rosComplete?: boolean;
}

export function newMachine(input: string, name: string): Machine {
  return {
    input,
    name,
    filters: [],
    zones: [],
    socketsListed: false,
    sockets: [],
    routes: [],
    sysctls: [],
    pings: [],
    log: [],
    sniffed: [],
  };
}
