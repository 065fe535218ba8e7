/** Configurations and key logs, line for line: settings with what stands for their values, comments without words. */
import { formatIp, formatPrefix, type Prefix, parseIp } from '../../base/address.ts';
import { toBase64 } from '../../base/base64.ts';
import { utf8 } from '../../base/bytes.ts';
import { privateKey } from '../../base/keys.ts';
import { KEY_LOG_NAMES } from '../../config/key-log.ts';
import { readKeyText } from '../../config/key-text.ts';
import { lines, trimmed } from '../../config/text.ts';
import { INTERFACE_SETTINGS, type InterfaceName, PEER_SETTINGS, type PeerName } from '../../config/wg-names.ts';
import { listParts, readEndpoint, readPrefix } from '../../config/wg-values.ts';
import type { Crypto } from '../../crypto/port.ts';
import type { AddressMap } from './addresses.ts';
import type { KeyMap } from './keys.ts';
import type { Veil } from './veil.ts';

export interface TextVeils {
  readonly crypto: Crypto;
  readonly veil: Veil;
  readonly keys: KeyMap;
  readonly addresses: AddressMap;
}

export interface VeiledText {
  readonly text: string;
  /** Lines that were left out since what stands there cannot be judged. */
  readonly leftOut: readonly number[];
}

/** One line as it is written; undefined: it is left out. */
type LineVeil = (text: string) => string | undefined;

function byLine(text: string, veil: LineVeil): VeiledText {
  const leftOut: number[] = [];
  let out = '';
  for (const { number, text: line } of lines(text)) {
    const veiled = veil(line);
    if (veiled === undefined) leftOut.push(number);
    out += `${veiled ?? '# (left out)'}\n`;
  }
  return { text: out, leftOut };
}

export function veiledConf(text: string, veils: TextVeils): VeiledText {
  return byLine(text, (line) => {
    const hash = line.indexOf('#');
    const body = trimmed(line, 0, hash < 0 ? line.length : hash).text;
    if (body === '') return hash < 0 ? '' : '#';
    const section = /^\[(interface|peer)\]$/i.exec(body);
    if (section !== null) return section[1]?.toLowerCase() === 'peer' ? '[Peer]' : '[Interface]';
    const equals = body.indexOf('=');
    const word = trimmed(body, 0, Math.max(0, equals)).text.toLowerCase();
    const name = INTERFACE_SETTINGS.get(word) ?? PEER_SETTINGS.get(word);
    if (equals < 0 || name === undefined) return undefined;
    const value = veiledValue(name, trimmed(body, equals + 1).text, veils);
    return value === undefined ? undefined : `${name} = ${value}`;
  });
}

const PLAIN = /^(?:off|auto|true|false|[0-9]{1,10}|0x[0-9a-f]{1,8})$/i;

function veiledValue(name: InterfaceName | PeerName, text: string, veils: TextVeils): string | undefined {
  const { addresses } = veils;
  switch (name) {
    case 'PrivateKey':
      return keyText(text, 'private', veils);
    case 'PublicKey':
      return keyText(text, 'public', veils);
    case 'PresharedKey':
      return keyText(text, 'psk', veils);
    case 'Address':
    case 'AllowedIPs':
      return list(text, (part) => {
        const prefix = readPrefix(part);
        return prefix.ok ? prefixText(addresses.prefix(prefix.value), part) : undefined;
      });
    case 'DNS':
      return list(text, (part) => {
        const ip = parseIp(part);
        return ip === undefined ? nameText(part, addresses) : formatIp(addresses.ip(ip));
      });
    case 'Endpoint':
      return endpointText(text, addresses);
    case 'ListenPort':
      return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535 ? String(addresses.port(Number(text))) : undefined;
    case 'FwMark':
    case 'MTU':
    case 'Table':
    case 'SaveConfig':
    case 'PersistentKeepalive':
      return PLAIN.test(text) ? text : undefined;
    case 'PreUp':
    case 'PostUp':
    case 'PreDown':
    case 'PostDown':
      return hookText(text, addresses);
  }
}

/** One part that cannot be judged spoils the list: what is left of it would mean something else. */
function list(text: string, veil: (part: string) => string | undefined): string | undefined {
  if (text === '') return '';
  const parts = listParts(text, false).map((part) => veil(part.text));
  return parts.includes(undefined) ? undefined : parts.join(', ');
}

/** Without a length where none was written. */
const prefixText = (prefix: Prefix, written: string): string =>
  written.includes('/') ? formatPrefix(prefix) : formatIp(prefix.ip);

