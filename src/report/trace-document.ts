/** A trace with what it is of: the run, perhaps a second one, and the figures of a file to hold it against. */
import { type Bytes, equal, toHex } from '../base/bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { Fingerprints } from './fingerprints.ts';
import type { TraceRow, TraceValue } from './trace-rows.ts';
import { isStopped, type TracedMessage } from './trace-run.ts';

/** By `initiation.ck_after_es`, in the order of the file. */
export type Figures = ReadonlyMap<string, Bytes>;

export interface TraceRun {
  /** What tells it from the other: where its PSK stands. */
  readonly name: string;
  readonly rows: readonly TraceRow[];
}

/** All that a file or a capture adds to the rows; a trace of a live device has none of it. */
export interface TraceContext {
  /** Keys and where they come from, for people. */
  readonly parties: readonly { readonly symbol: string; readonly text: string }[];
  /** Private keys and the PSK by their name in a vector, of which a reader could compute it all. */
  readonly keys: ReadonlyMap<string, Bytes>;
  readonly packets: {
    readonly initiation?: TracedMessage | undefined;
    readonly response?: TracedMessage | undefined;
    readonly data?: Bytes;
  };
  readonly frames?: Partial<Record<TraceRow['message'], number | undefined>>;
  readonly expected?: Figures;
}

export interface TraceSubject extends Partial<TraceContext> {
  readonly title: string;
  /** The second stands beside the first. */
  readonly runs: readonly [TraceRun, TraceRun?];
}

export interface FigureCheck {
  readonly agreeing: number;
  /** Names, in the order of the trace. */
  readonly unlike: readonly string[];
  /** Figures of the file that the trace did not come to. */
  readonly absent: readonly string[];
}

export interface TraceDocument extends TraceContext, Pick<TraceSubject, 'title' | 'runs'> {
  fingerprints(value: TraceValue): string;
  check(expected: Figures): FigureCheck;
}

export function traceDocument(crypto: Crypto, subject: TraceSubject): TraceDocument {
  const [first, second] = subject.runs;
  const fingerprints = new Fingerprints(crypto, first.rows, second?.rows ?? []);
  return {
    parties: [],
    keys: new Map(),
    packets: {},
    ...subject,
    fingerprints: (value) => fingerprints.of(value),
    check: (expected) => checkFigures(first.rows, expected),
  };
}

/** Every figure of the trace, by `initiation.ck_after_es`. */
export function figuresOf(rows: readonly TraceRow[]): Map<string, TraceValue> {
  const figures = new Map<string, TraceValue>();
  for (const { message, values } of rows)
    for (const value of values) if (value.figure !== undefined) figures.set(`${message}.${value.figure}`, value);
  return figures;
}

function checkFigures(rows: readonly TraceRow[], expected: Figures): FigureCheck {
  const computed = figuresOf(rows);
  const unlike: string[] = [];
  let agreeing = 0;
  for (const [name, value] of computed) {
    const wanted = expected.get(name);
    if (wanted === undefined) continue;
    if (equal(wanted, value.bytes)) agreeing++;
    else unlike.push(name);
  }
  return { agreeing, unlike, absent: [...expected.keys()].filter((name) => !computed.has(name)) };
}

/** Whether every row was computed, nothing refused, and every figure of the file is the computed one. */
export function isWhole(document: TraceDocument): boolean {
  const [{ rows }] = document.runs;
  if (isStopped(rows)) return false;
  if (document.expected === undefined) return true;
  const { unlike, absent } = document.check(document.expected);
  return unlike.length === 0 && absent.length === 0;
}

/** 64 hexadecimal digits of the paper's 32 bytes, or the fingerprint. */
export function valueText(document: TraceDocument, value: TraceValue, showSecrets: boolean): string {
  return value.secrecy === 'public' || showSecrets ? toHex(value.bytes) : document.fingerprints(value);
}
