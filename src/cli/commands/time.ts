/** `wgwhy time`: what the timestamps of initiations tell of the clocks of their senders. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { fastestOnNode } from '../../io/fastest-crypto.ts';
import { fileSource, streamSource } from '../../io/files.ts';
import { lineWidth } from '../../report/text-page.ts';
import { clocksJson } from '../../report/time/json.ts';
import { type Clocks, readClocks } from '../../report/time/read.ts';
import { clocksSvg } from '../../report/time/svg.ts';
import { checkAll } from '../diagnosis.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';
import { timeText } from '../time-text.ts';
import { parsePublicKeys, publicKeyOption } from '../values.ts';

interface Flags {
  readonly publicKey?: readonly string[];
  readonly width?: string;
  readonly svg?: string;
  readonly json?: true;
}

const HELP = `
Every initiation holds a TAI64N timestamp of its sender, sealed for the responder: the responder's private key opens it
(its configuration, or LOCAL_STATIC_PRIVATE_KEY in a key log). Held against the time of the capture it shows the offset
of the sender's clock, its drift and its jumps; a responder only asks that each is greater than those before.

Offsets hold the delay on the way, and an error of the capture's clock as well as one of the sender's. Drift is not said
where rounding could make it: whitened timestamps are rounded down to 16.8 ms.

Exit code: 0 timestamps were read, 1 one of them is not greater than one before, 2 wrong usage, or none could be read.

Examples:
  wgwhy time server.pcap /etc/wireguard/wg0.conf
  wgwhy time f.pcapng keys.log --svg clocks.svg`;

const LEAST_WIDTH = 60;
const MOST_WIDTH = 400;

export function addTimeCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  program
    .command('time')
    .description('show the clocks of initiators by the timestamps of their handshakes')
    .argument('<file...>', 'captures, configurations, key logs; - for a capture on standard input')
    .addOption(publicKeyOption())
    .option('--width <COLUMNS>', `columns of the text, ${LEAST_WIDTH} to ${MOST_WIDTH}; else those of the terminal`)
    .option('--svg <FILE>', 'write the plots to FILE as well')
    .option('--json', 'all timestamps and what comes of them as JSON')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      done(await runTime(environment, [...new Set(files)], flags));
    });
}

async function runTime(environment: Environment, paths: readonly string[], flags: Flags): Promise<ExitCode> {
  const { stdin, stdout, stderr, columns } = environment;
  const width = widthOf(flags.width) ?? lineWidth(columns);
  const publicKeys = parsePublicKeys(flags.publicKey ?? []);
  await checkAll(environment, paths);
  const sources = paths.map((path) => (path === '-' ? streamSource('-', stdin) : fileSource(path)));
  const clocks = await readClocks(sources, { crypto: fastestOnNode(), publicKeys });
  if (flags.svg !== undefined) await writeSvg(flags.svg, clocks);
  if (flags.json) stdout.write(clocksJson(clocks));
  else (clocks.senders.length > 0 ? stdout : stderr).write(timeText(clocks, width));
  if (clocks.senders.length === 0) return EXIT.unusable;
  return clocks.senders.some(({ clock }) => clock.notGreater.length > 0) ? EXIT.found : EXIT.fine;
}

function widthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const columns = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (columns >= LEAST_WIDTH && columns <= MOST_WIDTH) return columns;
  throw new UsageError(`--width ${text}: a number from ${LEAST_WIDTH} to ${MOST_WIDTH} is wanted`);
}

async function writeSvg(path: string, clocks: Clocks): Promise<void> {
  try {
    await writeFile(path, clocksSvg(clocks));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`${path} cannot be written (${code})`);
  }
}
