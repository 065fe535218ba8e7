/** From sources to messages, field by field, in the order of the captures: with whatever keys are among the sources. */
import { KeySet } from '../analyze/key-set.ts';
import { KeyedObserver } from '../analyze/observer.ts';
import { WorkBudget } from '../analyze/work-budget.ts';
import type { CaptureReader } from '../capture/frame.ts';
import { openCapture } from '../capture/open.ts';
import { noble } from '../crypto/noble.ts';
import type { Crypto } from '../crypto/port.ts';
import { CaptureRun } from './capture-run.ts';
import { type DissectFilter, lastFrame } from './dissect-filter.ts';
import { DISSECT_SCHEMA, type Dissected } from './dissect-model.ts';
import { DissectRun } from './dissect-run.ts';
import { type Input, readInputs, type Source } from './inputs.ts';
import { leakScrubber } from './scrub.ts';

export interface DissectOptions {
  /** Public keys given by hand, as `NAME=KEY`. */
  readonly publicKeys?: readonly string[];
  readonly filter?: DissectFilter;
  /** One line each, without fields. */
  readonly linesOnly?: boolean;
  /** All bytes of what is sealed, and of the payloads inside. */
  readonly payloads?: boolean;
  readonly crypto?: Crypto;
}

/**
 * Reads keys first, then each capture once, in the order given: what it tells is told while it reads, in memory that
 * does not grow with the capture. What a source throws while it is read passes through. Private keys, PSKs and session
 * keys are never told.
 */
export async function* dissect(
  sources: readonly Source[],
  options: DissectOptions = {},
): AsyncGenerator<Dissected, void, undefined> {
  const crypto = options.crypto ?? noble;
  const keys = new KeySet(crypto);
  const problems: Dissected[] = [];
  const schema = DISSECT_SCHEMA;
  const inputs = await readInputs(sources, options.publicKeys ?? [], keys, (input, problem) =>
    problems.push({ schema, kind: 'problem', input, ...problem }),
  );
  yield* problems.splice(0);
  for (const input of inputs) {
    if (input.chunks === undefined) continue;
    const opened = await openCapture(input.chunks);
    if (opened.ok) yield* dissectCapture(input, opened.value, keys, crypto, options);
    else yield { schema, kind: 'problem', input: input.name, ...opened.error };
  }
}

async function* dissectCapture(
  { id, name, label }: Input,
  reader: CaptureReader,
  keys: KeySet,
  crypto: Crypto,
  { filter = {}, linesOnly = false, payloads = false }: DissectOptions,
): AsyncGenerator<Dissected, void, undefined> {
  const schema = DISSECT_SCHEMA;
  const observer = new KeyedObserver(crypto, keys, new WorkBudget(Number.POSITIVE_INFINITY));
  const told = new DissectRun({ capture: id, keys, observer, filter, linesOnly, payloads });
  const { format, gzip } = reader;
  const run = new CaptureRun({
    id,
    name: label,
    format,
    keys,
    observer,
    problem: (problem) => told.items.push({ schema, kind: 'problem', input: name, ...problem }),
    hooks: told.hooks,
  });
  yield { schema, kind: 'capture', input: id, name, format, gzip };
  const last = lastFrame(filter);
  let frames = 0;
  reading: for await (const batch of reader.batches()) {
    for (const item of batch) {
      if (item.kind === 'frame') {
        if (item.frame.number > last) break reading;
        frames++;
        told.begin(item.frame.time);
      }
      run.take([item]);
      if (item.kind !== 'damage') continue;
      const { kind: damage, ...where } = item.damage;
      told.items.push({ schema, kind: 'damage', damage, input: id, ...where });
    }
    yield* cleaned(told, keys);
  }
  run.end();
  yield* cleaned(told, keys);
  const { found, shown, skipped } = told;
  yield { schema, kind: 'end', input: id, frames, found, shown, skipped };
}

/** A capture may bring keys with it, so what must not be shown is known only now. */
function cleaned({ items }: DissectRun, keys: KeySet): Dissected[] {
  return items.splice(0).map(leakScrubber(keys));
}
