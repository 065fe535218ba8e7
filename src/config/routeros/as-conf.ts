/** A WireGuard interface of RouterOS as the configuration it amounts to, so that both dialects are judged by the same rules. */
import { parseIp } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import { grouped } from '../../base/grouped.ts';
import { given } from '../given.ts';
import type { Located } from '../text.ts';
import type { ConfEndpoint, ConfFault, WgConf, WgPeer } from '../wg-conf.ts';
import type { RosConfig } from './export.ts';
import type { RosAddress } from './network.ts';
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
  const parts: Parts = {
    peers: grouped(peers, (peer) => peer.interface?.value),
    addresses: grouped(
      config.addresses.filter(({ disabled }) => !disabled),
      (address) => address.interface?.value,
    ),
    faults: grouped(config.faults, ({ itemLine }) => itemLine),
  };
  return [
    ...interfaces.map((wireguard) => ofInterface(parts, wireguard.name?.value, wireguard)),
    ...[...orphaned].filter((name) => !off.has(name ?? '')).map((name) => ofInterface(parts, name, undefined)),
  ];
}

/** What belongs to an interface, by its name, and faults by the line of their item. */
interface Parts {
  readonly peers: ReadonlyMap<string | undefined, readonly RosPeer[]>;
  readonly addresses: ReadonlyMap<string | undefined, readonly RosAddress[]>;
  readonly faults: ReadonlyMap<number, readonly RosFault[]>;
}

function ofInterface(parts: Parts, name: string | undefined, wireguard: RosWireguard | undefined): RosInterface {
  const peers = parts.peers.get(name) ?? [];
  const addresses = parts.addresses.get(name) ?? [];
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
      faults: [
        ...(parts.faults.get(wireguard?.line ?? -1) ?? []).map((fault) => malformed(fault)),
        ...peers.flatMap(({ line }, peer) => (parts.faults.get(line) ?? []).map((fault) => malformed(fault, peer))),
      ],
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

/** `peer` counts the peers of its interface. */
function malformed({ kind, line, column, setting, fault }: RosFault, peer?: number): ConfFault {
  const of = { kind, line, column, setting: SETTINGS[setting], fault };
  return peer === undefined ? of : { ...of, peer };
}
