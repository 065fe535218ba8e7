/** Events of several runs to one report: shares of one capture are put together, captures of several machines compared. */
import { KeySet } from '../analyze/key-set.ts';
import { mergeShares } from '../analyze/merge-shares.ts';
import type { Timeline } from '../analyze/timeline.ts';
import { decodeTimeline, type Piece } from '../analyze/timeline-code.ts';
import type { At } from '../analyze/vantage.ts';
import { noble } from '../crypto/noble.ts';
import { conclude, type Diagnosis, type InputProblem } from './conclude.ts';
import type { DiagnoseOptions } from './diagnose.ts';
import { peek, readTimelines } from './event-source.ts';
import { type Input, inputId, labels, readInputs, type Source } from './inputs.ts';
import { LiveFindings } from './live-findings.ts';
import { scrubber } from './scrub.ts';
import type { Part } from './timeline-events.ts';

export type ReduceOptions = Pick<DiagnoseOptions, 'publicKeys' | 'at' | 'crypto' | 'policy' | 'tool' | 'onEvent'>;

/** Files of events, and the files that were handed to the runs that wrote them, in any order. */
export async function reduce(sources: readonly Source[], options: ReduceOptions = {}): Promise<Diagnosis> {
  const { policy = 'linux', tool = 'wgwhy', publicKeys = [] } = options;
  const keys = new KeySet(options.crypto ?? noble);
  const problems: InputProblem[] = [];
  const parts: Part[] = [];
  const texts: Source[] = [];
  for (const one of sources) {
    const { isEvents, source } = await peek(one);
    if (!isEvents) texts.push(source);
    else
      parts.push(...(await readTimelines(source, tool, (problem) => problems.push({ input: one.name, ...problem }))));
  }
  const captures = capturesOf(
    parts.filter((part) => isOurs(part, tool, problems)),
    problems,
  );
  const tell = (input: string, problem: Omit<InputProblem, 'input'>): void => void problems.push({ input, ...problem });
  const others = await readInputs(texts, publicKeys, keys, tell, captures.length);
  const named = labels(captures.map(({ name, parts: [first] }) => `${first?.source ?? ''}/${name}`));
  const all = captures.flatMap((capture, i) => {
    const id = inputId(i);
    const alike = captures.filter((other) => other.name === capture.name).length > 1;
    const label = alike ? (named[i] ?? capture.name) : capture.name;
    const shares = sharesOf(capture, label, keys, id, problems);
    if (shares.length === 0) return [];
    const timeline = { ...mergeShares(shares), name: label };
    return [{ id, label, name: capture.name, timeline, isWhole: shares.length === capture.of }];
  });
  // half a view gives false findings, and so does it beside a whole one
  const whole = all.filter(({ isWhole }) => isWhole);
  const partly = whole.length === 0 && texts.length < sources.length;
  const timelines: Timeline[] = [];
  const inputs: Input[] = [];
  const at = new Map<string, At>();
  for (const { id, label, name, timeline } of partly ? all : whole) {
    timelines.push(timeline);
    inputs.push({ id, name: label, label, kind: 'capture' });
    const where = typeof options.at === 'string' ? options.at : options.at?.get(name);
    if (where !== undefined) at.set(id, where);
  }
  inputs.push(...others.filter(({ kind }) => kind !== 'capture'));
  for (const { name, kind } of others) if (kind === 'capture') tell(name, CAPTURE);
  const { outcome, ...diagnosis } = conclude({ tool, policy, inputs, keys, at, timelines, problems, partly });
  const clean = scrubber(keys);
  for (const event of new LiveFindings().update(outcome, 0, undefined, true)) options.onEvent?.(clean(event));
  return { ...diagnosis, usable: diagnosis.usable && !partly };
}

const SAME_FILES = 'hand over the files that were handed over where it was read; their names do not matter';

const CAPTURE = {
  message: 'it is a capture, and here events are put together',
  hint: 'wgwhy diagnose --ndjson --shard 1/1 writes what is read here',
};

/** Missing shares that are named. */
const LISTED = 6;

