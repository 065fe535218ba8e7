/** Says what a text is from its first lines, never from its name; kinds that are known but not read yet have a name too. */
import type { Bytes } from '../base/bytes.ts';
import { decodeText, lines, trimmed, withoutSpace } from './text.ts';
import { INTERFACE_SETTINGS, PEER_SETTINGS } from './wg-names.ts';

/** The first three can be read; the rest are recognised, so that a refusal can say what it is. */
export type TextKind =
  | 'wg-conf'
  | 'key-log'
  | 'traffic-keys'
  | 'wg-show'
  | 'wg-show-dump'
  | 'uapi'
  | 'routeros-export'
  | 'routeros-print'
  | 'systemd-netdev'
  | 'network-manager'
  | 'lone-key'
  | 'log'
  | 'firewall-rules'
  | 'pem'
  | 'html'
  | 'json'
  | 'empty'
  | 'binary'
  | 'unknown';

const HEAD_LENGTH = 64 * 1024;
const HEAD_LINES = 400;
const KEY = '[A-Za-z0-9+/]{43}=';

/** The first kind with a line that fits wins; order within a line is the order here. */
const SIGNS: readonly (readonly [TextKind, RegExp])[] = [
  ['pem', /^-----BEGIN [A-Z0-9 ]+-----/],
  ['html', /^<(!doctype html|html|head|body)\b/i],
  ['key-log', /^(LOCAL_STATIC_PRIVATE_KEY|REMOTE_STATIC_PUBLIC_KEY|LOCAL_EPHEMERAL_PRIVATE_KEY|PRESHARED_KEY) *=/],
  ['traffic-keys', new RegExp(`^0[xX][0-9a-fA-F]{1,8}[ \\t]+${KEY}$`)],
  ['traffic-keys', /^(STAT|TIME|EMPT)[ \t]/],
  ['routeros-export', /^# .* by RouterOS \d|^\/interface[ /]wireguard\b|^\/(ip|ipv6|interface|system)\b/],
  ['routeros-print', /^Flags: .*\bX\b.*(disabled|running)|^\d+ +[XRD ]* *(;;;|name="|interface=)/i],
  ['systemd-netdev', /^\[(NetDev|WireGuard|WireGuardPeer)\]$/i],
  ['network-manager', /^\[(connection|wireguard-peer\..*)\]$/i],
  ['wg-conf', /^\[ *(interface|peer)s? *\]?/i],
  ['uapi', /^(private_key|public_key|preshared_key|protocol_version|persistent_keepalive_interval)=/],
  ['wg-show-dump', new RegExp(`^(\\S+\\t)?(${KEY}|\\(none\\))\\t(${KEY}|\\(none\\)|\\(hidden\\))\\t`)],
  ['wg-show', new RegExp(`^interface: \\S+|^peer: ${KEY}`)],
  [
    'firewall-rules',
    /^\*(filter|nat|mangle|raw)$|^Chain [A-Z]+ \(policy|^table (ip|ip6|inet) |^-[AP] [A-Z]+ |^#!\/usr\/sbin\/nft/,
  ],
  [
    'log',
    /^(DEBUG|INFO|WARN|ERROR): \(|\b(wireguard|wgc|wgs): |\bwireguard: \w+: |Handshake (did not complete|for peer)|Received handshake initiation|Sending handshake initiation/i,
  ],
  ['log', /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d|\[ *\d+\.\d{6}\] )/],
];

/** Decides by content. Capture files are not asked here: `sniffCapture` comes first. Never throws. */
export function sniffText(head: Bytes | string): TextKind {
  if (typeof head !== 'string') {
    if (head.length === 0) return 'empty';
    const text = decodeText(head.subarray(0, HEAD_LENGTH)).text;
    return looksBinary(text) ? 'binary' : sniffText(text);
  }
  const text = (head.charCodeAt(0) === 0xfeff ? head.slice(1) : head).slice(0, HEAD_LENGTH);
  let seen = 0;
  let setting = false;
  let first: string | undefined;
  for (const line of lines(text)) {
    const body = trimmed(line.text).text;
    if (body === '') continue;
    if (seen++ >= HEAD_LINES) break;
    // Colours of `wg show` on a terminal.
    const plain = body.replace(/\u001b\[[0-9;]{0,12}m/g, '').slice(0, 512);
    for (const [kind, sign] of SIGNS) if (sign.test(plain)) return kind;
    if (plain.startsWith('#') || plain.startsWith(';')) continue;
    first ??= plain;
    const equals = plain.indexOf('=');
    const word = equals < 0 ? '' : withoutSpace(plain.slice(0, equals)).toLowerCase();
    setting ||= INTERFACE_SETTINGS.has(word) || PEER_SETTINGS.has(word);
  }
  if (seen === 0) return 'empty';
  // A configuration whose section lines are missing: its reader says so line by line.
  if (setting) return 'wg-conf';
  if (first === undefined) return 'unknown';
  if (new RegExp(`^${KEY}$`).test(first)) return 'lone-key';
  const start = trimmed(text).text.slice(0, 512);
  return /^[[{][\t-\r ]*["{[\]}\d]/.test(start) ? 'json' : 'unknown';
}

/** Control characters that no text has, in more than stray numbers. */
function looksBinary(text: string): boolean {
  const n = Math.min(text.length, 4096);
  let odd = 0;
  for (let i = 0; i < n; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || (code < 0x20 && !(code >= 0x09 && code <= 0x0d) && code !== 0x1b)) odd++;
  }
  return odd > 0 && odd * 50 > n;
}
