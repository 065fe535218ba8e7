/** The first line of the text report: the root cause in one sentence, or that nothing is wrong, or that nothing could be judged. */
import type { Report, ReportFinding } from './model.ts';
import type { Tone } from './text-wrap.ts';

export interface Headline {
  readonly tone: Tone;
  readonly label: string;
  readonly text: string;
  /** Further sentences about the whole run. */
  readonly notes: readonly string[];
  /** The finding that the headline states. */
  readonly cause?: ReportFinding;
}

const PLURALS: Readonly<Record<string, readonly [string, string]>> = {
  initiation: ['initiation', 'initiations'],
  response: ['response', 'responses'],
  'cookie-reply': ['cookie reply', 'cookie replies'],
  data: ['data message', 'data messages'],
};

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

const sum = (counts: { readonly [kind: string]: number }): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** `2 initiations, 1 response, 6 data messages`. */
export function messagesInWords(messages: Report['counts']['messages']): string {
  const parts = Object.entries(messages).filter(([, n]) => n > 0);
  return parts.map(([kind, n]) => count(n, ...(PLURALS[kind] ?? ([kind, kind] as const)))).join(', ');
}

export function headline(report: Report): Headline {
  const cause =
    report.findings.find(({ severity }) => severity === 'error') ??
    report.findings.find(({ severity }) => severity === 'warning');
  if (cause !== undefined) {
    const doubt = cause.certainty === 'proven' ? '' : ` (${cause.certainty})`;
    const [tone, label] = cause.severity === 'error' ? (['red', 'why'] as const) : (['yellow', 'warning'] as const);
    return { tone, label, text: cause.message + doubt, notes: [], cause };
  }
  return withoutCause(report);
}

function withoutCause(report: Report): Headline {
  const messages = sum(report.counts.messages);
  if (report.inputs.length === 0) {
    return {
      tone: 'red',
      label: 'nothing to judge',
      text: 'no file could be read as something wgwhy knows',
      notes: [],
    };
  }
  if (report.partly === true) {
    const rest = messages === 0 ? '' : `: the other ${count(messages, 'message')} alone say nothing`;
    const text = `what was captured is not here, or not all of it${rest}`;
    return { tone: 'yellow', label: 'nothing to judge', text, notes: [] };
  }
  if (messages > 0) {
    const text = `nothing wrong was found in ${count(messages, 'message')} (${messagesInWords(report.counts.messages)})`;
    return { tone: 'green', label: 'ok', text, notes: doubts(report) };
  }
  const files = report.inputs.filter(({ kind }) => kind !== 'capture').length;
  if (files < report.inputs.length) {
    const frames = count(report.counts.frames, 'frame');
    return { tone: 'yellow', label: 'nothing to judge', text: `there is no WireGuard message in ${frames}`, notes: [] };
  }
  const text = `nothing wrong was found in ${count(files, 'file')}; no capture was given`;
  return { tone: 'green', label: 'ok', text, notes: [] };
}

/** What a clean bill does not cover. */
function doubts(report: Report): string[] {
  const { undecided = 0, refused = 0 } = report.counts.verdicts;
  const notes: string[] = [];
  if (refused > 0) notes.push(`${count(refused, 'message')} would be refused, which harmed nothing here`);
  if (undecided > 0) {
    notes.push(
      `${count(undecided, 'message')} without a verdict: responses and data open only with an ephemeral or a traffic key of their session, and whether an initiation is taken only its responder’s configuration tells`,
    );
  }
  return notes;
}
