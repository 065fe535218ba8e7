/** What a wg or wg-quick file says, each value with its place, and the faults that rules look for. */
import type { IpBytes, Prefix } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../base/keys.ts';
import type { AmneziaSettings } from './amnezia.ts';
import type { KeyFaultKind } from './key-text.ts';
import type { Located } from './text.ts';

export interface ConfEndpoint {
  /** As written, without brackets; may be a name, and an IPv6 address may carry a zone. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Only where the host is an address: names are resolved by wg once, when the tunnel comes up. */
  readonly ip?: IpBytes;
}

export interface WgInterface {
  /** Line of the first `[Interface]`; undefined where there is none. */
  readonly line?: number;
  /** From a comment in the section: `# Name = laptop`. */
  readonly comment?: string;
  readonly privateKey?: Located<PrivateKey>;
  /** 0: chosen at random. */
  readonly listenPort?: Located<number>;
  /** As written: the host part is this end's own address. */
  readonly addresses: readonly Located<Prefix>[];
  readonly dns: readonly Located<IpBytes>[];
  readonly dnsSearch: readonly Located<string>[];
  readonly mtu?: Located<number>;
  /** 0: off. */
  readonly fwMark?: Located<number>;
  /** `auto`, `off`, a number or a name. */
  readonly table?: Located<string>;
  readonly saveConfig?: Located<boolean>;
  /** Shell lines, which may hold secrets: never print them. */
  readonly preUp: readonly Located<string>[];
  readonly postUp: readonly Located<string>[];
  readonly preDown: readonly Located<string>[];
  readonly postDown: readonly Located<string>[];
  /** Only where one of its settings stands there. */
  readonly amnezia?: AmneziaSettings;
}

export interface WgPeer {
  /** Line of the `[Peer]`. */
  readonly line: number;
  /** From a comment above or in the section: `# Name = phone`, `### Client phone`, `# phone`. */
  readonly comment?: string;
  readonly publicKey?: Located<PublicKey>;
  readonly presharedKey?: Located<PresharedKey>;
  /** The text does not show secrets: there may be a preshared key, and it may be any. */
  readonly hidesPsk?: true;
  /** As written: host bits are kept, `maskIp` gives what wg makes of it. */
  readonly allowedIps: readonly Located<Prefix>[];
  readonly endpoint?: Located<ConfEndpoint>;
  /** Seconds; 0: off. */
  readonly persistentKeepalive?: Located<number>;
}

/** Faults a rule can ask for; each has a Problem of the same line as well. */
export type ConfFault =
  | {
      /** A `[Peer]` line is missing: wg silently takes the last key, and merges the AllowedIPs. `peer` indexes `peers`. */
      readonly kind: 'second-public-key';
      readonly line: number;
      readonly column: number;
      readonly firstLine: number;
      readonly peer: number;
      readonly first?: PublicKey;
      readonly second?: PublicKey;
    }
  | {
      readonly kind: 'key-malformed';
      readonly line: number;
      readonly column: number;
      readonly setting: 'PrivateKey' | 'PublicKey' | 'PresharedKey';
      readonly fault: KeyFaultKind;
      /** Index into `peers`; undefined for the interface's own key. */
      readonly peer?: number;
    }
  | {
      /** Settings of AmneziaWG: a plain WireGuard does not understand the other end. */
      readonly kind: 'amnezia-setting';
      readonly line: number;
      readonly column: number;
      readonly setting: string;
    };

export interface WgConf {
  readonly interface: WgInterface;
  readonly peers: readonly WgPeer[];
  readonly faults: readonly ConfFault[];
  /** Every key that some line names as private or preshared, in use or not: replaced, out of place, in a comment. */
  readonly namedSecrets?: readonly Bytes[];
}
