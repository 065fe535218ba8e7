/** What `diagnose` and `listen` share: their options, the files they take, what they print and the exit code. */
import { type Command, Option } from 'commander';
import { fastestOnNode } from '../io/fastest-crypto.ts';
import { checkReadable, FileError } from '../io/files.ts';
import type { DiagnoseOptions, Diagnosis } from '../report/diagnose.ts';
import { reportJson } from '../report/json.ts';
import type { PolicyName } from '../report/model.ts';
import { renderProblems, renderText, type TextOptions } from '../report/text.ts';
import { type Environment, EXIT, type ExitCode, UsageError, wantsColour } from './environment.ts';
import { problemText } from './problem-text.ts';
import { parsePublicKeys, parseVantages, publicKeyOption, vantageOption } from './values.ts';

export interface DiagnosisFlags {
  readonly publicKey?: readonly string[];
  readonly at?: readonly string[];
  readonly json?: true;
  readonly ndjson?: true;
  readonly policy: PolicyName;
  readonly verbose?: true;
  readonly color: boolean;
}

export function addDiagnosisOptions(command: Command): Command {
  return command
    .addOption(publicKeyOption())
    .addOption(vantageOption())
    .addOption(new Option('--json', 'the report as JSON').conflicts('ndjson'))
    .addOption(new Option('--ndjson', 'the events as one JSON object per line').conflicts('json'))
    .addOption(
      new Option('--policy <NAME>', 'also tell where this implementation would have decided otherwise than the kernel')
        .choices(['linux', 'wireguard-go', 'boringtun', 'gotatun'])
        .default('linux'),
    )
    .option('--verbose', 'all frames, every finding in full, and the hidden ones')
    .option('--no-color', 'no colour even on a terminal');
}

/** `names` of the sources, as `--at NAME=…` may speak of them. */
export function diagnosisOptions(flags: DiagnosisFlags, names: readonly string[]): DiagnoseOptions {
  const publicKeys = parsePublicKeys(flags.publicKey ?? []);
  const at = parseVantages(flags.at ?? [], names);
  return { crypto: fastestOnNode(), publicKeys, policy: flags.policy, ...(at === undefined ? {} : { at }) };
}

export function exitCode({ report, usable }: Diagnosis): ExitCode {
  if (!usable) return EXIT.unusable;
  return report.findings.some(({ severity }) => severity === 'error') ? EXIT.found : EXIT.fine;
}

export function printDiagnosis(environment: Environment, { report, usable }: Diagnosis, flags: DiagnosisFlags): void {
  const { stdout, stderr } = environment;
  if (flags.json) stdout.write(reportJson(report));
  // beside a stream of events, what is wrong with the files would be said nowhere
  else if (flags.ndjson) stderr.write(renderProblems(report, { ...textOptions(environment, flags), colour: false }));
  else {
    const text = renderText(report, {
      ...textOptions(environment, flags),
      colour: usable && wantsColour(environment, flags.color),
      verbose: flags.verbose ?? false,
    });
    (usable ? stdout : stderr).write(text);
  }
}

export function textOptions(environment: Environment, flags: DiagnosisFlags): Omit<TextOptions, 'verbose'> {
  const { columns } = environment;
  return { colour: wantsColour(environment, flags.color), ...(columns === undefined ? {} : { width: columns }) };
}

/** For `--ndjson`: lines of events to standard output. */
export function eventLines({ stdout }: Environment): Required<Pick<DiagnoseOptions, 'onLines'>> {
  const decoder = new TextDecoder();
  return {
    onLines: (lines) =>
      stdout.writeBytes === undefined ? void stdout.write(decoder.decode(lines)) : stdout.writeBytes(lines),
  };
}

/** Every file before any analysis, all faults at once. Gives the bytes of all of them where that is known. */
export async function checkAll({ isTTY }: Environment, paths: readonly string[]): Promise<number | undefined> {
  const faults: string[] = [];
  let total: number | undefined = 0;
  for (const path of paths) {
    if (path === '-') {
      if (isTTY.stdin)
        throw new UsageError(
          'standard input is a terminal',
          'pipe a capture into it: tcpdump -U -w - … | wgwhy diagnose - --live',
        );
      total = undefined;
      continue;
    }
    try {
      const size: number | undefined = await checkReadable(path);
      total = total === undefined || size === undefined ? undefined : total + size;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      faults.push(problemText(path, error));
    }
  }
  if (faults.length > 0)
    throw new UsageError(
      faults.length === 1 ? 'a file cannot be read' : `${faults.length} files cannot be read`,
      ...faults,
    );
  return total;
}
