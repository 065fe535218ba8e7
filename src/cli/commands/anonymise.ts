/** `wgwhy anonymise`: the same story without the secrets, for a public bug report. */
import type { Command } from 'commander';
import { type Bytes, utf8 } from '../../base/bytes.ts';
import { fastestOnNode } from '../../io/fastest-crypto.ts';
import { fileSource } from '../../io/files.ts';
import { folderTarget } from '../../io/folder-target.ts';
import { anonymise } from '../../report/anonymise/anonymise.ts';
import { anonymisedJson } from '../../report/anonymise/schema.ts';
import { lineWidth } from '../../report/text-page.ts';
import { anonymiseText } from '../anonymise-text.ts';
import { checkAll } from '../diagnosis.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';
import { parsePublicKeys, parseVantages, publicKeyOption, vantageOption } from '../values.ts';

interface Flags {
  readonly output: string;
  readonly publicKey?: readonly string[];
  readonly at?: readonly string[];
  readonly seed?: string;
  readonly shiftTime?: string;
  readonly json?: true;
}

const HELP = `
FILE is any mix of captures, wg-quick configurations and key logs. Into DIR come a capture for each capture and a
configuration for each configuration, called a, b, c … in the order given:

- handshakes are made anew under generated keys where the keys at hand open them, with every fault they had; where
  they do not, sealed fields are random. A MAC1 for a key at hand is one for the generated key; other MACs are random.
  The configurations written have the generated keys.
- data messages keep header, length and counter; what could be opened is sealed anew with zeros for its payload.
- addresses and ports stand for others of their kind, the same for the same; comments and what is not known are taken out.
- frames that are no WireGuard, nor an ICMP error about it, keep number and time only.

Then both are diagnosed, and what is found in one of them only is listed. Which key or address stands for which is
written nowhere; whoever knows the seed could try that out.

Exit code: 0 diagnose finds the same in both, 1 a finding differs, 2 wrong usage or nothing that could be read.

Examples:
  wgwhy anonymise client.pcap client.conf server.conf -o report
  wgwhy anonymise f.pcapng keys.log -o report --shift-time -86400`;

const SEED_BYTES = 32;
/** A hundred years. */
const MOST_SHIFT_S = 3_200_000_000;

export function addAnonymiseCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  program
    .command('anonymise')
    .description('write captures and configurations anew without what is secret, for a public report')
    .argument('<file...>', 'captures, configurations, key logs')
    .requiredOption('-o, --output <DIR>', 'a new folder for what is written')
    .addOption(publicKeyOption())
    .addOption(vantageOption())
    .option('--shift-time <SECONDS>', 'move all times, those in handshakes too, by whole seconds')
    .option('--seed <TEXT>', 'the same text gives the same output; without it every run gives another')
    .option('--json', 'what was written and what is lost as JSON')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      done(await runAnonymise(environment, [...new Set(files)], flags));
    });
}

async function runAnonymise(environment: Environment, paths: readonly string[], flags: Flags): Promise<ExitCode> {
  const { stdout, stderr, columns } = environment;
  if (paths.includes('-')) throw new UsageError('anonymise reads files', 'save the capture to a file first');
  const shiftSec = shift(flags.shiftTime);
  const at = parseVantages(flags.at ?? [], paths);
  const publicKeys = parsePublicKeys(flags.publicKey ?? []);
  await checkAll(environment, paths);
  const options = {
    crypto: fastestOnNode(),
    seed: seed(environment, flags.seed),
    publicKeys,
    shiftSec,
    ...(at === undefined ? {} : { at }),
  };
  const result = await anonymise(paths.map(fileSource), await folderTarget(flags.output), options);
  const usable = result.files.some(({ kind }) => kind === 'capture' || kind === 'wg-conf');
  if (flags.json) stdout.write(anonymisedJson(flags.output, result));
  else {
    const width = lineWidth(columns);
    const text = anonymiseText(result, { folder: flags.output, width, timesKept: shiftSec === 0 });
    (usable ? stdout : stderr).write(text);
  }
  if (!usable) return EXIT.unusable;
  return result.lost.length + result.added.length > 0 ? EXIT.found : EXIT.fine;
}

function seed({ live }: Environment, text: string | undefined): Bytes {
  if (text !== undefined) return utf8(text);
  const fresh = new Uint8Array(SEED_BYTES);
  live.random(fresh, 'ephemeral');
  return fresh;
}

function shift(text: string | undefined): number {
  if (text === undefined) return 0;
  const seconds = /^[+-]?[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(seconds) <= MOST_SHIFT_S)) {
    throw new UsageError(`--shift-time ${text} is not a number of seconds`, 'for example --shift-time -86400');
  }
  return seconds;
}
