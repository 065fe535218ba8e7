/** From sources to a report: the whole analysis behind one call, in Node and in a browser. */

import { KeySet } from '../analyze/key-set.ts';
import { KeyedObserver } from '../analyze/observer.ts';
import type { Timeline } from '../analyze/timeline.ts';
import type { At } from '../analyze/vantage.ts';
import { buildWorld } from '../analyze/world.ts';
import { toBase64 } from '../base/base64.ts';
import type { Problem } from '../base/problem.ts';
import type { Result } from '../base/result.ts';
import type { CaptureReader } from '../capture/frame.ts';
import { openCapture } from '../capture/open.ts';
import { parsePublicKeyArgument } from '../config/public-key-argument.ts';
import { noble } from '../crypto/noble.ts';
import type { Crypto } from '../crypto/port.ts';
import { rules } from '../diagnose/registry.ts';
import { type Outcome, runRules } from '../diagnose/run.ts';
import { buildReport } from './build.ts';
import { CaptureRun, runCapture } from './capture-run.ts';
import type { FindingEvent, WgwhyEvent } from './event.ts';
import { type Input, inputId, labels, readInput, type Source } from './inputs.ts';
import { type LiveCapture, type LiveOptions, LiveRun } from './live.ts';
import { LiveFindings } from './live-findings.ts';
import type { InputKind, PolicyName, Report } from './model.ts';
import { scrubber, secretTeller } from './scrub.ts';
import { untilAborted } from './until-aborted.ts';

export type { Source } from './inputs.ts';

export interface DiagnoseOptions {
  /** Public keys given by hand, as `NAME=KEY`. */
  readonly publicKeys?: readonly string[];
  /** Where captures were taken: for all of them, or by source name. */
  readonly at?: At | ReadonlyMap<string, At>;
  /** Another capture reader than our own, e.g. the pcap-parser adapter. */
  readonly openCapture?: (source: AsyncIterable<Uint8Array>) => Promise<Result<CaptureReader, Problem>>;
  readonly crypto?: Crypto;
  readonly policy?: PolicyName;
  /** Name and version for the report. */
  readonly tool?: string;
  /** Judges while the captures still grow: findings are told as they become true and as they cease to be. */
  readonly live?: LiveOptions;
  onProgress?(progress: { readonly source: string; readonly frames: number }): void;
  onEvent?(event: WgwhyEvent): void;
}

export interface Diagnosis {
  readonly report: Report;
  /** False when no source could be used at all: exit code 2. */
  readonly usable: boolean;
  /** Whether a line of a file tells a secret: it must not be shown. */
  readonly tellsSecret?: (line: string) => boolean;
}

export interface InputProblem extends Problem {
  readonly input: string;
}

/**
 * Reads keys and configurations first, then each capture once, in the order given (live: all at once); then runs the
 * rules. A source that cannot be used becomes a problem of the report; what a source throws while it is read passes through.
 */
