/** What the live commands share: the clock that the analysis asks, events as they happen, and remarks while nothing comes. */
import type { Clock } from '../io/clock.ts';
import type { DiagnoseOptions, Source } from '../report/diagnose.ts';
import { LiveText, type LiveTextOptions } from '../report/live-text.ts';
import { type DiagnosisFlags, eventLines, textOptions } from './diagnosis.ts';
import type { Environment } from './environment.ts';

/** After this long without anything, or without an end, something is said. */
export const PATIENCE_MS = 10_000;
const SECOND_MS = 1000;

/** Events go out as they happen: as lines of JSON, or as text; neither beside `--json`. */
export function liveOptions(
  environment: Environment,
  flags: DiagnosisFlags,
  { signal, system }: { readonly signal?: AbortSignal } & Pick<LiveTextOptions, 'system'> = {},
): Pick<DiagnoseOptions, 'live' | 'onEvent' | 'onLines'> {
  const { clock } = environment.live;
  const { stdout } = environment;
  const live = {
    monoMs: () => clock.now().monoMs,
    everySecond: (tick: () => void) => every(clock, tick),
    ...(signal === undefined ? {} : { signal }),
  };
  if (flags.json) return { live };
  if (flags.ndjson) return { live, ...eventLines(environment) };
  const text = new LiveText({ ...textOptions(environment, flags), ...(system === undefined ? {} : { system }) });
  return {
    live,
    onEvent: (event) => {
      const block = text.render(event);
      if (block !== '') stdout.write(`${block}\n`);
    },
  };
}

function every(clock: Clock, run: () => void): () => void {
  let callOff = (): void => {};
  const arm = (): void => {
    callOff = clock.at(clock.now().monoMs + SECOND_MS, () => {
      arm();
      run();
    });
  };
  arm();
  return () => callOff();
}

/** Calls back once if the time passes before what it returns is called. */
export function afterPatience({ live: { clock } }: Environment, run: () => void): () => void {
  return clock.at(clock.now().monoMs + PATIENCE_MS, run);
}

/** The same source; `say` is called when it was opened and nothing comes, or, if that is asked, when it does not end. */
export function impatient(
  environment: Environment,
  source: Source,
  waitsFor: 'beginning' | 'end',
  say: () => void,
): Source {
  return {
    name: source.name,
    async *open() {
      const callOff = afterPatience(environment, say);
      try {
        for await (const chunk of source.open()) {
          if (waitsFor === 'beginning') callOff();
          yield chunk;
        }
      } finally {
        callOff();
      }
    },
  };
}
