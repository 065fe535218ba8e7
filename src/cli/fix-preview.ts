/** How files would read when mended, as a diff that `patch` takes; nothing secret is in it. */
import type { Report, ReportEdit } from '../report/model.ts';
import { sanitise } from '../report/text-wrap.ts';

/** A file as it was read. */
export interface FileText {
  readonly name: string;
  readonly input: string;
  readonly text: string;
}

/** A line of a file; `end` is what ends it: LF, CR LF, or nothing at the end of the file. */
interface FileLine {
  readonly text: string;
  readonly end: string;
}

const CONTEXT = 2;
/** Secrets, and the shell commands, which may hold some. */
const SECRETIVE = /^[^#]*(?:private|preshared)[-_]?key\s*=|^\s*(?:pre|post)(?:up|down)\s*=/i;
/** A key under any other name than PublicKey, as in a comment, may be a secret one, and so may a part of one. */
const KEY_LIKE = /[A-Za-z0-9+/]{40}/;
const PART_OF_KEY = /[A-Za-z0-9+/]{20}/;
const PUBLIC_KEY = /^\s*PublicKey\s*=/i;
const WHOLE_PUBLIC_KEY = /^\s*PublicKey\s*=\s*[A-Za-z0-9+/]{43}=\s*$/i;

/** What a diff may repeat of a file. */
interface MayShow {
  /** The line that is changed. */
  changed(line: string): boolean;
  /** A line around it: there is always less need. */
  around(line: string): boolean;
}

/** As `diff -u` shows it; the files stay as they are. `tellsSecret` answers for what the files themselves name as one. */
export function fixPreview(
  { findings }: Report,
  files: readonly FileText[],
  tellsSecret: (line: string) => boolean = () => false,
): string {
  const edits = findings.flatMap((finding) => finding.edits ?? []);
  const isOpen = (line: string): boolean => !SECRETIVE.test(line) && !tellsSecret(line);
  const may: MayShow = {
    changed: (line) => isOpen(line) && (PUBLIC_KEY.test(line) || !KEY_LIKE.test(line)),
    around: (line) => isOpen(line) && (WHOLE_PUBLIC_KEY.test(line) || !PART_OF_KEY.test(line)),
  };
  return files
    .flatMap((file) =>
      fileDiff(
        file,
        edits.filter(({ input }) => input === file.input),
        may,
      ),
    )
    .join('');
}

function linesOf(text: string): FileLine[] {
  return [...text.matchAll(/([^\n]*?)(\r?\n|$)/g)].flatMap(([all, line = '', end = '']) =>
    all === '' ? [] : [{ text: line, end }],
  );
}

function fileDiff({ name, text }: FileText, edits: readonly ReportEdit[], may: MayShow): string[] {
  // lines that only CR ends are counted otherwise
  if (/\r(?!\n)/.test(text)) return [];
  const lines = linesOf(text);
  const byLine = chosen(edits, lines, may);
  if (byLine.size === 0) return [];
  const out = [`--- ${sanitise(name)}\n+++ ${sanitise(name)}\t(mended)\n`];
  let shift = 0;
  for (const { from, to } of hunks(byLine, lines, may)) {
    const body: string[] = [];
    let added = 0;
    // the anchor of what is inserted may be a line that is not shown: then it stands just before the hunk
    for (let n = from - 1; n <= to; n++) {
      const edit = byLine.get(n);
      const line = lines[n - 1];
      if (line === undefined || (n < from && edit?.kind !== 'insert-after')) continue;
      if (n < from && may.around(line.text)) continue;
      if (n >= from) body.push(diffLine(edit === undefined || edit.kind === 'insert-after' ? ' ' : '-', line));
      if (edit?.text !== undefined) body.push(diffLine('+', { text: edit.text, end: line.end || '\n' }));
      added += edit === undefined || edit.kind === 'replace' ? 0 : edit.kind === 'delete' ? -1 : 1;
    }
    const length = to - from + 1;
    const old = length === 0 ? from - 1 : from;
    const now = length + added === 0 ? from + shift - 1 : from + shift;
    out.push(`@@ -${old},${length} +${now},${length + added} @@\n`, ...body);
    shift += added;
  }
  return out;
}

/** Two findings may mend one line; the first is the one that stands first in the report. */
function chosen(edits: readonly ReportEdit[], lines: readonly FileLine[], may: MayShow): Map<number, ReportEdit> {
  const byLine = new Map<number, ReportEdit>();
  for (const edit of edits) {
    const line = lines[edit.line - 1];
    if (line === undefined || byLine.has(edit.line)) continue;
    // what goes would be shown, and after a last line without an end nothing can be put as it stands
    if (edit.kind === 'insert-after' ? line.end !== '' : may.changed(line.text)) byLine.set(edit.line, edit);
  }
  return byLine;
}

const diffLine = (sign: string, { text, end }: FileLine): string =>
  end === '' ? `${sign}${sanitise(text)}\n\\ No newline at end of file\n` : `${sign}${sanitise(text)}${end}`;

/** Two lines around each change, and never one that is not to be shown. */
function hunks(
  changed: ReadonlyMap<number, ReportEdit>,
  lines: readonly FileLine[],
  may: MayShow,
): { from: number; to: number }[] {
  const out: { from: number; to: number }[] = [];
  const canShow = (n: number): boolean => n >= 1 && n <= lines.length && may.around(lines[n - 1]?.text ?? '');
  const stands = (n: number): boolean => changed.get(n)?.kind !== 'insert-after' || canShow(n);
  for (const n of [...changed.keys()].sort((a, b) => a - b)) {
    let from = stands(n) ? n : n + 1;
    let to = n;
    while (from <= n && from > n - CONTEXT && canShow(from - 1)) from--;
    while (to < n + CONTEXT && canShow(to + 1)) to++;
    const before = out.at(-1);
    if (before !== undefined && from <= before.to + 1 && stands(n)) before.to = Math.max(before.to, to);
    else out.push({ from, to });
  }
  return out;
}
