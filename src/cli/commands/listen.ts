/** `wgwhy listen`: takes the TZSP stream of a RouterOS sniffer, and tells findings while it comes. */
import { networkInterfaces } from 'node:os';
import type { Command } from 'commander';
import { parseIp } from '../../base/address.ts';
import { TZSP_PORT } from '../../capture/tzsp.ts';
import { fileSource } from '../../io/files.ts';
import { TzspListener, type TzspOptions } from '../../io/listen-tzsp.ts';
import { UdpError } from '../../io/udp.ts';
import { sanitise } from '../../report/text-wrap.ts';
import {
  addDiagnosisOptions,
  checkAll,
  type DiagnosisFlags,
  diagnosisOptions,
  exitCode,
  printDiagnosis,
} from '../diagnosis.ts';
import { type Environment, type ExitCode, UsageError } from '../environment.ts';
import { afterPatience, liveOptions } from '../live.ts';
import { senderLines, streamProblems } from '../tzsp-words.ts';

interface Flags extends DiagnosisFlags {
  readonly port: string;
  readonly bind?: string;
  readonly write?: string;
}

const HELP = `
The router sends each packet that it sniffs to this machine, over UDP; the wrapping (TZSP) is taken off, and what is
found is told while it comes. FILE is any mix of wg-quick configurations and key logs. Ctrl-C ends it with the report.

Exit code: 0 no error was found, 1 an error was found, 2 wrong usage or no port to listen on.

Examples:
  wgwhy listen server.conf --at responder
  wgwhy listen client.conf --write router.pcapng      # afterwards: wgwhy diagnose router.pcapng client.conf`;

export function addListenCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  const command = program
    .command('listen')
    .description('tell findings from the stream of a RouterOS sniffer (TZSP), while it comes')
    .argument('[file...]', 'configurations, key logs');
  addDiagnosisOptions(command)
    .option('--port <PORT>', 'the UDP port that the router sends to', String(TZSP_PORT))
    .option('--bind <ADDRESS>', 'listen on this address only')
    .option('--write <FILE>', 'keep the unwrapped frames, as pcapng')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => done(await listen(environment, files, flags)));
}

async function listen(environment: Environment, files: readonly string[], flags: Flags): Promise<ExitCode> {
  const { stderr, diagnose, live } = environment;
  const say = (line: string): unknown => stderr.write(`${sanitise(line)}\n`);
  const paths = [...new Set(files)];
  const port = portOf(flags.port);
  if (flags.bind !== undefined && parseIp(flags.bind) === undefined) {
    throw new UsageError('--bind takes an IP address of this machine');
  }
  const name = `udp:${port}`;
  const options = diagnosisOptions(flags, [name, ...paths]);
  await checkAll(environment, paths);
  if (paths.includes('-')) throw new UsageError('listen reads no standard input', 'name the files');

  const ended = live.untilSignal();
  const came = afterPatience(environment, () => say(NOTHING_CAME));
  try {
    const listener = await opened({
      port,
      clock: live.clock,
      ...(flags.bind === undefined ? {} : { address: flags.bind }),
      ...(flags.write === undefined ? {} : { write: flags.write }),
      onSender(address) {
        came();
        say(`the stream of ${address} has begun`);
      },
    });
    // what came before the signal is still read to its end
    void ended.then(() => listener.close());
    for (const line of instructions(listener.port, flags.bind)) say(line);
    const diagnosis = await diagnose([listener.source(name), ...paths.map(fileSource)], {
      ...options,
      ...liveOptions(environment, flags, { system: 'routeros' }),
    }).finally(() => listener.close());
    for (const line of senderLines(listener)) say(line);
    const { report } = diagnosis;
    const problems = [...report.problems, ...streamProblems(name, listener)];
    printDiagnosis(environment, { ...diagnosis, report: { ...report, problems } }, flags);
    return exitCode(diagnosis);
  } finally {
    came();
  }
}

const NOTHING_CAME =
  'nothing has come yet: is the sniffer running there, does its filter let WireGuard through, does a firewall here let the port in?';

const GREATEST_PORT = 65_535;

function portOf(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= GREATEST_PORT) return port;
  throw new UsageError('--port takes a UDP port, 0 to 65535');
}

async function opened(options: TzspOptions): Promise<TzspListener> {
  try {
    return await TzspListener.open(options);
  } catch (error) {
    if (!(error instanceof UdpError)) throw error;
    const taken = error.code === 'EADDRINUSE';
    throw new UsageError(error.message, taken ? 'something listens there already: ss -ulnp' : 'see --port and --bind');
  }
}

/** What to type on the router. */
function instructions(port: number, bind: string | undefined): string[] {
  const [address = 'ADDRESS', ...others] = bind === undefined || UNSPECIFIED.has(bind) ? ownAddresses() : [bind];
  const server = port === TZSP_PORT ? address : `${address}:${port}`;
  return [
    `listening on UDP port ${port}; on the router:`,
    `  /tool sniffer set streaming-enabled=yes streaming-server=${server} filter-stream=yes only-headers=no filter-ip-protocol=udp,icmp`,
    '  /tool sniffer start',
    ...(others.length === 0 ? [] : [`this machine is also ${others.join(', ')}`]),
    'findings are told as they come; Ctrl-C ends it with the report (on the router: /tool sniffer stop)',
  ];
}

const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Addresses that a router may send to, IPv4 first. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = all.filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0);
  return usable.sort((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
}
