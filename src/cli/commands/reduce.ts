/** `wgwhy reduce`: the report of captures that were read elsewhere, from the events that the runs wrote there. */
import type { Command } from 'commander';
import { fileSource } from '../../io/files.ts';
import { eventLine } from '../../report/json.ts';
import { reduce } from '../../report/reduce.ts';
import {
  addDiagnosisOptions,
  checkAll,
  type DiagnosisFlags,
  diagnosisOptions,
  exitCode,
  printDiagnosis,
} from '../diagnosis.ts';
import { type Environment, type ExitCode, UsageError } from '../environment.ts';

const HELP = `
FILE is any mix of what "wgwhy diagnose --ndjson --shard K/N" wrote, and of the configurations and key logs that were handed
over there, under any names. Shares of one capture become the whole again, and it is judged when all of them are here; captures
of several machines are compared, and the clocks of those machines. The captures themselves are not needed: what is kept of
them holds no payload and no secret.

Exit code: 0 no error was found, 1 an error was found, 2 wrong usage or nothing that could be read.

Examples:
  wgwhy diagnose big.pcap server.conf --ndjson --shard 1/2 > 1.ndjson   # on one machine
  wgwhy diagnose big.pcap server.conf --ndjson --shard 2/2 > 2.ndjson   # on another
  wgwhy reduce 1.ndjson 2.ndjson server.conf`;

export function addReduceCommand(
  program: Command,
  environment: Environment,
  tool: string,
  done: (code: ExitCode) => void,
): void {
  const command = program
    .command('reduce')
    .description('put together what several runs of diagnose --shard found')
    .argument('<file...>', 'events as NDJSON, configurations, key logs');
  addDiagnosisOptions(command)
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: DiagnosisFlags) => {
      const paths = [...new Set(files)];
      if (paths.includes('-')) throw new UsageError('reduce reads files', 'save the events to a file first');
      await checkAll(environment, paths);
      const { stdout } = environment;
      const diagnosis = await reduce(paths.map(fileSource), {
        ...diagnosisOptions(flags, namedIn(flags.at ?? [])),
        tool,
        ...(flags.ndjson ? { onEvent: (event) => void stdout.write(eventLine(event)) } : {}),
      });
      printDiagnosis(environment, diagnosis, flags);
      done(exitCode(diagnosis));
    });
}

/** `--at NAME=…` speaks of captures here, and which there are is known when the events are read. */
const namedIn = (at: readonly string[]): string[] =>
  at.flatMap((value) => (value.includes('=') ? [value.slice(0, value.lastIndexOf('='))] : []));
