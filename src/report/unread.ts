/** What is recognised but not read, in words for whoever handed it over. */
import type { Problem } from '../base/problem.ts';
import type { TextKind } from '../config/sniff.ts';

const READ_HINT =
  'captures (pcap, pcapng, gzip of either), wg-quick files, key logs, RouterOS exports and prints, outputs of wg, of firewalls, routes and sockets, and logs are read';

const UNREAD: Partial<Record<TextKind, string>> = {
  uapi: 'output of the UAPI',
  'systemd-netdev': 'a systemd .netdev file',
  'network-manager': 'a NetworkManager connection',
  'lone-key': 'a bare key',
  pem: 'a PEM file',
  html: 'a web page',
  json: 'JSON',
  empty: 'an empty file',
  binary: 'binary data of no format that is known',
  unknown: 'text of no format that is known',
};

const HINTS: Partial<Record<TextKind, string>> = {
  'lone-key':
    'a public key goes in as --public-key NAME=KEY; a private key belongs into a configuration: [Interface] PrivateKey = …',
  html: 'download the raw file instead of the page that shows it',
  empty: 'was the capture stopped before it wrote anything? tcpdump needs -U, or to be ended with Ctrl-C',
  'systemd-netdev': '`wg showconf INTERFACE` prints the same settings in a form that is read',
  'network-manager': '`wg showconf INTERFACE` prints the same settings in a form that is read',
};

/** `line` where it begins inside a longer text. */
export function unread(kind: TextKind, line: number | undefined): Problem {
  return {
    message: `this is ${UNREAD[kind] ?? 'something'}, which is not read`,
    hint: HINTS[kind] ?? READ_HINT,
    ...(line === undefined ? {} : { line }),
  };
}
