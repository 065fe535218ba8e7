/** WireGuard interfaces and peers of RouterOS, from an export or a print. */
import type { IpBytes, Prefix } from '../../base/address.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, presharedKey, privateKey } from '../../base/keys.ts';
import { given } from '../given.ts';
import type { ByteCount } from '../quantities.ts';
import type { Located } from '../text.ts';
import type { RosRow } from './fields.ts';
import { type RosFaults, type RosSecretKey, RowReader } from './row-reader.ts';

export interface RosWireguard {
  readonly line: number;
  readonly name?: Located<string>;
  /** 13231 where none is set. */
  readonly listenPort?: Located<number>;
  readonly mtu?: Located<number>;
  /** Absent without show-sensitive. */
  readonly privateKey?: Located<RosSecretKey<PrivateKey>>;
  /** A print shows it, an export does not. */
  readonly publicKey?: Located<PublicKey>;
  readonly vrf?: Located<string>;
  readonly comment?: Located<string>;
  readonly remark?: Located<string>;
  readonly disabled: boolean;
  /** Only a print tells. */
  readonly running?: boolean;
}

/** What RouterOS would put into a file for the other end; it changes nothing on this one. */
export interface RosClientSettings {
  readonly addresses: readonly Located<Prefix>[];
  readonly allowedAddresses: readonly Located<Prefix>[];
  readonly dns: readonly Located<IpBytes>[];
  readonly endpoint?: Located<string>;
  readonly keepaliveMs?: Located<number>;
  readonly listenPort?: Located<number>;
}

export interface RosPeer {
  readonly line: number;
  readonly interface?: Located<string>;
  readonly name?: Located<string>;
  readonly comment?: Located<string>;
  readonly remark?: Located<string>;
  readonly disabled: boolean;
  readonly dynamic: boolean;
  readonly publicKey?: Located<PublicKey>;
  /** `auto` or a key: the router then takes the public key from it, whatever `publicKey` says. */
  readonly privateKey?: Located<RosSecretKey<PrivateKey>>;
  readonly presharedKey?: Located<RosSecretKey<PresharedKey>>;
  /** As written: host bits are kept. */
  readonly allowedAddresses: readonly Located<Prefix>[];
  /** An address or a name. */
  readonly endpointAddress?: Located<string>;
  /** 0 is what a print shows where none is set. */
  readonly endpointPort?: Located<number>;
  /** Where packets go now, learnt or resolved; only a print tells. */
  readonly currentEndpointAddress?: Located<string>;
  readonly currentEndpointPort?: Located<number>;
  readonly persistentKeepaliveMs?: Located<number>;
  /** `responder`, and `is-responder` before 7.17: this end never begins. */
  readonly responder?: Located<boolean>;
  readonly client: RosClientSettings;
  readonly rx?: Located<ByteCount>;
  readonly tx?: Located<ByteCount>;
  /** Age; absent where there was none. */
  readonly lastHandshakeMs?: Located<number>;
}

export function rosWireguard(row: RosRow, said: RosFaults): RosWireguard {
  const read = new RowReader(row, said);
  return given({
    line: row.line,
    name: read.text('name'),
    listenPort: read.port('listen-port'),
    mtu: read.text('mtu')?.value === 'auto' ? undefined : read.number(0, 65535, 'mtu'),
    privateKey: read.secretKey('private-key', privateKey),
    publicKey: read.publicKey(),
    vrf: read.text('vrf'),
    comment: read.text('comment'),
    remark: row.remark,
    disabled: read.disabled,
    running: read.flag('R'),
  });
}

export function rosPeer(row: RosRow, said: RosFaults): RosPeer {
  const read = new RowReader(row, said);
  return given({
    line: row.line,
    interface: read.text('interface'),
    name: read.text('name'),
    comment: read.text('comment'),
    remark: row.remark,
    disabled: read.disabled,
    dynamic: read.flag('D') ?? false,
    publicKey: read.publicKey(),
    privateKey: read.secretKey('private-key', privateKey),
    presharedKey: read.secretKey('preshared-key', presharedKey),
    allowedAddresses: read.prefixes('allowed-address'),
    endpointAddress: read.text('endpoint-address', 'endpoint'),
    endpointPort: read.port('endpoint-port'),
    currentEndpointAddress: read.text('current-endpoint-address'),
    currentEndpointPort: read.port('current-endpoint-port'),
    persistentKeepaliveMs: read.durationMs('persistent-keepalive'),
    responder: read.yes('responder', 'is-responder'),
    client: given({
      addresses: read.prefixes('client-address'),
      allowedAddresses: read.prefixes('client-allowed-address'),
      dns: read.addresses('client-dns'),
      endpoint: read.text('client-endpoint'),
      keepaliveMs: read.durationMs('client-keepalive'),
      listenPort: read.port('client-listen-port'),
    }),
    rx: read.bytes('rx'),
    tx: read.bytes('tx'),
    lastHandshakeMs: read.durationMs('last-handshake'),
  });
}
