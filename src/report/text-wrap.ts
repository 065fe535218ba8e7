/** Plain text for a terminal: harmless characters, wrapped lines, a little colour. */

/** C0 and C1 controls, DEL, zero-width and bidirectional marks, line separators, lone surrogates. */
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/gu;

/** What comes from files may hold terminal escapes or marks that reorder a line: each becomes visible, `\u{1b}`. */
export function sanitise(text: string): string {
  return text.replace(HARMFUL, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same value with every string in it, keys included, made harmless. */
export function sanitiseAll<T>(value: T): T {
  return sanitised(value) as T;
}

function sanitised(value: unknown): unknown {
  if (typeof value === 'string') return sanitise(value);
  if (Array.isArray(value)) return value.map(sanitised);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [sanitise(key), sanitised(inner)]));
}

/** Code points, which for what we print are terminal columns. */
export function widthOf(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Breaks at spaces only: a word longer than a line stays whole, so that it can be copied. */
export function wrap(text: string, width: number, first = '', rest = ' '.repeat(widthOf(first))): string[] {
  const lines: string[] = [];
  let line = first;
  let filled = false;
  let used = widthOf(first);
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const wide = widthOf(word);
    if (filled && used + 1 + wide > width) {
      lines.push(line);
      line = rest;
      used = widthOf(rest);
      filled = false;
    }
    if (filled) {
      line += ' ';
      used += 1;
    }
    line += word;
    used += wide;
    filled = true;
  }
  lines.push(line.trimEnd());
  return lines;
}

/** Pads with spaces on the right, counting code points. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

export type Tone = 'red' | 'yellow' | 'green' | 'bold' | 'dim';
export type Paint = (tone: Tone, text: string) => string;

const SGR: Readonly<Record<Tone, string>> = { red: '1;31', yellow: '1;33', green: '1;32', bold: '1', dim: '2' };

/** Paint goes on after wrapping, so it never counts as width. */
export function painter(colour: boolean): Paint {
  return colour ? (tone, text) => `\u001b[${SGR[tone]}m${text}\u001b[0m` : (_, text) => text;
}
