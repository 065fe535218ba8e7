/** Runs the command line in process: output as text, the analysis replaced by a given answer. */
import type { Environment, Live } from '../../src/cli/environment.ts';
import { run } from '../../src/cli/run.ts';
import type { DiagnoseOptions, Diagnosis, Source } from '../../src/report/diagnose.ts';
import { HEALTHY } from '../report/samples.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the analysis was called with, once for each call. */
  readonly calls: { readonly sources: readonly Source[]; readonly options: DiagnoseOptions }[];
}

export const RULES: Environment['rules'] = [
  {
    name: 'wrong-responder-key',
    severity: 'error',
    spec: 'wp §5.4.4',
    explain: { what: 'what it is', why: 'why it matters', fix: 'what to do' },
    hides: ['no-response', 'responder-silent'],
  },
  { name: 'no-response', severity: 'error', explain: { what: 'nothing came back', why: 'w', fix: 'f' }, hides: [] },
  { name: 'packet-loss', severity: 'warning', explain: { what: 'counters have gaps', why: 'w', fix: 'f' } },
  { name: 'clock-skew', severity: 'info', explain: { what: 'clocks differ', why: 'w', fix: 'f' } },
];

/** For commands that bring up no tunnel and wait for no signal. */
export const NO_TUNNEL: Pick<Live, 'bringUp' | 'untilSignal'> = {
  bringUp: () => Promise.reject(new Error('nobody asked for a tunnel')),
  untilSignal: () => new Promise(() => {}),
};

export async function cli(
  argv: readonly string[],
  given: Partial<Environment> & { answer?: Diagnosis } = {},
): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const calls: Ran['calls'] = [];
  const code = await run(argv, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: () => {
      throw new Error('nobody asked for standard input');
    },
    isTTY: { stdin: false, stdout: false, stderr: false },
    columns: undefined,
    env: {},
    rules: RULES,
    diagnose: async (sources, options) => {
      calls.push({ sources, options });
      return given.answer ?? { report: HEALTHY, usable: true };
    },
    ...given,
  });
  return { code, stdout, stderr, calls };
}
