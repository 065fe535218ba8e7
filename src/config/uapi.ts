/** What `wg` and a WireGuard in user space say to each other on the control socket: the changes of a set, the answer to a get. */
import { type Endpoint, formatPrefix, type Prefix } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../base/keys.ts';
import type { Problem } from '../base/problem.ts';
import type { Time } from '../base/time.ts';

/** One `allowed_ip` line: with `-` in front of it, as newer `wg set` writes, the prefix is taken away. */
export interface UapiAllowedIp {
  readonly prefix: Prefix;
  readonly remove: boolean;
}

/** The section of one peer. What is left out stays as it is; of a peer that is not there yet, it is empty. */
export interface UapiPeerChange {
  readonly kind: 'peer';
  readonly publicKey: PublicKey;
  /** Nothing happens where there is no such peer. */
  readonly updateOnly: boolean;
  /** The zero PSK is none. */
  readonly presharedKey?: PresharedKey;
  readonly endpoint?: Endpoint;
  /** Seconds, 0 for off. */
  readonly persistentKeepalive?: number;
  /** What the peer had goes before the first of `allowedIps`. */
  readonly replaceAllowedIps: boolean;
  /** In their order: the last word about a prefix counts. */
  readonly allowedIps: readonly UapiAllowedIp[];
}

/** To be done in their order. */
export type UapiChange =
  /** Undefined takes it away. */
  | { readonly kind: 'private-key'; readonly privateKey: PrivateKey | undefined }
  /** 0 for any. */
  | { readonly kind: 'listen-port'; readonly port: number }
  /** 0 for none. */
  | { readonly kind: 'fwmark'; readonly fwmark: number }
  | { readonly kind: 'replace-peers' }
  | UapiPeerChange
  | { readonly kind: 'remove-peer'; readonly publicKey: PublicKey };

/** Why a request was not done. `wg` gets the number of the code only, so the words are for whoever runs the tunnel. */
export interface UapiRefusal {
  /** Of errno.h: EINVAL, EPROTO, EADDRINUSE and the like. */
  readonly code: string;
  readonly problems: readonly Problem[];
}

export interface UapiPeer {
  readonly publicKey: PublicKey;
  /** Undefined for none. */
  readonly presharedKey: PresharedKey | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly allowedIps: readonly Prefix[];
  /** Wall time; undefined before the first. */
  readonly latestHandshake: Time | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Seconds, 0 for off. */
  readonly persistentKeepalive: number;
}

/** All that a get tells, secrets among it: it goes nowhere but to a control socket of mode 0600. */
export interface UapiSnapshot {
  readonly privateKey: PrivateKey | undefined;
  /** 0 for none yet. */
  readonly listenPort: number;
  /** 0 for none. */
  readonly fwmark: number;
  readonly peers: readonly UapiPeer[];
}

const NO_KEY = '0'.repeat(64);

/** The lines of the answer to a get, in the order of wireguard-go, without `errno`. Has the secrets in it. */
export function formatUapiSnapshot({ privateKey, listenPort, fwmark, peers }: UapiSnapshot): string {
  let out = privateKey === undefined ? '' : `private_key=${toHex(privateKey)}\n`;
  if (listenPort !== 0) out += `listen_port=${listenPort}\n`;
  if (fwmark !== 0) out += `fwmark=${fwmark}\n`;
  for (const peer of peers) {
    const { publicKey, presharedKey, endpoint, latestHandshake } = peer;
    out += `public_key=${toHex(publicKey)}\n`;
    out += `preshared_key=${presharedKey === undefined ? NO_KEY : toHex(presharedKey)}\n`;
    out += 'protocol_version=1\n';
    if (endpoint !== undefined) out += `endpoint=${endpoint.text}\n`;
    out += `last_handshake_time_sec=${latestHandshake?.sec ?? 0}\n`;
    out += `last_handshake_time_nsec=${latestHandshake?.nsec ?? 0}\n`;
    out += `tx_bytes=${peer.sentBytes}\nrx_bytes=${peer.receivedBytes}\n`;
    out += `persistent_keepalive_interval=${peer.persistentKeepalive}\n`;
    for (const prefix of peer.allowedIps) out += `allowed_ip=${formatPrefix(prefix)}\n`;
  }
  return out;
}

/** What ends every answer: 0, or the negative number of what went wrong. */
export function formatUapiEnd(errno: number): string {
  return `errno=${errno}\n\n`;
}
