/** A WireGuard interface of RouterOS as the configuration it amounts to, so that both dialects are judged by the same rules. */
import { parseIp } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import { given } from '../given.ts';
import type { Located } from '../text.ts';
import type { ConfEndpoint, ConfFault, WgConf, WgPeer } from '../wg-conf.ts';
import type { RosConfig } from './export.ts';
import type { RosFault, RosSecretKey } from './row-reader.ts';
import type { RosPeer, RosWireguard } from './wireguard.ts';

/** What RouterOS takes where no port is set. */
export const ROS_DEFAULT_PORT = 13_231;

export interface RosInterface {
  /** `wireguard1`; undefined for peers of an interface that the text does not show. */
  readonly name: string | undefined;
  readonly wireguard: RosWireguard | undefined;
  readonly conf: WgConf;
  /** In the order of `conf.peers`. */
  readonly peers: readonly RosPeer[];
}

/** Every interface of the text, and those that only peers name. What is disabled is as good as not there. */
export function rosInterfaces(config: RosConfig): RosInterface[] {
  const interfaces = config.wireguard.filter(({ disabled }) => !disabled);
  const peers = config.peers.filter(({ disabled }) => !disabled);
  const named = new Set(interfaces.flatMap(({ name }) => name?.value ?? []));
  const off = new Set(config.wireguard.flatMap(({ name, disabled }) => (disabled ? (name?.value ?? []) : [])));
  const orphaned = new Set(peers.map((peer) => peer.interface?.value).filter((name) => !named.has(name ?? '')));
  return [
    ...interfaces.map((wireguard) => ofInterface(config, wireguard.name?.value, wireguard, peers)),
    ...[...orphaned].filter((name) => !off.has(name ?? '')).map((name) => ofInterface(config, name, undefined, peers)),
  ];
}

function ofInterface(
  config: RosConfig,
  name: string | undefined,
  wireguard: RosWireguard | undefined,
  all: readonly RosPeer[],
): RosInterface {
  const peers = all.filter((peer) => peer.interface?.value === name);
  const addresses = config.addresses.filter((address) => !address.disabled && address.interface?.value === name);
  return {
    name,
    wireguard,
    peers,
    conf: {
      interface: given({
        line: wireguard?.line,
        comment: wireguard?.comment?.value,
        privateKey: keyOf(wireguard?.privateKey),
        listenPort: wireguard?.listenPort ?? defaultPort(wireguard),
        mtu: wireguard?.mtu,
        addresses: name === undefined ? [] : addresses.flatMap(({ address }) => address ?? []),
        dns: [],
        dnsSearch: [],
        preUp: [],
        postUp: [],
        preDown: [],
        postDown: [],
      }),
      peers: peers.map((peer) => asPeer(peer, wireguard?.privateKey === undefined)),
      faults: config.faults.flatMap((fault) => malformed(fault, wireguard, peers)),
    },
  };
}

function defaultPort(wireguard: RosWireguard | undefined): Located<number> | undefined {
  return wireguard === undefined ? undefined : { value: ROS_DEFAULT_PORT, line: wireguard.line, column: 1 };
}

function keyOf<K extends Bytes>(located: Located<RosSecretKey<K>> | undefined): Located<K> | undefined {
  return located?.value.kind === 'key' ? { ...located, value: located.value.key } : undefined;
}

/** Without show-sensitive an export leaves out what is secret, also that there is anything. */
function asPeer(peer: RosPeer, withoutSecrets: boolean): WgPeer {
  const { line, name, comment, publicKey, presharedKey, allowedAddresses, persistentKeepaliveMs: keepalive } = peer;
  return given({
    line,
    comment: comment?.value ?? name?.value,
    publicKey,
    presharedKey: keyOf(presharedKey),
    hidesPsk: withoutSecrets && presharedKey === undefined ? (true as const) : undefined,
    allowedIps: allowedAddresses,
    endpoint: endpointOf(peer),
    persistentKeepalive: keepalive === undefined ? undefined : { ...keepalive, value: keepalive.value / 1000 },
  });
}

/** A responder never writes first, whatever is set; without a port, or with port 0, none is set. */
function endpointOf({ endpointAddress, endpointPort, responder }: RosPeer): Located<ConfEndpoint> | undefined {
  if (endpointAddress === undefined || endpointPort === undefined || endpointPort.value === 0) return undefined;
  if (responder?.value === true) return undefined;
  const ip = parseIp(endpointAddress.value);
  const value = given({ host: endpointAddress.value, port: endpointPort.value, ip });
  return { value, line: endpointAddress.line, column: endpointAddress.column };
}

const SETTINGS = { 'private-key': 'PrivateKey', 'public-key': 'PublicKey', 'preshared-key': 'PresharedKey' } as const;

function malformed(
  { kind, line, column, setting, fault, itemLine }: RosFault,
  wireguard: RosWireguard | undefined,
  peers: readonly RosPeer[],
): ConfFault[] {
  const of = { kind, line, column, setting: SETTINGS[setting], fault };
  const peer = peers.findIndex((candidate) => candidate.line === itemLine);
  if (peer >= 0) return [{ ...of, peer }];
  return wireguard?.line === itemLine ? [of] : [];
}