const nameText = (text: string, addresses: AddressMap): string | undefined =>
  /^[A-Za-z0-9_.-]{1,253}$/.test(text) ? addresses.host(text) : undefined;

function endpointText(text: string, addresses: AddressMap): string | undefined {
  const read = readEndpoint(text);
  if (!read.ok) return undefined;
  const { host, ip, port } = read.value.endpoint;
  if (ip === undefined) return `${addresses.host(host)}:${addresses.port(port)}`;
  const mapped = formatIp(addresses.ip(ip));
  return `${ip.length === 4 ? mapped : `[${mapped}]`}:${addresses.port(port)}`;
}

function keyText(text: string, said: 'private' | 'public' | 'psk', { keys, veil }: TextVeils): string | undefined {
  const read = readKeyText(text);
  if (read.ok) return toBase64(keys.text(read.value, said));
  // too short or too long is a fault of its own, and may be that of a secret
  if (read.error.kind !== 'length' || text.length > 2 * KEY_CHARACTERS) return undefined;
  const other = toBase64(veil.of('key text', utf8(text))) + toBase64(veil.of('key text, end', utf8(text)));
  return `${other.replaceAll('=', '').slice(0, Math.max(0, text.length - 1))}=`;
}

const KEY_CHARACTERS = 44;

/** Commands that open a firewall or a forwarding, in words that are the same on every machine. */
const HOOK_WORDS = new Set(
  (
    'iptables ip6tables sysctl -t --table nat filter mangle -A -I -D --append --insert --delete FORWARD INPUT OUTPUT ' +
    'POSTROUTING PREROUTING -i -o -s -d -p -j -m %i wg0 ACCEPT DROP REJECT MASQUERADE SNAT DNAT TCPMSS udp tcp icmp ' +
    '--in-interface --out-interface --source --destination --protocol --jump --match --to-source --to-destination ' +
    '--dport --sport --clamp-mss-to-pmtu --set-mss --tcp-flags SYN,RST SYN conntrack state --ctstate --state ' +
    'RELATED,ESTABLISHED ESTABLISHED,RELATED NEW comment -w -q ! ; && || net.ipv4.ip_forward=1 ' +
    'net.ipv6.conf.all.forwarding=1 eth0 eth1 ens3 ens18 enp1s0 wlan0 br0'
  ).split(' '),
);

/** All of the line or none of it: a command without one of its words is another command. */
function hookText(text: string, addresses: AddressMap): string | undefined {
  const words = text
    .replace(/;/g, ' ; ')
    .split(/\s+/)
    .filter((word) => word !== '');
  const out = words.map((word) => {
    if (HOOK_WORDS.has(word)) return word;
    const prefix = readPrefix(word);
    if (prefix.ok) return prefixText(addresses.prefix(prefix.value), word);
    return /^[0-9]{1,5}$/.test(word) && Number(word) <= 65_535 ? String(addresses.port(Number(word))) : undefined;
  });
  return out.includes(undefined) ? undefined : out.join(' ').replaceAll(' ; ', '; ');
}

/** A key log: each key of it is the generated one. */
export function veiledKeyLog(text: string, { crypto, keys }: TextVeils): VeiledText {
  return byLine(text, (line) => {
    const body = trimmed(line).text;
    if (body === '' || body.startsWith('#')) return body === '' ? '' : '#';
    const equals = body.indexOf('=');
    const name = KEY_LOG_NAMES.find((known) => known === trimmed(body, 0, Math.max(0, equals)).text);
    const read = readKeyText(trimmed(body, equals + 1).text, true);
    if (name === undefined || !read.ok) return undefined;
    const secret = name === 'LOCAL_STATIC_PRIVATE_KEY' || name === 'LOCAL_EPHEMERAL_PRIVATE_KEY';
    if (!secret) return `${name} = ${toBase64(keys.text(read.value, name === 'PRESHARED_KEY' ? 'psk' : 'public'))}`;
    return `${name} = ${toBase64(keys.pair(crypto.publicKey(privateKey(read.value))).secret)}`;
  });
}

/** Traffic keys, `0xINDEX KEY`: the index is on the wire, the key is another. */
export function veiledTrafficKeys(text: string, { keys }: TextVeils): VeiledText {
  return byLine(text, (line) => {
    const body = trimmed(line).text;
    if (body === '') return '';
    const match = /^(0[xX][0-9a-fA-F]{1,8})\s+(\S+)$/.exec(body);
    const read = match === null ? undefined : readKeyText(match[2] ?? '', true);
    if (match === null || read?.ok !== true) return body.startsWith('#') ? '#' : undefined;
    return `${match[1]} ${toBase64(keys.traffic(read.value))}`;
  });
}
