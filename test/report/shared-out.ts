/** Runs over shares of captures, and what is put together of them, beside one run over the whole. */
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import { type DiagnoseOptions, type Diagnosis, diagnose, type Source } from '../../src/report/diagnose.ts';
import type { WgwhyEvent } from '../../src/report/event.ts';
import { eventLine } from '../../src/report/json.ts';
import { reduce } from '../../src/report/reduce.ts';
import { bytesSource, type LabCase, labFile } from '../scenarios/lab.ts';

export const crypto = fastestOnNode();

export interface Text {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Ran extends Diagnosis {
  readonly events: readonly WgwhyEvent[];
}

export interface SharedOut {
  readonly whole: Ran;
  readonly runs: readonly Ran[];
  readonly reduced: Diagnosis;
}

export const isCapture = (file: string): boolean => /\.pcap(\.gz)?$/.test(file);

export const sources = (files: readonly Text[]): Source[] => files.map(({ name, bytes }) => bytesSource(name, bytes));
export const textsOf = ({ files }: LabCase): Text[] => files.map((name) => ({ name, bytes: labFile(name) }));
export const withoutCaptures = (files: readonly Text[]): Source[] =>
  sources(files.filter(({ name }) => !isCapture(name)));

async function run(files: readonly Text[], options: DiagnoseOptions): Promise<Ran> {
  const events: WgwhyEvent[] = [];
  const diagnosis = await diagnose(sources(files), { crypto, onEvent: (event) => events.push(event), ...options });
  return { ...diagnosis, events };
}

/** One run for each share. */
export async function sharesOf(files: readonly Text[], of: number): Promise<Ran[]> {
  const runs: Ran[] = [];
  for (let share = 0; share < of; share++) runs.push(await run(files, { share: { share, of } }));
  return runs;
}

/** Captures come first in `files`. */
export async function sharedOut(
  files: readonly Text[],
  of: number,
  { at }: Pick<LabCase, 'at'> = { at: undefined },
): Promise<SharedOut> {
  const where = at === undefined ? {} : { at };
  const runs = await sharesOf(files, of);
  const reduced = await reduce([...written(runs), ...withoutCaptures(files)], { crypto, ...where });
  return { whole: await run(files, where), runs, reduced };
}

export const ndjson = ({ events }: Ran): string => events.map(eventLine).join('');

/** What the runs wrote, a file each. */
export const written = (runs: readonly Ran[]): Source[] =>
  runs.map((one, i) => bytesSource(`${i}.ndjson`, new TextEncoder().encode(ndjson(one))));

/** Events of single frames, in order of captures and frames. */
export function lines(runs: readonly Ran[]): string[] {
  const events = runs.flatMap((one) => one.events).filter((event) => 'at' in event && !('finding' in event));
  const place = (event: WgwhyEvent): [string, number] =>
    'at' in event && event.at !== undefined ? [event.at.input, event.at.frame] : ['', 0];
  const order = (a: WgwhyEvent, b: WgwhyEvent): number => {
    const [[x, i], [y, j]] = [place(a), place(b)];
    return x < y ? -1 : x > y ? 1 : i - j;
  };
  return events.sort(order).map(eventLine);
}

/** Captures are called by their labels: where they were is not known to whoever has the events. */
export const comparable = ({ report }: Diagnosis) => ({
  ...report,
  inputs: report.inputs.map(({ name, label = name, ...rest }) => ({ ...rest, label })),
});
