/** `wgwhy diagnose`: reads what is there and says why WireGuard did not work. */
import { type Command, Option } from 'commander';
import { nodeCrypto } from '../../crypto/node.ts';
import { checkReadable, FileError, fileSource, streamSource } from '../../io/files.ts';
import { openWithPcapParser } from '../../io/pcap-parser-reader.ts';
import type { DiagnoseOptions, Diagnosis, Source } from '../../report/diagnose.ts';
import { eventLine, reportJson } from '../../report/json.ts';
import type { PolicyName, Report } from '../../report/model.ts';
import { renderText } from '../../report/text.ts';
import { type Environment, EXIT, type ExitCode, UsageError, wantsColour } from '../environment.ts';
import { progress } from '../progress.ts';
import { parsePublicKeys, parseVantages } from '../values.ts';

interface Flags {
  readonly publicKey?: readonly string[];
  readonly at?: readonly string[];
  readonly json?: true;
  readonly ndjson?: true;
  readonly reader: 'own' | 'pcap-parser';
  readonly policy: PolicyName;
  readonly verbose?: true;
  readonly color: boolean;
}

const HELP = `
FILE is any mix of captures (pcap, pcapng, gzip), wg-quick configurations and key logs: what each one is
is found out by its content. "-" reads a capture from standard input.

Exit code: 0 no error was found, 1 an error was found, 2 wrong usage or nothing that could be read.

Example:
  tcpdump -i any -s 0 -w f.pcap 'udp port 51820 or icmp or icmp6 or (ip[6:2] & 0x1fff != 0) or ip6[6] = 44'
  wgwhy diagnose f.pcap /etc/wireguard/wg0.conf --at initiator`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function addDiagnoseCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  program
    .command('diagnose')
    .description('say why a handshake or a tunnel failed')
    .argument('<file...>', 'captures, configurations, key logs; - for standard input')
    .addOption(new Option('--public-key <NAME=KEY>', 'a public key that is in no file; repeatable').argParser(collect))
    .addOption(
      new Option(
        '--at <WHERE>',
        'where a capture was taken: initiator, responder or between; NAME=WHERE for one file; repeatable',
      ).argParser(collect),
    )
    .addOption(new Option('--json', 'the report as JSON').conflicts('ndjson'))
    .addOption(new Option('--ndjson', 'the events as one JSON object per line').conflicts('json'))
    .addOption(new Option('--reader <NAME>', 'what reads captures').choices(['own', 'pcap-parser']).default('own'))
    .addOption(
      new Option('--policy <NAME>', 'whose rules the receiver follows')
        .choices(['linux', 'wireguard-go', 'boringtun', 'gotatun'])
        .default('linux')
        // the report names it; until the rules of the others are applied, the help does not offer it
        .hideHelp(),
    )
    .option('--verbose', 'all frames, every finding in full, and the hidden ones')
    .option('--no-color', 'no colour even on a terminal')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => done(await diagnoseFiles(environment, files, flags)));
}

async function diagnoseFiles(environment: Environment, files: readonly string[], flags: Flags): Promise<ExitCode> {
  const { stdout } = environment;
  const paths = [...new Set(files)];
  const publicKeys = parsePublicKeys(flags.publicKey ?? []);
  const at = parseVantages(flags.at ?? [], paths);
  const total = await checkAll(environment, paths);
  const shown = progress(environment, total);
  const sources = paths.map((path) => shown.watch(sourceFor(environment, path)));
  const options: DiagnoseOptions = {
    crypto: nodeCrypto,
    publicKeys,
    policy: flags.policy,
    ...(at === undefined ? {} : { at }),
    ...(flags.reader === 'pcap-parser' ? { openCapture: openWithPcapParser } : {}),
    ...(flags.ndjson ? { onEvent: (event) => stdout.write(eventLine(event)) } : {}),
  };
  const diagnosis = await environment.diagnose(sources, options).finally(() => shown.clear());
  print(environment, diagnosis, flags);
  return exitCode(diagnosis);
}

function exitCode({ report, usable }: Diagnosis): ExitCode {
  if (!usable) return EXIT.unusable;
  return report.findings.some(({ severity }) => severity === 'error') ? EXIT.found : EXIT.fine;
}

function print(environment: Environment, { report, usable }: Diagnosis, flags: Flags): void {
  const { stdout, stderr, columns } = environment;
  if (flags.json) stdout.write(reportJson(report));
  else if (flags.ndjson) stderr.write(problemsOnly(report));
  else {
    const colour = usable && wantsColour(environment, flags.color);
    const text = renderText(report, {
      colour,
      verbose: flags.verbose ?? false,
      ...(columns === undefined ? {} : { width: columns }),
    });
    (usable ? stdout : stderr).write(text);
  }
}

/** Beside a stream of events, what is wrong with the files would otherwise be said nowhere. */
const problemsOnly = (report: Report): string =>
  report.problems.length === 0 ? '' : renderText({ ...report, findings: [] });

function sourceFor({ stdin }: Environment, path: string): Source {
  return path === '-' ? streamSource('-', stdin) : fileSource(path);
}

/** Every file before any analysis, all faults at once. Gives the bytes of all of them where that is known. */
async function checkAll({ isTTY }: Environment, paths: readonly string[]): Promise<number | undefined> {
  const faults: string[] = [];
  let total: number | undefined = 0;
  for (const path of paths) {
    if (path === '-') {
      if (isTTY.stdin)
        throw new UsageError(
          'standard input is a terminal',
          'pipe a capture into it: tcpdump -w - … | wgwhy diagnose -',
        );
      total = undefined;
      continue;
    }
    try {
      const size: number | undefined = await checkReadable(path);
      total = total === undefined || size === undefined ? undefined : total + size;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      faults.push(`${path}: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}`);
    }
  }
  if (faults.length > 0)
    throw new UsageError(
      faults.length === 1 ? 'a file cannot be read' : `${faults.length} files cannot be read`,
      ...faults,
    );
  return total;
}
