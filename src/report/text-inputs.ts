/** What was read, where it was captured, what was skipped, and what is wrong with the files. */
import type { Report, ReportInput } from './model.ts';
import { nameOf, type Page } from './text-page.ts';
import { absolute, formatSeconds, parseNs } from './text-time.ts';
import { count, messagesInWords } from './text-verdict.ts';
import { wrap } from './text-wrap.ts';

const KINDS: Readonly<Record<ReportInput['kind'], string>> = {
  capture: 'capture',
  'wg-conf': 'WireGuard configuration',
  'key-log': 'key log',
  'traffic-keys': 'traffic keys',
  'wg-show': 'output of wg show',
  routeros: 'RouterOS configuration',
  log: 'log',
  host: 'listing of a host',
  pasted: 'several outputs',
  'public-key': 'public key',
};

const VANTAGES: Readonly<Record<NonNullable<ReportInput['vantage']>, string>> = {
  initiator: 'taken at the initiator',
  responder: 'taken at the responder',
  between: 'taken in between',
  unknown: 'taken at an unknown place (--at says where)',
};

/** Two clocks nearer than this need no mention. */
const SAME_CLOCK_NS = 10_000_000n;

export function inputLines(page: Page, report: Report): string[] {
  const lines = report.inputs.flatMap((input) => wrap(describe(input), page.width, `  ${input.id}  `));
  for (const { from, to, offsetNs, matched } of report.clockOffsets) {
    if (offsetNs === null || !/^-?\d+$/.test(offsetNs)) continue;
    const ns = BigInt(offsetNs);
    if (!page.verbose && ns > -SAME_CLOCK_NS && ns < SAME_CLOCK_NS) continue;
    const [behind, ahead] = ns < 0n ? [to, from] : [from, to];
    const by = formatSeconds(ns < 0n ? -ns : ns);
    const text = `the clock of ${nameOf(page, behind)} is ${by} behind that of ${nameOf(page, ahead)} (${count(matched, 'message')} matched)`;
    lines.push(...wrap(text, page.width, '  '));
  }
  return [...lines, ...wrap(whatWasRead(report), page.width, '  ')];
}

function describe(input: ReportInput): string {
  const { name, kind, format, frames, from, to, vantage } = input;
  const parts = [`${name}: ${KINDS[kind]}${format === undefined ? '' : ` (${format})`}`];
  if (vantage !== undefined) parts.push(VANTAGES[vantage]);
  if (frames !== undefined) parts.push(count(frames, 'frame'));
  if (from !== undefined && from !== '') parts.push(`from ${absolute(from)}${lasting(from, to)}`);
  return parts.join(', ');
}

function lasting(from: string, to: string | undefined): string {
  const [start, end] = [parseNs(from), to === undefined ? undefined : parseNs(to)];
  return start === undefined || end === undefined ? '' : ` for ${formatSeconds(end - start)}`;
}

function whatWasRead({ counts }: Report): string {
  const messages = messagesInWords(counts.messages);
  const skipped = Object.entries(counts.skipped).filter(([, n]) => n > 0);
  const parts = [
    `read: ${count(counts.frames, 'frame')}, ${count(counts.datagrams, 'UDP datagram')}, ${messages === '' ? 'no WireGuard message' : messages}`,
  ];
  if (skipped.length > 0) parts.push(`skipped: ${skipped.map(([kind, n]) => `${n} ${kind}`).join(', ')}`);
  return parts.join('; ');
}

/** `client.conf:3:14: message`, and the hint below it. */
export function problemLines(page: Page, problems: Report['problems']): string[] {
  return problems.flatMap(({ input, line, column, offset, message, hint }) => {
    const place = [nameOf(page, input), line, line === undefined ? undefined : column]
      .filter((part) => part !== undefined)
      .join(':');
    const at = offset === undefined ? '' : ` (byte ${offset})`;
    return [
      ...wrap(`${place}: ${message}${at}`, page.width, '  - '),
      ...(hint === undefined ? [] : wrap(hint, page.width, '      hint: ', '      ')),
    ];
  });
}
