/** Sources to what they hold, by content: texts are read whole, captures stay streams. */

import type { KeySet } from '../analyze/key-set.ts';
import { type Bytes, concat, concatAll } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { sniffCapture } from '../capture/sniff.ts';
import { parseKeyLog } from '../config/key-log.ts';
import { sniffText, type TextKind } from '../config/sniff.ts';
import { decodeText, MAX_TEXT_BYTES } from '../config/text.ts';
import { parseTrafficKeys } from '../config/traffic-keys.ts';
import { parseWgConf } from '../config/wg-quick.ts';
import type { InputKind } from './model.ts';

/** Something to read: its kind is found out by content. `open` is called once. */
export interface Source {
  readonly name: string;
  open(): AsyncIterable<Uint8Array>;
}

export interface Input {
  readonly id: string;
  readonly name: string;
  /** As findings call it: the file's own name where that is enough. */
  readonly label: string;
  readonly kind: InputKind;
  /** Captures only, from the first byte on. */
  readonly chunks?: AsyncIterable<Bytes>;
}

/** "a" to "z", then "aa". */
export function inputId(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : inputId(Math.floor(index / 26) - 1) + letter;
}

/** The last part of each path, and as many parts before it as tell it from the others. */
export function labels(names: readonly string[]): string[] {
  return names.map((name) => {
    const parts = name.split(/[\\/]/);
    for (let n = 1; n < parts.length; n++) {
      const label = parts.slice(-n).join('/');
      if (names.every((other) => other === name || !other.endsWith(label))) return label;
    }
    return name;
  });
}

const MAGIC_BYTES = 16;

/** A capture keeps its stream; a text is parsed into `keys` at once. undefined when it is neither. */
export async function readInput(
  id: string,
  source: Source,
  label: string,
  keys: KeySet,
  report: (problem: Problem) => void,
): Promise<Input | undefined> {
  const iterator = source.open()[Symbol.asyncIterator]();
  const head: Bytes[] = [];
  let size = 0;
  let ended = false;
  const more = async (): Promise<void> => {
    const step = await iterator.next();
    if (step.done === true) ended = true;
    else {
      head.push(step.value);
      size += step.value.length;
    }
  };
  while (!ended && size < MAGIC_BYTES) await more();
  if (sniffCapture(concat(...head)) !== undefined) {
    return { id, name: source.name, label, kind: 'capture', chunks: replay(head, iterator) };
  }
  while (!ended && size <= MAX_TEXT_BYTES) await more();
  if (!ended) await iterator.return?.();
  const kind = readText(label, id, concatAll(head), keys, report);
  return kind === undefined ? undefined : { id, name: source.name, label, kind };
}

async function* replay(head: readonly Bytes[], rest: AsyncIterator<Bytes>): AsyncGenerator<Bytes> {
  try {
    yield* head;
    for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}

function readText(
  name: string,
  id: string,
  bytes: Bytes,
  keys: KeySet,
  report: (problem: Problem) => void,
): InputKind | undefined {
  const { text, problems } = decodeText(bytes);
  const kind = sniffText(bytes.length > MAX_TEXT_BYTES ? bytes.subarray(0, MAX_TEXT_BYTES) : bytes);
  if (kind === 'wg-conf') {
    const parsed = parseWgConf(text);
    keys.addConf(id, name, parsed.conf);
    for (const problem of [...problems, ...parsed.problems]) report(problem);
    return 'wg-conf';
  }
  if (kind === 'key-log') {
    const parsed = parseKeyLog(text);
    keys.addKeyLog(name, parsed.keyLog);
    for (const problem of [...problems, ...parsed.problems]) report(problem);
    return 'key-log';
  }
  if (kind === 'traffic-keys') {
    const parsed = parseTrafficKeys(text);
    keys.addTrafficKeys(name, parsed.keys);
    for (const problem of [...problems, ...parsed.problems]) report(problem);
    return 'traffic-keys';
  }
  report({ message: `this is ${UNREAD[kind]}, which is not read`, hint: HINTS[kind] ?? READ_HINT });
  return undefined;
}

const READ_HINT =
  'captures (pcap, pcapng, gzip of either), wg-quick configurations, Wireshark key logs and extract-keys files are read';

const UNREAD: Readonly<Record<Exclude<TextKind, 'wg-conf' | 'key-log' | 'traffic-keys'>, string>> = {
  'wg-show': 'output of `wg show`',
  'wg-show-dump': 'output of `wg show dump`',
  uapi: 'output of the UAPI',
  'routeros-export': 'a RouterOS export',
  'routeros-print': 'output of a RouterOS print command',
  'systemd-netdev': 'a systemd .netdev file',
  'network-manager': 'a NetworkManager connection',
  'lone-key': 'a bare key',
  log: 'a log',
  'firewall-rules': 'a list of firewall rules',
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
  'wg-show': '`wg showconf INTERFACE` prints a configuration, which is read',
  'wg-show-dump': '`wg showconf INTERFACE` prints a configuration, which is read',
};
