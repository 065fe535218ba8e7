/** What `wg show` tells as the configuration that runs, so that it is judged as a file is. */
import type { Bytes } from '../base/bytes.ts';
import { type AmneziaSettings, PLAIN_SETTINGS, withAmneziaSetting } from './amnezia.ts';
import { given } from './given.ts';
import type { Located } from './text.ts';
import type { WgConf, WgPeer } from './wg-conf.ts';
import { isSecretAmnezia } from './wg-names.ts';
import type { ShownKey, WgStatusInterface, WgStatusPeer } from './wg-status.ts';

/** Addresses are not among it; an endpoint may be a learned one. */
export function statusAsConf({ line, privateKey, listenPort, fwMark, amnezia, peers }: WgStatusInterface): WgConf {
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
      amnezia: amneziaOf(amnezia),
    }),
    peers: peers.map(asPeer),
    faults: [],
  };
}

/** Undefined where there is none, and where a value is not shown. */
function amneziaOf(shownSettings: WgStatusInterface['amnezia']): AmneziaSettings | undefined {
  if (shownSettings.length === 0) return undefined;
  let settings: AmneziaSettings | undefined = PLAIN_SETTINGS;
  for (const { value, raw } of shownSettings) {
    if (raw === undefined && !isSecretAmnezia(value)) return undefined;
    settings = withAmneziaSetting(settings, value, raw ?? '(hidden)');
    if (settings === undefined) return undefined;
  }
  return settings;
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
