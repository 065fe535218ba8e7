/** What `wg show` tells as the configuration that runs, so that it is judged as a file is. */
import type { Bytes } from '../base/bytes.ts';
import { given } from './given.ts';
import type { Located } from './text.ts';
import type { WgConf, WgPeer } from './wg-conf.ts';
import type { ShownKey, WgStatusInterface, WgStatusPeer } from './wg-status.ts';

/** Addresses are not among it; an endpoint may be a learned one. */
export function statusAsConf({ line, privateKey, listenPort, fwMark, peers }: WgStatusInterface): WgConf {
  return {
    interface: given({
      line,
      privateKey: shown(privateKey),
      listenPort,
      fwMark,
      addresses: [],
      dns: [],
      dnsSearch: [],
      preUp: [],
      postUp: [],
      preDown: [],
      postDown: [],
    }),
    peers: peers.map(asPeer),
    faults: [],
  };
}

function shown<K extends Bytes>(located: Located<ShownKey<K>> | undefined): Located<K> | undefined {
  return located?.value.kind === 'key' ? { ...located, value: located.value.key } : undefined;
}

function asPeer(peer: WgStatusPeer): WgPeer {
  return given({
    line: peer.line,
    publicKey: peer.publicKey,
    presharedKey: shown(peer.presharedKey),
    hidesPsk: peer.presharedKey?.value.kind === 'hidden' ? (true as const) : undefined,
    endpoint: peer.endpoint,
    allowedIps: peer.allowedIps,
    persistentKeepalive: peer.persistentKeepaliveSec,
  });
}
