/** Applies a unified diff as `patch` does, and takes nothing that does not fit exactly. */
import type { Texts } from '../diagnose/checked.ts';

const HUNK = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/;

/** Names in the diff begin with `folder/`. */
export function patched(texts: Texts, diff: string, folder: string): Texts {
  const out: Record<string, string> = { ...texts };
  for (const part of diff.split(/^--- /m).slice(1)) {
    const [head = '', into = '', ...rest] = part.split('\n');
    const name = head.replace(`${folder}/`, '');
    const text = texts[name];
    if (text === undefined || into !== `+++ ${head}\t(mended)`) throw new Error(`no such file: ${head}`);
    out[name] = applied(text, rest);
  }
  return out;
}

function applied(text: string, diff: readonly string[]): string {
  const old = text.split('\n');
  const out: string[] = [];
  let at = 0;
  let expected: readonly number[] = [];
  for (const line of diff) {
    const hunk = HUNK.exec(line);
    if (hunk !== null) {
      const [, from = 0, length = 0, to = 0] = hunk.map(Number);
      const start = length === 0 ? from : from - 1;
      while (at < start) out.push(old[at++] ?? '');
      if (expected.some((n) => n !== 0)) throw new Error('the hunk before is not whole');
      if (to !== out.length + (Number(hunk[4]) === 0 ? 0 : 1)) throw new Error(`the new line is not ${to}`);
      expected = [length, Number(hunk[4])];
    } else if (line === '\\ No newline at end of file' || (line === '' && expected.every((n) => n === 0))) continue;
    else {
      const [sign, body] = [line.charAt(0), line.slice(1)];
      if (sign !== '+' && old[at] !== body) throw new Error(`line ${at + 1} is not ${JSON.stringify(body)}`);
      if (sign !== '+') at++;
      if (sign !== '-') out.push(body);
      const [a = 0, b = 0] = expected;
      expected = [a - Number(sign !== '+'), b - Number(sign !== '-')];
    }
  }
  if (expected.some((n) => n !== 0)) throw new Error('the last hunk is not whole');
  return [...out, ...old.slice(at)].join('\n');
}
