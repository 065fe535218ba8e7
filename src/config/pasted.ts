/** Text as it comes out of a terminal or a forum: colours and no-break spaces taken off, lines with their numbers. */
import { type Line, lines, MAX_TEXT_BYTES } from './text.ts';

/** A whole text, or some lines of one that keep their numbers. */
export type Pasted = string | readonly Line[];

/** Lines that are read at most: far above any output, far below what would fill memory. */
export const MAX_LINES = 500_000;
/** No line of any output that is read here is longer; what is beyond is cut off. */
const LONGEST_LINE = 16 * 1024;
/** Colours and cursor movements, the latter from consoles and `watch`. */
const ESCAPES = /\u001b\[[0-9;?]{0,16}[A-Za-z]|\u001b[c()][A-Z0-9]?/g;

/** Never throws. Lines that were cleaned already come back as they are. */
export function pastedLines(text: Pasted): readonly Line[] {
  if (typeof text !== 'string') return text;
  const out: Line[] = [];
  const body = (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).slice(0, MAX_TEXT_BYTES);
  for (const line of lines(body)) {
    if (out.length >= MAX_LINES) break;
    out.push({ number: line.number, text: clean(line.text) });
  }
  return out;
}

function clean(text: string): string {
  const plain = text.includes('\u001b') ? text.replace(ESCAPES, '') : text;
  // One for one, so that columns stay: web pages put these where a space was. The last two end no line here, but would
  // end what `.` matches.
  return plain.replace(/[\u00a0\u2007\u202f\u2028\u2029]/g, ' ').slice(0, LONGEST_LINE);
}
