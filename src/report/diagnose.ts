/** From sources to a report: the whole analysis behind one call, in Node and in a browser. */

import { KeySet } from '../analyze/key-set.ts';
import { KeyedObserver } from '../analyze/observer.ts';
import type { Share } from '../analyze/sharded-tracker.ts';
import type { Timeline } from '../analyze/timeline.ts';
import type { TrackerHooks } from '../analyze/tracker-hooks.ts';
import type { At } from '../analyze/vantage.ts';
import { buildWorld } from '../analyze/world.ts';
import { utf8 } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import type { Result } from '../base/result.ts';
import type { CaptureReader } from '../capture/frame.ts';
import { openCapture } from '../capture/open.ts';
import { noble } from '../crypto/noble.ts';
import type { Crypto, OpenAhead } from '../crypto/port.ts';
import { rules } from '../diagnose/registry.ts';
import { type Outcome, runRules } from '../diagnose/run.ts';
import { CaptureRun, type CaptureRunOptions, runCapture } from './capture-run.ts';
import { conclude, type Diagnosis, type InputProblem } from './conclude.ts';
import type { FindingEvent, TimelineEvent, WgwhyEvent } from './event.ts';
import { EventLines } from './event-lines.ts';
import { eventHooks } from './frame-events.ts';
import { closeInputs, type Input, readInputs, type Source } from './inputs.ts';
import { eventLine } from './json.ts';
import { type LiveCapture, type LiveOptions, LiveRun } from './live.ts';
import { LiveFindings } from './live-findings.ts';
import type { PolicyName } from './model.ts';
import { leakScrubber, scrubber } from './scrub.ts';
import { timelineEvents } from './timeline-events.ts';
import { untilAborted } from './until-aborted.ts';

export type { Diagnosis } from './conclude.ts';
export type { Source } from './inputs.ts';

/** Gathered before they are handed on. */
const LINES_BYTES = 1 << 16;

export interface DiagnoseOptions {
  /** Public keys given by hand, as `NAME=KEY`. */
  readonly publicKeys?: readonly string[];
  /** Where captures were taken: for all of them, or by source name. */
  readonly at?: At | ReadonlyMap<string, At>;
  /** Another capture reader than our own, e.g. the pcap-parser adapter. */
  readonly openCapture?: (source: AsyncIterable<Uint8Array>) => Promise<Result<CaptureReader, Problem>>;
  readonly crypto?: Crypto;
  /** Helpers for large captures; not for live runs, a share, or another reader. The result is the same without. */
  readonly ahead?: OpenAhead;
  readonly policy?: PolicyName;
  /** Name and version for the report. */
  readonly tool?: string;
  /** Judges while the captures still grow: findings are told as they become true and as they cease to be. */
  readonly live?: LiveOptions;
  /** Only this share of the conversations, and no findings: events of all shares go to `reduce`. Not for live runs. */
  readonly share?: Share;
  onProgress?(progress: { readonly source: string; readonly frames: number }): void;
  onEvent?(event: WgwhyEvent): void;
  /**
   * The same events as lines of NDJSON, many at once: for captures of millions of packets. What it gives is waited for;
   * until then the bytes stay as they are, and no longer. A live run waits for nothing and gives bytes of their own.
   */
  onLines?(lines: Uint8Array): void | Promise<void>;
}

/**
 * Reads keys and configurations first, then each capture once, in the order given (live: all at once); then runs the
 * rules. A source that cannot be used becomes a problem of the report; what a source throws while it is read passes through.
 */
export async function diagnose(sources: readonly Source[], options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const crypto = options.crypto ?? noble;
  const keys = new KeySet(crypto);
  const problems: InputProblem[] = [];
  const inputs = await readInputs(
    sources.map((source) => stoppable(source, options.live?.signal)),
    options.publicKeys ?? [],
    keys,
    (input, problem) => problems.push({ input, ...problem }),
  );

  const at = new Map<string, At>();
  const plain = options.live === undefined && options.share === undefined && options.openCapture === undefined;
  const ahead = plain ? options.ahead : undefined;
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
      observer: new KeyedObserver(crypto, keys, undefined, ahead),
      ahead,
      problem: (problem) => problems.push({ input: input.name, ...problem }),
      ...told(input.id, keys, options),
      share: options.share === undefined ? undefined : shareOf(options.share, new KeyedObserver(crypto, keys)),
      progress: (frames) => options.onProgress?.({ source: input.name, frames }),
    });
    return { reader: opened.value, run };
  };
  const emit = emitter(options, keys);
  const judge = (timelines: readonly Timeline[]): Outcome => runRules(rules, buildWorld(timelines, keys, at));
  const live = options.live === undefined ? undefined : new LiveRun(judge, options.live, emit);
  const timelines = await (live === undefined ? readInOrder(inputs, open) : readAtOnce(inputs, open, live));
  const { share, policy = 'linux', tool = 'wgwhy' } = options;
  const partly = share !== undefined;
  const { outcome, ...diagnosis } = conclude({ tool, policy, inputs, keys, at, timelines, problems, partly });
  if (live !== undefined) live.end(outcome);
  else for (const event of new LiveFindings().update(outcome, 0, undefined, true)) emit?.(event);
  if (share !== undefined && emit !== undefined) {
    for (const timeline of timelines)
      for (const event of timelineEvents(timeline, share, tool, keys)) await emit(event);
  }
  return diagnosis;
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
  for (const [i, input] of inputs.entries()) {
    try {
      const opened = await open(input);
      if (opened !== undefined) timelines.push(await runCapture(opened.reader, opened.run));
    } catch (error) {
      await closeInputs(inputs.slice(i + 1));
      throw error;
    }
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

function shareOf(of: Share, observer: KeyedObserver): CaptureRunOptions['share'] {
  return { of, sightOf: (initiation) => observer.initiation(initiation) };
}

/** Single frames, as events and as lines of them. */
function told(
  capture: string,
  keys: KeySet,
  { onEvent, onLines, live }: DiagnoseOptions,
): Pick<CaptureRunOptions, 'hooks' | 'taken'> {
  const clean = leakScrubber(keys);
  const events = onEvent === undefined ? undefined : eventHooks((one) => onEvent(clean(one)));
  if (onLines === undefined) return { hooks: events };
  const lines = new EventLines(capture, clean);
  const taken = (last: boolean): void | Promise<void> => {
    if (live !== undefined) void onLines(lines.take().slice());
    else if (last || lines.used >= LINES_BYTES) return onLines(lines.take());
  };
  return { hooks: events === undefined ? lines.hooks() : both(events, lines.hooks()), taken };
}

function both(a: TrackerHooks, b: TrackerHooks): TrackerHooks {
  return {
    message(seen, details) {
      a.message?.(seen, details);
      b.message?.(seen, details);
    },
    skipped(at, skip) {
      a.skipped?.(at, skip);
      b.skipped?.(at, skip);
    },
    session(exchange, at) {
      a.session?.(exchange, at);
      b.session?.(exchange, at);
    },
  };
}

type Emit = (event: FindingEvent | TimelineEvent) => void | Promise<void>;

function emitter({ onEvent, onLines }: DiagnoseOptions, keys: KeySet): Emit | undefined {
  if (onEvent === undefined && onLines === undefined) return undefined;
  const clean = scrubber(keys);
  return (event) => {
    const cleaned = clean(event);
    onEvent?.(cleaned);
    return onLines?.(utf8(eventLine(cleaned)));
  };
}
