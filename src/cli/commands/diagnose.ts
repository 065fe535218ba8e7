/** `wgwhy diagnose`: reads what is there, or what comes, and says why WireGuard did not work. */
import { type Command, Option } from 'commander';
import { fileSource, fileSourceIn, streamSource } from '../../io/files.ts';
import { isPipe, liveSource, liveStream } from '../../io/live-source.ts';
import { openers } from '../../io/openers.ts';
import { parquetFile } from '../../io/parquet-file.ts';
import { openWithPcapParser } from '../../io/pcap-parser-reader.ts';
import { checkWritable } from '../../io/result-file.ts';
import type { DiagnoseOptions, Diagnosis, Source } from '../../report/diagnose.ts';
import { sanitise } from '../../report/text-wrap.ts';
import {
  addDiagnosisOptions,
  checkAll,
  type DiagnosisFlags,
  diagnosisOptions,
  eventLines,
  exitCode,
  printDiagnosis,
} from '../diagnosis.ts';
import { type Environment, type ExitCode, UsageError } from '../environment.ts';
import { impatient, liveOptions } from '../live.ts';
import { progress } from '../progress.ts';
import { parseJobs, parseShare } from '../values.ts';

interface Flags extends DiagnosisFlags {
  readonly reader: 'own' | 'pcap-parser';
  readonly live?: true;
  readonly shard?: string;
  readonly parquet?: string;
  readonly jobs?: string;
  readonly force?: true;
}

const HELP = `
FILE is any mix of captures (pcap, pcapng, gzip), wg-quick configurations and key logs: what each one is
is found out by its content. "-" reads a capture from standard input.

With --live, findings are told while a capture still grows, as they become true and as they cease to be; captures from
standard input and from named pipes are read side by side. Ctrl-C ends it with the report.

With --shard K/N, N runs share one capture out among them by conversation, each on a machine of its own: each writes
the events of its share, and says nothing of findings; wgwhy reduce makes them of the events of all.

Exit code: 0 no error was found, 1 an error was found, 2 wrong usage or nothing that could be read.

Examples:
  tcpdump -i any -s 0 -w f.pcap 'udp port 51820 or icmp or icmp6 or (ip[6:2] & 0x1fff != 0) or ip6[6] = 44'
  wgwhy diagnose f.pcap /etc/wireguard/wg0.conf --at initiator
  tcpdump -U -i any -s 0 -w - 'udp port 51820 or icmp or icmp6' | wgwhy diagnose --live - /etc/wireguard/wg0.conf`;

export function addDiagnoseCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  const command = program
    .command('diagnose')
    .description('say why a handshake or a tunnel failed')
    .argument('<file...>', 'captures, configurations, key logs; - for standard input');
  addDiagnosisOptions(command)
    .addOption(new Option('--reader <NAME>', 'what reads captures').choices(['own', 'pcap-parser']).default('own'))
    .addOption(
      new Option('--shard <K/N>', 'the events of one share of the conversations, for wgwhy reduce').conflicts([
        'json',
        'live',
      ]),
    )
    .addOption(new Option('--parquet <FILE>', 'also the events as a table, one row an event').conflicts('live'))
    .addOption(
      new Option(
        '--jobs <N>',
        'threads that open packets, this one among them; else by the size of the captures',
      ).conflicts('live'),
    )
    .option('--force', 'replace the file of --parquet')
    .option('--live', 'tell findings while the captures grow; Ctrl-C ends it with the report')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      const paths = [...new Set(files)];
      const options = {
        ...diagnosisOptions(flags, paths),
        ...(flags.reader === 'pcap-parser' ? { openCapture: openWithPcapParser } : {}),
      };
      const run = flags.live ? diagnoseLive : diagnoseFiles;
      const diagnosis = await run(environment, paths, flags, options);
      printDiagnosis(environment, diagnosis, flags);
      done(exitCode(diagnosis));
    });
}

async function diagnoseFiles(
  environment: Environment,
  paths: readonly string[],
  flags: Flags,
  options: DiagnoseOptions,
): Promise<Diagnosis> {
  const { stdin, stderr, diagnose } = environment;
  const { ndjson, shard, parquet, jobs, force = false } = flags;
  if (shard !== undefined && !ndjson) {
    throw new UsageError('--shard writes events: it needs --ndjson', 'wgwhy reduce makes the report of them');
  }
  const share = shard === undefined ? undefined : parseShare(shard);
  const threads = jobs === undefined ? undefined : parseJobs(jobs);
  const total = await checkAll(environment, paths);
  if (parquet !== undefined) checkWritable(parquet, force, paths);
  const table = parquet === undefined ? undefined : await parquetFile(parquet, force, 'wgwhy');
  const shown = progress(environment, total);
  // a share and another reader make no use of them
  const helped = share === undefined && flags.reader === 'own';
  const ahead = helped ? openers({ jobs: threads, bytes: total }) : undefined;
  const sourceFor = (path: string): Source => {
    if (path !== '-') return ahead === undefined ? fileSource(path) : fileSourceIn(path, ahead.room);
    return impatient(environment, streamSource('-', stdin), 'end', () => stderr.write(STILL_READING));
  };
  return diagnose(
    paths.map((path) => shown.watch(sourceFor(path))),
    {
      ...options,
      ...(share === undefined ? {} : { share }),
      ...(ahead === undefined ? {} : { ahead }),
      ...(ndjson ? eventLines(environment) : {}),
      ...(table === undefined ? {} : { onEvent: (event) => event.event !== 'timeline' && table.add(event) }),
    },
  ).finally(() => {
    shown.clear();
    ahead?.close();
    table?.close();
  });
}

const STILL_READING = 'still reading standard input to its end; with --live, findings are told as they come\n';

async function diagnoseLive(
  environment: Environment,
  paths: readonly string[],
  flags: Flags,
  options: DiagnoseOptions,
): Promise<Diagnosis> {
  const { stdin, stderr, diagnose, live } = environment;
  await checkAll(environment, paths);
  const stop = new AbortController();
  void live.untilSignal().then(() => stop.abort());
  const sources = paths.map((path) => {
    const source = path === '-' ? liveStream('-', stdin, stop.signal) : liveSource(path, stop.signal);
    if (path !== '-' && !isPipe(path)) return source;
    const from = path === '-' ? 'standard input' : sanitise(path);
    return impatient(environment, source, 'beginning', () =>
      stderr.write(`nothing has come from ${from} yet (tcpdump needs -U to write each packet at once)\n`),
    );
  });
  stderr.write('findings are told as they come; Ctrl-C ends it with the report\n');
  // what is still open keeps the process alive
  return diagnose(sources, { ...options, ...liveOptions(environment, flags, { signal: stop.signal }) }).finally(() =>
    stop.abort(),
  );
}
