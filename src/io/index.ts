/** `wgwhy/node`: what needs Node. Files and streams as sources, tunnels and probes over real sockets, the fast backend. */

export type { UapiChange, UapiRefusal, UapiSnapshot } from '../config/uapi.ts';
export type { WgConf } from '../config/wg-conf.ts';
export { parseWgConf } from '../config/wg-quick.ts';
export { nodeCrypto } from '../crypto/node.ts';
export { type Clock, systemClock } from './clock.ts';
export { fastestOnNode } from './fastest-crypto.ts';
export { checkReadable, FileError, fileSource, fileSourceIn, streamSource } from './files.ts';
export { type Libc, type LibcFault, loadLibc } from './linux/libc.ts';
export { Poller } from './linux/poller.ts';
export { TunDevice, TunError, type TunHandlers } from './linux/tun.ts';
export { openLinuxPort } from './linux/udp.ts';
export { TzspListener, type TzspOptions } from './listen-tzsp.ts';
export { liveSource, liveStream } from './live-source.ts';
export { type OpenersOptions, openers } from './openers.ts';
export type { PathMtu } from './path-mtu.ts';
export { openWithPcapParser } from './pcap-parser-reader.ts';
export type { PingResult } from './ping.ts';
export {
  type Attempt,
  type ProbeOptions,
  type ProbePorts,
  type ProbeProgress,
  type ProbeResult,
  type ProbeTarget,
  probe,
} from './probe.ts';
export { type ProbeNetwork, type ProbeSocket, systemNetwork } from './probe-network.ts';
export type { PskCandidate } from './psk-trial.ts';
export { systemRandom } from './random.ts';
export { type Lookup, resolveEndpoint, systemLookup } from './resolve.ts';
export { DeviceDriver, type DeviceHooks, type SendEffect } from './run-device.ts';
export { type LookedUp, openTunnel, type Tunnel, TunnelError, type TunnelOptions } from './tunnel.ts';
export { type ConfigurableDevice, deviceTarget, type SocketHooks } from './uapi/device-target.ts';
export { openUapi, type UapiOptions, type UapiServer, type UapiTarget } from './uapi/server.ts';
export { UapiError } from './uapi/socket-file.ts';
export { UdpError, type UdpHandlers, type UdpOptions, UdpPort } from './udp.ts';
export { SetupError } from './up/system.ts';
export { bringUp, type Up, type UpOptions } from './up/up.ts';
