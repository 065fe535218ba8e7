/** Traffic keys as contrib/extract-keys of wireguard-tools prints them: `0xINDEX BASE64`, one direction a line. */
import { toBase64 } from '../base/base64.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { readKeyText } from './key-text.ts';
import { isSpace, lines, MAX_TEXT_BYTES, ProblemList, trimmed } from './text.ts';

export interface TrafficKey {
  /** The receiver index of the data messages that this key opens. */
  readonly index: number;
  /** 32 bytes for ChaCha20-Poly1305; secret. */
  readonly key: Bytes;
  readonly line: number;
}

const MAX_KEYS = 100_000;
/** Lines of an old Wireshark plug-in for handshake keys, which stand in the same files. */
const OTHER_KINDS = /^(STAT|TIME|EMPT)[ \t]/;

/** Reads every line of the form; empty lines, comments and handshake-key lines are passed over. Never throws. */
export function parseTrafficKeys(text: string): { readonly keys: readonly TrafficKey[]; readonly problems: Problem[] } {
  const problems = new ProblemList();
  const keys: TrafficKey[] = [];
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  if (text.length > MAX_TEXT_BYTES) {
    problems.add(undefined, `the file is longer than ${MAX_TEXT_BYTES} characters; the rest was not read`);
    text = text.slice(0, text.lastIndexOf('\n', MAX_TEXT_BYTES - 1) + 1);
  }
  for (const { number, text: line } of lines(text)) {
    const body = trimmed(line);
    if (body.text === '' || body.text.startsWith('#') || OTHER_KINDS.test(body.text)) continue;
    const place = { line: number, column: body.at + 1 };
    let end = body.at;
    while (end < line.length && !isSpace(line.charCodeAt(end))) end++;
    const index = line.slice(body.at, end);
    if (!/^0[xX][0-9a-fA-F]{1,8}$/.test(index)) {
      const prefixed = /^0[xX]/.test(index);
      problems.add(
        place,
        prefixed ? 'the index is not 1 to 8 hexadecimal digits' : 'this line does not begin with an index',
        'write 0xINDEX KEY, as extract-keys prints it',
      );
      continue;
    }
    const value = trimmed(line, end);
    const read = readKeyText(value.text, true);
    if (!read.ok) {
      problems.add(
        { line: number, column: value.at + 1 + read.error.at },
        `the key ${read.error.predicate}`,
        read.error.hint,
      );
      continue;
    }
    if (keys.length >= MAX_KEYS) {
      problems.add(place, `there are more than ${MAX_KEYS} keys; the rest was not read`);
      break;
    }
    keys.push({ index: Number.parseInt(index.slice(2), 16), key: read.value, line: number });
  }
  return { keys, problems: problems.done() };
}

/** One line of the form that {@link parseTrafficKeys} reads. It is a secret: only for a file of mode 0600. */
export function formatTrafficKey(index: number, key: Bytes): string {
  return `0x${index.toString(16).padStart(8, '0')} ${toBase64(key)}\n`;
}