export async function diagnose(sources: readonly Source[], options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const crypto = options.crypto ?? noble;
  const keys = new KeySet(crypto);
  const problems: InputProblem[] = [];
  const inputs: Input[] = [];
  const named = labels(sources.map(({ name }) => name));
  for (const [i, source] of sources.entries()) {
    const input = await readInput(
      inputId(i),
      stoppable(source, options.live?.signal),
      named[i] ?? source.name,
      keys,
      (problem) => problems.push({ input: source.name, ...problem }),
    );
    if (input !== undefined) inputs.push(input);
  }
  for (const argument of options.publicKeys ?? []) {
    const parsed = parsePublicKeyArgument(argument);
    if (parsed.ok) {
      keys.addPublic(parsed.value.key, parsed.value.name);
      inputs.push({
        id: inputId(sources.length + inputs.length),
        name: parsed.value.name,
        label: parsed.value.name,
        kind: 'public-key',
      });
    } else problems.push({ input: '--public-key', ...parsed.error });
  }

  const at = new Map<string, At>();
  const open = async (input: Input): Promise<LiveCapture | undefined> => {
    if (input.chunks === undefined) return undefined;
    const opened = await (options.openCapture ?? openCapture)(input.chunks);
    if (!opened.ok) {
      problems.push({ input: input.name, ...opened.error });
      return undefined;
    }
    const where = typeof options.at === 'string' ? options.at : options.at?.get(input.name);
    if (where !== undefined) at.set(input.id, where);
    const run = new CaptureRun({
      id: input.id,
      name: input.label,
      format: opened.value.format,
      keys,
      observer: new KeyedObserver(crypto, keys),
      problem: (problem) => problems.push({ input: input.name, ...problem }),
      event: options.onEvent === undefined ? undefined : cleanEvents(keys, options.onEvent),
      progress: (frames) => options.onProgress?.({ source: input.name, frames }),
    });
    return { reader: opened.value, run };
  };
  const { onEvent } = options;
  const emit = onEvent === undefined ? undefined : (event: FindingEvent): void => onEvent(scrubber(keys)(event));
  const judge = (timelines: readonly Timeline[]): Outcome => runRules(rules, buildWorld(timelines, keys, at));
  const live = options.live === undefined ? undefined : new LiveRun(judge, options.live, emit);
  const timelines = await (live === undefined ? readInOrder(inputs, open) : readAtOnce(inputs, open, live));

  for (const { name, retired } of timelines) {
    if (retired === 0) continue;
    const message = `${retired} older handshakes and sessions were folded away to keep memory bounded: they are counted, not judged`;
    problems.push({
      input: name,
      message,
      hint: 'cut the capture to the time in question, e.g. with editcap -A … -B …',
    });
  }
  const clean = scrubber(keys);
  const world = buildWorld(timelines, keys, at);
  const outcome = runRules(rules, world);
  if (live !== undefined) live.end(outcome);
  else for (const event of new LiveFindings().update(outcome, 0, undefined, true)) emit?.(event);
  const report = clean(
    buildReport({
      tool: options.tool ?? 'wgwhy',
      policy: options.policy ?? 'linux',
      inputs: inputs.filter(({ kind, id }) => kind !== 'capture' || timelines.some((t) => t.capture === id)),
      world,
      outcome,
      problems,
    }),
  );
  const usable = report.inputs.some(({ kind }) => !ONLY_KEYS.has(kind));
  return { report, usable, tellsSecret: secretTeller(keys) };
}

/** What waits for its first bytes can be told to stop, too. */
function stoppable(source: Source, signal: AbortSignal | undefined): Source {
  return signal === undefined ? source : { name: source.name, open: () => untilAborted(source.open(), signal) };
}

async function readInOrder(
  inputs: readonly Input[],
  open: (input: Input) => Promise<LiveCapture | undefined>,
): Promise<readonly Timeline[]> {
  const timelines: Timeline[] = [];
  for (const input of inputs) {
    const opened = await open(input);
    if (opened !== undefined) timelines.push(await runCapture(opened.reader, opened.run));
  }
  return timelines;
}

/** Opened one after the other, since a named pipe waits for who writes into it; then none waits for another. */
async function readAtOnce(
  inputs: readonly Input[],
  open: (input: Input) => Promise<LiveCapture | undefined>,
  live: LiveRun,
): Promise<readonly Timeline[]> {
  const captures: LiveCapture[] = [];
  for (const input of inputs) {
    const opened = await open(input);
    if (opened !== undefined) captures.push(opened);
  }
  return live.read(captures);
}

/** With these alone there is nothing to judge. */
const ONLY_KEYS: ReadonlySet<InputKind> = new Set<InputKind>(['key-log', 'traffic-keys', 'public-key']);

/** Only a private key that also stands as a public one can get into an event: nothing is copied where none does. */
function cleanEvents(keys: KeySet, emit: (event: WgwhyEvent) => void): (event: WgwhyEvent) => void {
  const clean = scrubber(keys);
  const leaks = [...keys.secrets()].some((secret) => keys.publics.has(toBase64(secret)));
  return leaks ? (event) => emit(clean(event)) : emit;
}
