/** What `wgwhy anonymise` says it has written, for the person who is about to publish it. */
import type { Anonymised, AnonymisedFile } from '../report/anonymise/anonymise.ts';
import type { Difference } from '../report/anonymise/compare.ts';
import { pad, sanitise, widthOf, wrap } from '../report/text-wrap.ts';

export interface AnonymiseText {
  readonly folder: string;
  readonly width: number;
  /** All times are as they were. */
  readonly timesKept: boolean;
}

export function anonymiseText(done: Anonymised, { folder, width, timesKept }: AnonymiseText): string {
  const out: string[] = [`written to ${sanitise(folder)}:`];
  const column = Math.max(...done.files.map(({ name }) => widthOf(name)), 0) + 2;
  for (const file of done.files) {
    out.push(...wrap(`for ${sanitise(file.from)}${about(file)}`, width, `  ${pad(file.name, column)}`));
  }
  for (const { name, kind } of done.withheld) {
    out.push(
      ...wrap(`${sanitise(name)} is left out: ${KINDS[kind] ?? kind} are not written anew`, width, '  ', '    '),
    );
  }
  for (const { input, line, message } of done.problems) {
    const place = line === undefined ? input : `${input}:${line}`;
    out.push(...wrap(sanitise(`${place}: ${message}`), width, '  - ', '    '));
  }
  out.push('', ...keys(done).flatMap((line) => wrap(line, width)), '');
  out.push(...findings(done, width));
  out.push(
    '',
    ...(timesKept ? wrap('the times are as they were; --shift-time SECONDS moves all of them', width) : []),
    ...wrap(`look through it before it is published: wgwhy diagnose ${sanitise(folder)}/*`, width),
  );
  return `${out.join('\n')}\n`;
}

const KINDS: Readonly<Record<string, string>> = {
  'wg-show': 'outputs of wg',
  routeros: 'exports and outputs of RouterOS',
  log: 'logs',
  host: 'listings of the machine',
  pasted: 'texts with several outputs',
};

function about({ frames, emptied = 0, leftOut = [] }: AnonymisedFile): string {
  if (frames !== undefined) {
    const rest = emptied === 0 ? '' : `, of ${emptied} only number and time are left: they are no WireGuard`;
    return `: ${count(frames, 'frame')}${rest}`;
  }
  if (leftOut.length === 0) return '';
  return `: line${leftOut.length === 1 ? '' : 's'} ${leftOut.join(', ')} left out, as what stands there cannot be judged`;
}

function keys({ remade, closed, resealed }: Anonymised): string[] {
  const out: string[] = [];
  if (remade > 0) out.push(`${count(remade, 'initiation')} made anew under generated keys, with the same faults`);
  if (closed > 0) {
    out.push(
      closed === 1
        ? '1 initiation could not be opened, so its sealed fields are random: the private key of whom it was made for would open it'
        : `${closed} initiations could not be opened, so their sealed fields are random: the private keys of whom they were made for would open them`,
    );
  }
  if (resealed > 0) out.push(`${count(resealed, 'data message')} sealed anew, with zeros for what was in the packets`);
  out.push('addresses, ports and names stand for others of their kind; which for which is written nowhere');
  return out;
}

function findings({ same, lost, added }: Anonymised, width: number): string[] {
  const list = (title: string, differences: readonly Difference[]): string[] =>
    differences.length === 0
      ? []
      : [title, ...differences.flatMap((one) => wrap(differenceText(one), width, '  - ', '    '))];
  if (lost.length === 0 && added.length === 0) {
    return wrap(
      same === 0
        ? 'diagnose finds nothing in either'
        : `diagnose finds the same in both: ${count(same, 'finding')}, down to the frames`,
      width,
    );
  }
  return [
    ...wrap(`diagnose finds ${count(same, 'finding')} in both, down to the frames`, width),
    ...list('lost by it:', lost),
    ...list('only in what was written, and not true of the originals:', added),
  ];
}

function differenceText({ rule, severity, certainty, frames }: Difference): string {
  const where = frames.length === 0 ? '' : `, ${frames.slice(0, 6).join(' ')}${frames.length > 6 ? ' …' : ''}`;
  return sanitise(`${severity} ${rule} (${certainty}${where})`);
}

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
