/** Key logs in Wireshark's form, as extract-handshakes, BoringTun and decryption-secrets blocks hold them. */
import { toBase64 } from '../base/base64.ts';
import {
  type PresharedKey,
  type PrivateKey,
  type PublicKey,
  presharedKey,
  privateKey,
  publicKey,
} from '../base/keys.ts';
import type { Problem } from '../base/problem.ts';
import { readKeyText } from './key-text.ts';
import { type Located, lines, MAX_TEXT_BYTES, ProblemList, trimmed } from './text.ts';
import { nearest } from './wg-names.ts';

export const KEY_LOG_NAMES = [
  'LOCAL_STATIC_PRIVATE_KEY',
  'REMOTE_STATIC_PUBLIC_KEY',
  'LOCAL_EPHEMERAL_PRIVATE_KEY',
  'PRESHARED_KEY',
] as const;

/** One `LOCAL_EPHEMERAL_PRIVATE_KEY` line. The same key may stand on several, each with another PSK to try. */
export interface KeyLogEphemeral {
  readonly key: Located<PrivateKey>;
  readonly psk?: Located<PresharedKey>;
}

export interface KeyLog {
  readonly statics: readonly Located<PrivateKey>[];
  readonly remotes: readonly Located<PublicKey>[];
  readonly ephemerals: readonly KeyLogEphemeral[];
  /** Every PSK, in file order. `boundTo` indexes `ephemerals`; without it Wireshark ignores the line. */
  readonly psks: readonly { readonly key: Located<PresharedKey>; readonly boundTo?: number }[];
  /** Lines with text that are no key log lines and no comments: headings of extract-handshakes, noise. */
  readonly otherLines: number;
}

export interface KeyLogOptions {
  /** Keys of one kind that are kept at most. */
  readonly maxKeys?: number;
}

const MAX_KEYS = 100_000;

/**
 * Reads `NAME = BASE64` lines; white space around either part and CR are allowed, and non-zero trailing bits are taken,
 * as Wireshark does (epan/dissectors/packet-wireguard.c, wg_keylog_process_lines). A PSK belongs to the ephemeral
 * line before it. Each ephemeral line takes one: a second PSK stays unbound, and is a problem. Never throws.
 */