/** What a timeline holds changes from version to version. */
function isOurs({ tool, source, shard }: Part, ours: string, problems: InputProblem[]): boolean {
  if (tool === ours) return true;
  const message = `shard ${shard} is of ${tool}, and this is ${ours}: it is left out`;
  if (!problems.some((known) => known.input === source && known.message === message))
    problems.push({
      input: source,
      message,
      hint: 'read the captures anew with this version, or put them together with that one',
    });
  return false;
}

interface Capture {
  readonly name: string;
  /** How many shares it has. */
  readonly of: number;
  readonly parts: Part[];
}

/** Shares of one capture say the same of it as a whole. */
function capturesOf(parts: readonly Part[], problems: InputProblem[]): Capture[] {
  const captures = new Map<string, Capture>();
  for (const part of parts) {
    if (part.pieces.length !== part.total) {
      problems.push({
        input: part.source,
        message: `of shard ${part.shard} a part is missing at its end: it is left out`,
      });
      continue;
    }
    const name = String(field(part.pieces[0], 'name') ?? '');
    const of = Number(part.shard.slice(part.shard.indexOf('/') + 1));
    const key = JSON.stringify([name, of, ...WHOLE.map((what) => shown(part.pieces, field(part.pieces[0], what)))]);
    const capture = captures.get(key) ?? { name, of, parts: [] };
    captures.set(key, capture);
    if (!capture.parts.some(({ shard }) => shard === part.shard)) capture.parts.push(part);
    else
      problems.push({ input: part.source, message: `shard ${part.shard} of ${name} is here twice: one is left out` });
  }
  return [...captures.values()];
}

/** Of a timeline: what every share of it has alike. */
const WHOLE = ['format', 'frames', 'lengths', 'first', 'last'] as const;

function field(piece: Piece | undefined, name: string): unknown {
  return piece === undefined || Array.isArray(piece)
    ? undefined
    : Object.entries(piece).find(([key]) => key === name)?.[1];
}

/** With the time of a frame in the place of its number. */
function shown(pieces: readonly Piece[], value: unknown): unknown {
  if (!Array.isArray(value) || typeof value[0] !== 'number') return value;
  const time = field(pieces[value[0]], 'time');
  return Array.isArray(time) && typeof time[0] === 'number' ? pieces[time[0]] : time;
}

/** Those that can be read, in their order. */
function sharesOf(
  { of, parts }: Capture,
  label: string,
  keys: KeySet,
  id: string,
  problems: InputProblem[],
): readonly Timeline[] {
  const shares = new Map<number, Timeline>();
  const sorted = [...parts].sort((a, b) => shareOf(a) - shareOf(b));
  for (const part of sorted) {
    const decoded = decodeTimeline(part.pieces, keys, id);
    if (decoded.ok) {
      shares.set(shareOf(part), decoded.value.timeline);
      for (const message of decoded.value.unknown) problems.push({ input: part.source, message, hint: SAME_FILES });
    } else problems.push({ input: part.source, message: decoded.error });
  }
  if (new Set(parts.map((part) => part.keys)).size > 1) {
    const message = `the shards of ${label} were read with different keys: what some of them open is closed to others`;
    problems.push({ input: sorted[0]?.source ?? '', message, hint: 'read every share with the same files' });
  }
  const missing: string[] = [];
  for (let share = 1; share <= of && missing.length <= LISTED; share++)
    if (!shares.has(share)) missing.push(`${share}/${of}`);
  if (shares.size > 0 && missing.length > 0) {
    const which = missing.slice(0, LISTED).join(', ') + (missing.length > LISTED ? ' …' : '');
    const message = `shard ${which} of ${label} is not here, or cannot be read: that capture is not judged`;
    const hint = 'hand over the events of every share, as wgwhy diagnose --ndjson --shard K/N wrote them';
    problems.push({ input: sorted[0]?.source ?? '', message, hint });
  }
  return [...shares.values()];
}

const shareOf = ({ shard }: Part): number => Number.parseInt(shard, 10);
