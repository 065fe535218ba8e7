/** What the command line stands on: streams, terminal, variables, and the analysis itself, so that all of it can be replaced. */
import type { ProbePorts } from '../io/probe.ts';
import type { Lookup } from '../io/resolve.ts';
import type { Up, UpOptions } from '../io/up/up.ts';
import type { DiagnoseOptions, Diagnosis, Source } from '../report/diagnose.ts';
import type { RulePage } from './commands/rules.ts';

export interface Output {
  /** Bytes as they are: captures go to standard output, too. */
  write(text: string | Uint8Array): unknown;
  /** Resolves once they are taken, and `bytes` may be used again. Absent where `write` is good enough. */
  writeBytes?(bytes: Uint8Array): Promise<void>;
}

export interface Environment {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Called only when `-` is among the files. */
  stdin(): AsyncIterable<Uint8Array | string>;
  readonly isTTY: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Columns of the terminal behind stdout, where there is one. */
  readonly columns: number | undefined;
  readonly env: { readonly [name: string]: string | undefined };
  diagnose(sources: readonly Source[], options: DiagnoseOptions): Promise<Diagnosis>;
  readonly rules: readonly RulePage[];
  readonly live: Live;
}

/** Clock, chance, network and names, for what runs for real. */
export interface Live extends ProbePorts {
  readonly lookUp: Lookup;
  /** Rejects as {@link bringUp} of `io/up` does, or with a UsageError where the machine cannot do it at all. */
  bringUp(options: UpOptions): Promise<Pick<Up, 'name' | 'port' | 'mtu' | 'status' | 'close'>>;
  /** Its name, when the first of the signals comes that ask a program to end. From then on they do nothing more. */
  untilSignal(): Promise<string>;
}

/** The terminal's part: `run` adds the rest where it is not given. */
export type Terminal = Omit<Environment, 'diagnose' | 'rules' | 'live'>;

export type ExitCode = 0 | 1 | 2;

/** Nothing wrong, an error finding (no answer to a probe), or: wrong usage, nothing that could be read. */
export const EXIT = { fine: 0, found: 1, unusable: 2 } as const satisfies Record<string, ExitCode>;

/** Wrong usage, in words: printed as `wgwhy: message` with its hints below. Never holds a secret. */
export class UsageError extends Error {
  readonly hints: readonly string[];

  constructor(message: string, ...hints: readonly string[]) {
    super(message);
    this.name = 'UsageError';
    this.hints = hints;
  }
}

/** https://no-color.org: any value but the empty one means no. */
export function wantsColour({ isTTY, env }: Environment, asked: boolean): boolean {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return asked && isTTY.stdout && !refused;
}