export function parseKeyLog(
  text: string,
  options: KeyLogOptions = {},
): { readonly keyLog: KeyLog; readonly problems: Problem[] } {
  const maxKeys = options.maxKeys ?? MAX_KEYS;
  const problems = new ProblemList();
  const statics: Located<PrivateKey>[] = [];
  const remotes: Located<PublicKey>[] = [];
  const ephemerals: KeyLogEphemeral[] = [];
  const psks: { key: Located<PresharedKey>; boundTo?: number }[] = [];
  let otherLines = 0;
  /** What the next PSK line belongs to. */
  let open:
    | { readonly kind: 'ephemeral'; readonly index: number }
    | { readonly kind: 'none' | 'taken' | 'unreadable' } = { kind: 'none' };

  if (text.charCodeAt(0) === 0xfeff) {
    problems.add(
      { line: 1, column: 1 },
      'the file begins with a byte order mark, so Wireshark misses its first line',
      'save it as UTF-8 without a byte order mark',
    );
    text = text.slice(1);
  }
  if (text.length > MAX_TEXT_BYTES) {
    problems.add(undefined, `the key log is longer than ${MAX_TEXT_BYTES} characters; the rest was not read`);
    text = text.slice(0, text.lastIndexOf('\n', MAX_TEXT_BYTES - 1) + 1);
  }

  for (const { number, text: line } of lines(text)) {
    const body = trimmed(line);
    if (body.text === '' || body.text.startsWith('#')) continue;
    const equals = body.text.indexOf('=');
    const word = equals < 0 || equals > 64 ? '' : trimmed(body.text, 0, equals).text;
    const name = KEY_LOG_NAMES.find((known) => known === word);
    if (name === undefined) {
      otherLines++;
      const meant = nearest(word, KEY_LOG_NAMES);
      if (meant !== undefined) {
        problems.add(
          { line: number, column: body.at + 1 },
          'this is not the name of a key log line',
          `did you mean ${meant}`,
        );
      }
      continue;
    }
    const value = trimmed(line, body.at + equals + 1);
    const place = { line: number, column: value.at + 1 };
    const read = readKeyText(value.text, true);
    if (!read.ok) {
      const { predicate, hint, at } = read.error;
      problems.add({ line: number, column: place.column + at }, `${name} ${predicate}`, hint);
      // Differs from Wireshark, which would give the next PSK to the ephemeral before this one.
      if (name === 'LOCAL_EPHEMERAL_PRIVATE_KEY') open = { kind: 'unreadable' };
      continue;
    }
    const into =
      name === 'LOCAL_STATIC_PRIVATE_KEY'
        ? statics
        : name === 'REMOTE_STATIC_PUBLIC_KEY'
          ? remotes
          : name === 'PRESHARED_KEY'
            ? psks
            : ephemerals;
    if (into.length >= maxKeys) {
      problems.add(place, `there are more than ${maxKeys} keys of one kind; the rest was not read`);
      break;
    }
    switch (name) {
      case 'LOCAL_STATIC_PRIVATE_KEY':
        statics.push({ value: privateKey(read.value), ...place });
        break;
      case 'REMOTE_STATIC_PUBLIC_KEY':
        remotes.push({ value: publicKey(read.value), ...place, raw: value.text });
        break;
      case 'LOCAL_EPHEMERAL_PRIVATE_KEY':
        open = { kind: 'ephemeral', index: ephemerals.length };
        ephemerals.push({ key: { value: privateKey(read.value), ...place } });
        break;
      case 'PRESHARED_KEY': {
        const key = { value: presharedKey(read.value), ...place };
        const owner = open.kind === 'ephemeral' ? ephemerals[open.index] : undefined;
        if (open.kind === 'ephemeral' && owner !== undefined) {
          ephemerals[open.index] = { key: owner.key, psk: key };
          psks.push({ key, boundTo: open.index });
          open = { kind: 'taken' };
          break;
        }
        psks.push({ key });
        if (open.kind === 'taken') {
          problems.add(
            place,
            'this PRESHARED_KEY follows another one, so it belongs to no handshake',
            'repeat the LOCAL_EPHEMERAL_PRIVATE_KEY line above it, or check the order of the lines',
          );
        } else if (open.kind === 'none') {
          problems.add(
            place,
            'this PRESHARED_KEY has no LOCAL_EPHEMERAL_PRIVATE_KEY before it, so it belongs to no handshake',
            'put it right after the ephemeral key of its handshake',
          );
        }
      }
    }
  }
  return { keyLog: { statics, remotes, ephemerals, psks, otherLines }, problems: problems.done() };
}

/** What {@link formatKeyLog} writes. */
export interface KeyLogKeys {
  readonly statics?: readonly PrivateKey[];
  readonly remotes?: readonly PublicKey[];
  readonly ephemerals?: readonly { readonly key: PrivateKey; readonly psk?: PresharedKey }[];
}

/** The lines that {@link parseKeyLog} and Wireshark read. They are secrets: only for a file of mode 0600. */
export function formatKeyLog(keys: KeyLogKeys): string {
  const out: string[] = [];
  for (const key of keys.remotes ?? []) out.push(`REMOTE_STATIC_PUBLIC_KEY = ${toBase64(key)}`);
  for (const key of keys.statics ?? []) out.push(`LOCAL_STATIC_PRIVATE_KEY = ${toBase64(key)}`);
  for (const { key, psk } of keys.ephemerals ?? []) {
    out.push(`LOCAL_EPHEMERAL_PRIVATE_KEY = ${toBase64(key)}`);
    if (psk !== undefined) out.push(`PRESHARED_KEY = ${toBase64(psk)}`);
  }
  return out.map((line) => `${line}\n`).join('');
}
