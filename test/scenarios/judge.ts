/** Holds a report against what a truth file says, in words for whoever reads the failing test. */
import type { Certainty, Report, ReportFinding } from '../../src/report/model.ts';
import type { View } from '../interop/lab/truth.ts';
import type { FrameFacts } from './frames.ts';

const RANK: Readonly<Record<Certainty, number>> = { suspected: 0, deduced: 1, proven: 2 };

/** Empty when all that the truth says holds. */
export function judge({ findings }: Report, { first, certainty, allowed, info = [] }: View): string[] {
  const serious = findings.filter(({ severity }) => severity !== 'info');
  const [top, ...rest] = serious;
  const raised = findings.map(({ rule }) => rule);
  const wrong: string[] = [];
  // a rule that only informs may be what is right to say
  const fits =
    top === undefined ? first.some((rule) => rule === null || raised.includes(rule)) : first.includes(top.rule);
  if (!fits) wrong.push(`${top?.rule ?? 'nothing'} stands first, not ${first.join(' or ')}`);
  if (top !== undefined && fits && certainty !== null && RANK[top.certainty] > RANK[certainty]) {
    wrong.push(`${top.rule} is ${top.certainty}, at most ${certainty} can be claimed`);
  }
  for (const { rule, severity } of fits ? rest : serious) {
    if (!allowed.includes(rule)) wrong.push(`${severity} ${rule} is not allowed`);
  }
  for (const rule of info) if (!raised.includes(rule)) wrong.push(`info ${rule} is missing`);
  return wrong;
}

/** By the id of the capture in the report. */
export type Frames = ReadonlyMap<string, ReadonlyMap<number, FrameFacts>>;

/** Empty when every frame that is cited exists, at the time given, and the frames are of the exchange in question. */
export function judgeFrames({ findings }: Report, captures: Frames): string[] {
  return findings.flatMap((finding) => {
    const wrong: string[] = [];
    const cited = finding.frames.map((ref) => ({ ref, facts: captures.get(ref.input)?.get(ref.frame) }));
    for (const { ref, facts } of cited) {
      if (facts === undefined) wrong.push(`there is no frame ${ref.input}${ref.frame}`);
      else if (facts.time !== ref.time)
        wrong.push(`frame ${ref.input}${ref.frame} was captured at ${facts.time}, not ${ref.time}`);
      else if (facts.messages.length === 0 && !facts.fragment)
        wrong.push(`frame ${ref.input}${ref.frame} is no message`);
    }
    if (needsFrames(finding) && cited.length === 0) wrong.push('no frame is cited');
    const [kind = '', index = ''] = finding.subject.split(':');
    if (kind === 'handshake' || kind === 'session') {
      // its own frames, or those of its repetitions between the same two ends
      const ends = new Set(everyMessage(captures).flatMap((m) => (m.indices.includes(index) ? [m.ends] : [])));
      const all = cited.flatMap(({ facts }) => facts?.messages ?? []);
      if (!all.some((m) => ends.has(m.ends))) wrong.push(`no frame of ${finding.subject} is cited`);
    }
    return wrong.map((text) => `${finding.rule}: ${text}`);
  });
}

const everyMessage = (captures: Frames) =>
  [...captures.values()].flatMap((frames) => [...frames.values()].flatMap(({ messages }) => messages));

/** What files say is shown by files, and what did not come or was not tried by no frame. */
const needsFrames = ({ subject, rule }: ReportFinding): boolean =>
  !subject.startsWith('file:') && !FROM_NOTHING.has(rule);

const FROM_NOTHING: ReadonlySet<string> = new Set(['initiation-never-arrives', 'idle-no-attempt']);
