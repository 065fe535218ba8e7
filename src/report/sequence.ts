/** The messages as a ladder of two columns in plain text: who sent what to whom, when, and what became of it. */
import type { Report, SequenceStep } from './model.ts';
import { nameOf, type Page } from './text-page.ts';
import { relative } from './text-time.ts';
import { pad, type Tone, widthOf, wrap } from './text-wrap.ts';

/** One ladder: the two sides that its header names, and every address that was seen to stand for them (NAT). */
interface Ladder {
  readonly left: string;
  readonly right: string;
  readonly side: Map<string, 'left' | 'right'>;
  readonly rungs: { readonly step: SequenceStep; readonly rightward: boolean }[];
}

const MAX_LANE = 56;
const MIN_LANE = 22;
/** "  undecided" */
const VERDICT_COLUMNS = 11;
const TONES: Readonly<Record<SequenceStep['verdict'], Tone>> = {
  accepted: 'green',
  refused: 'red',
  undecided: 'dim',
  none: 'dim',
};

export function sequenceLines(page: Page, report: Report): string[] {
  const stamps = report.sequence.map(({ frame }) => {
    const number = page.severalCaptures ? `${frame.input}:${frame.frame}` : `${frame.frame}`;
    const start =
      page.starts.get(frame.input) ?? report.sequence.find((s) => s.frame.input === frame.input)?.frame.time;
    return { number, since: relative(frame.time, start) ?? '' };
  });
  const sinceWide = Math.max(0, ...stamps.map(({ since }) => widthOf(since)));
  const numberWide = Math.max(0, ...stamps.map(({ number }) => widthOf(number)));
  const stamp = new Map(
    report.sequence.map((step, at) => {
      const { since = '', number = '' } = stamps[at] ?? {};
      return [step, `  ${since.padStart(sinceWide)}  ${number.padStart(numberWide)}  `];
    }),
  );
  const indent = 6 + sinceWide + numberWide;
  const lane = Math.min(MAX_LANE, Math.max(MIN_LANE, page.width - indent - VERDICT_COLUMNS - 2));
  const lines: string[] = [];
  for (const ladder of ladders(report.sequence)) {
    if (lines.length > 0) lines.push('');
    lines.push(...header(ladder, page.width, indent, lane));
    for (const rung of ladder.rungs) lines.push(...rungLines(page, ladder, rung, stamp.get(rung.step) ?? '', lane));
  }
  return lines;
}

function ladders(steps: readonly SequenceStep[]): Ladder[] {
  const all: Ladder[] = [];
  const owner = new Map<string, Ladder>();
  for (const step of steps) {
    let ladder = owner.get(step.from) ?? owner.get(step.to);
    if (ladder === undefined) {
      ladder = { left: step.from, right: step.to, side: new Map(), rungs: [] };
      all.push(ladder);
    }
    const rightward = goesRight(ladder, step);
    for (const [endpoint, side] of [
      [step.from, rightward ? 'left' : 'right'],
      [step.to, rightward ? 'right' : 'left'],
    ] as const) {
      if (owner.has(endpoint)) continue;
      owner.set(endpoint, ladder);
      ladder.side.set(endpoint, side);
    }
    ladder.rungs.push({ step, rightward });
  }
  return all;
}

function goesRight({ side }: Ladder, { from, to }: SequenceStep): boolean {
  const known = side.get(from);
  return known === undefined ? side.get(to) !== 'left' : known === 'left';
}

function header({ left, right }: Ladder, width: number, indent: number, lane: number): string[] {
  const space = ' '.repeat(indent);
  const gap = lane + 2 - widthOf(left) - widthOf(right);
  if (gap >= 1) return [`${space}${left}${' '.repeat(gap)}${right}`];
  const rightAligned = ' '.repeat(Math.max(0, lane + 2 - widthOf(right)));
  return [...wrap(left, width, space), ...wrap(right, width, `${space}${rightAligned}`)];
}

function rungLines(page: Page, ladder: Ladder, rung: Ladder['rungs'][number], stamp: string, lane: number): string[] {
  const { step, rightward } = rung;
  const { label, verdict, note } = step;
  const space = ' '.repeat(widthOf(stamp));
  // An arrow needs its head and three dashes; a longer label stands above it.
  const room = lane - 6;
  const rows: string[] = [];
  let inline = label;
  if (widthOf(label) > room) {
    inline = '';
    for (const row of wrap(label, lane - 2)) rows.push(`| ${pad(row, lane - 2)} |`);
  }
  const dashes = '-'.repeat(Math.max(3, lane - 2 - (inline === '' ? 0 : widthOf(inline) + 1)));
  if (rightward) rows.push(`| ${inline === '' ? '' : `${inline} `}${dashes}>|`);
  else rows.push(`|<${dashes}${inline === '' ? '' : ` ${inline}`} |`);

  const lines = rows.map((row, at) => `${at === 0 ? stamp : space}${row}`);
  const last = lines.length - 1;
  if (verdict !== 'none') lines[last] = `${lines[last] ?? ''}  ${page.paint(TONES[verdict], verdict)}`;
  for (const remark of remarks(ladder, rung, note)) lines.push(...wrap(remark, page.width, `${space}    `));
  for (const { input, line, speaker, text } of step.said ?? [])
    lines.push(...wrap(`${nameOf(page, input)} line ${line}: ${speaker}: ${text}`, page.width, `${space}    `));
  return lines;
}

/** Where a message came from or went to another address than the header shows, it is said. */
function remarks(
  { left, right }: Ladder,
  { step, rightward }: Ladder['rungs'][number],
  note: string | undefined,
): string[] {
  const [from, to] = rightward ? [left, right] : [right, left];
  const other = [
    ...(step.from === from ? [] : [`from ${step.from}`]),
    ...(step.to === to ? [] : [`to ${step.to}`]),
  ].join(' ');
  return [...(other === '' ? [] : [other]), ...(note === undefined || note === '' ? [] : [note])];
}
