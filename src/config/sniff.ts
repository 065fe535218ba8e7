/** Says what a text is from its first lines, never from its name; kinds that are known but not read yet have a name too. */
import type { Bytes } from '../base/bytes.ts';
import { pastedLines } from './pasted.ts';
import { isRouterChange, readPrompt } from './prompt.ts';
import { kindOfCommand, signOf, type TextKind } from './signs.ts';
import { decodeText, trimmed, withoutSpace } from './text.ts';
import { INTERFACE_SETTINGS, PEER_SETTINGS } from './wg-names.ts';

export type { TextKind } from './signs.ts';

const HEAD_LENGTH = 64 * 1024;
const HEAD_LINES = 400;
const LONE_KEY = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Decides by content: the first line that shows a kind. Capture files are not asked here: `sniffCapture` comes first.
 * A text that holds several kinds is split by `splitSections`. Never throws.
 */
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
  let asked: TextKind | undefined;
  for (const line of pastedLines(text)) {
    const plain = trimmed(line.text).text.slice(0, 512);
    if (plain === '') continue;
    if (seen++ >= HEAD_LINES) break;
    const prompt = readPrompt(plain);
    if (prompt !== undefined) {
      if (isRouterChange(prompt)) return 'routeros-export';
      asked ??= kindOfCommand(prompt.command);
      continue;
    }
    const sign = signOf(plain);
    if (sign !== undefined) return sign.kind;
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
  if (LONE_KEY.test(first)) return 'lone-key';
  if (asked !== undefined) return asked;
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
