/** Bytes to text and text to lines, as people's editors leave them: byte order marks, UTF-16, CR LF. */
import type { Bytes } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';

/** A value and where it stands. `raw` is the text as written, and never kept for a secret. */
export interface Located<T> {
  readonly value: T;
  /** Lines and columns count from 1; columns are UTF-16 code units, as editors count them. */
  readonly line: number;
  readonly column: number;
  readonly raw?: string;
}

export interface Line {
  readonly number: number;
  readonly text: string;
}

/** No text a person writes or a tool logs for one analysis comes near; what is beyond is cut and said. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const MAX_PROBLEMS = 500;

type Place = { readonly line: number; readonly column: number };

const where = (place: Place | undefined) => (place === undefined ? {} : { line: place.line, column: place.column });

/** Collects problems; beyond 500 they are only counted, so that hostile input cannot fill memory. */
export class ProblemList {
  readonly #kept: Problem[] = [];
  #more = 0;

  add(place: Place | undefined, message: string, hint?: string): void {
    this.#keep({ message, ...where(place), ...(hint === undefined ? {} : { hint }) });
  }

  /** What is odd, and is taken all the same. */
  remark(place: Place | undefined, message: string, hint: string): void {
    this.#keep({ message, ...where(place), hint, remark: true });
  }

  #keep(problem: Problem): void {
    if (this.#kept.length >= MAX_PROBLEMS) {
      this.#more++;
      return;
    }
    this.#kept.push(problem);
  }

  done(): Problem[] {
    return this.#more === 0
      ? this.#kept
      : [...this.#kept, { message: `${this.#more} further problems are not listed` }];
  }
}

/** What `wg` skips (ctype.h): ASCII only, so a no-break space is not white space. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** The part of `text` from `start` to `end` without white space around it, and where it begins. */
export function trimmed(text: string, start = 0, end = text.length): { readonly text: string; readonly at: number } {
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return { text: text.slice(start, end), at: start };
}

export function withoutSpace(text: string): string {
  return text.replace(/[\t-\r ]/g, '');
}

/** Lines ended by LF, CR LF or CR; the ends are not part of them. */
export function* lines(text: string): Generator<Line> {
  let number = 1;
  let start = 0;
  const end = /\r\n|\n|\r/g;
  for (let match = end.exec(text); match !== null; match = end.exec(text)) {
    yield { number: number++, text: text.slice(start, match.index) };
    start = end.lastIndex;
  }
  if (start < text.length) yield { number, text: text.slice(start) };
}

function utf16Order(bytes: Bytes): 'le' | 'be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'be';
  // Without a mark: ASCII in UTF-16 has a zero in every second byte, and plain text has none at all.
  const n = Math.min(bytes.length, 256) & ~1;
  const zeros = [0, 0];
  for (let i = 0; i < n; i++) if (bytes[i] === 0) zeros[i & 1] = (zeros[i & 1] ?? 0) + 1;
  if (n < 4) return undefined;
  if (zeros[0] === 0 && (zeros[1] ?? 0) * 4 >= n) return 'le';
  return zeros[1] === 0 && (zeros[0] ?? 0) * 4 >= n ? 'be' : undefined;
}

function utf16(bytes: Bytes, order: 'le' | 'be'): string {
  const even = bytes.subarray(0, bytes.length & ~1);
  if (order === 'le') return new TextDecoder('utf-16le').decode(even);
  const swapped = new Uint8Array(even.length);
  for (let i = 0; i < even.length; i++) swapped[i] = even[i ^ 1] ?? 0;
  return new TextDecoder('utf-16le').decode(swapped);
}

function latin1(bytes: Bytes): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 4096) out += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return out;
}

/**
 * The text of a file in UTF-8, UTF-16 (Notepad, PowerShell) or, failing both, Latin-1. Byte order marks are taken off
 * and reported, since `wg` and Wireshark refuse the line they stand on. Never throws.
 */
export function decodeText(bytes: Bytes): { readonly text: string; readonly problems: Problem[] } {
  const problems = new ProblemList();
  if (bytes.length > MAX_TEXT_BYTES) {
    problems.add(undefined, `the text is longer than ${MAX_TEXT_BYTES} bytes; the rest was not read`);
    bytes = bytes.subarray(0, MAX_TEXT_BYTES);
  }
  const start = { line: 1, column: 1 };
  const order = utf16Order(bytes);
  if (order !== undefined) {
    problems.add(
      start,
      'the file is UTF-16, which wg and Wireshark cannot read',
      'save it as UTF-8 without a byte order mark',
    );
    return { text: utf16(bytes, order), problems: problems.done() };
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    problems.add(
      start,
      'the file begins with a byte order mark, which wg refuses',
      'save it as UTF-8 without a byte order mark',
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = latin1(bytes);
    problems.remark(undefined, 'the file is not UTF-8; it was read as Latin-1', 'save it as UTF-8');
  }
  return { text, problems: problems.done() };
}
