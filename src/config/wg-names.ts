/** The settings of wg and wg-quick files by name, those of relatives, and what a misspelt one may have meant. */

export type ConfSection = 'interface' | 'peer';

export type InterfaceName =
  | 'PrivateKey'
  | 'ListenPort'
  | 'FwMark'
  | 'Address'
  | 'DNS'
  | 'MTU'
  | 'Table'
  | 'SaveConfig'
  | 'PreUp'
  | 'PostUp'
  | 'PreDown'
  | 'PostDown';
export type PeerName = 'PublicKey' | 'PresharedKey' | 'AllowedIPs' | 'Endpoint' | 'PersistentKeepalive';

const INTERFACE_NAMES: readonly InterfaceName[] = [
  'PrivateKey',
  'ListenPort',
  'FwMark',
  'Address',
  'DNS',
  'MTU',
  'Table',
  'SaveConfig',
  'PreUp',
  'PostUp',
  'PreDown',
  'PostDown',
];
const PEER_NAMES: readonly PeerName[] = ['PublicKey', 'PresharedKey', 'AllowedIPs', 'Endpoint', 'PersistentKeepalive'];

/** Lower case, as wg compares without case. */
export const INTERFACE_SETTINGS: ReadonlyMap<string, InterfaceName> = new Map(
  INTERFACE_NAMES.map((n) => [n.toLowerCase(), n]),
);
export const PEER_SETTINGS: ReadonlyMap<string, PeerName> = new Map(PEER_NAMES.map((n) => [n.toLowerCase(), n]));

/** Settings that other programs add and that say nothing about the tunnel: taken without a word. */
export const APP_SETTINGS: ReadonlySet<string> = new Set(['includedapplications', 'excludedapplications']);

/** AmneziaWG: junk packets and changed headers, on the interface. Both ends must speak it. */
const AMNEZIA_NAMES: readonly string[] = [
  'Jc',
  'Jmin',
  'Jmax',
  'S1',
  'S2',
  'S3',
  'S4',
  'H1',
  'H2',
  'H3',
  'H4',
  'I1',
  'I2',
  'I3',
  'I4',
  'I5',
  'J1',
  'J2',
  'J3',
  'Itime',
  'HeaderProtectionKey',
  'ContentPaddingAddition',
  'RandomTrailers',
  'DisableCookies',
  'RekeyAfterTime',
  'RekeyTimeout',
  'RejectAfterTime',
  'KeepaliveTimeout',
  'MaxHandshakeAttempts',
];
export const AMNEZIA_SETTINGS: ReadonlyMap<string, string> = new Map(AMNEZIA_NAMES.map((n) => [n.toLowerCase(), n]));

/** What it holds must not be kept. */
export function isSecretAmnezia(name: string): boolean {
  return name === 'HeaderProtectionKey';
}

/** Names that other programs use for the same thing. */
const ALIASES: ReadonlyMap<string, InterfaceName | PeerName> = new Map<string, InterfaceName | PeerName>([
  ['keepalive', 'PersistentKeepalive'],
  ['psk', 'PresharedKey'],
  ['pre-shared-key', 'PresharedKey'],
  ['allowed-address', 'AllowedIPs'],
  ['ip', 'Address'],
  ['addresses', 'Address'],
  ['port', 'ListenPort'],
  ['firewallmark', 'FwMark'],
]);

/** Longer words are no slip of a name that is known here. */
const LONGEST = 32;
const SEPARATORS = /[-_ ]/g;

/** Edits and swaps of neighbours between two short words; `limit + 1` stands for "more". */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? limit + 1;
}

/** The nearest of `known` to a word, if near enough to be a slip. */
export function nearest<T extends string>(word: string, known: readonly T[]): T | undefined {
  if (word.length < 2 || word.length > LONGEST) return undefined;
  const plain = word.toLowerCase().replace(SEPARATORS, '');
  let best: T | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const limit = name.length < 6 ? 1 : 2;
    const d = distance(plain, name.toLowerCase().replace(SEPARATORS, ''), limit);
    if (d <= limit && d < bestDistance) {
      best = name;
      bestDistance = d;
    }
  }
  return best;
}

/** The setting that an unknown name may have meant. */
export function meantSetting(word: string): InterfaceName | PeerName | undefined {
  return ALIASES.get(word.toLowerCase()) ?? nearest(word, [...INTERFACE_NAMES, ...PEER_NAMES]);
}
