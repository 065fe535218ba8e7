/** `wgwhy decrypt`: the packets inside the tunnel as a capture, and the outer capture with the secrets that open it. */
import type { Command } from 'commander';
import { fastestOnNode } from '../../io/fastest-crypto.ts';
import { fileSource, streamSource } from '../../io/files.ts';
import { type Decryption, decrypt } from '../../report/decrypt.ts';
import type { Source } from '../../report/diagnose.ts';
import { lineWidth } from '../../report/text-page.ts';
import { decryptText } from '../decrypt-text.ts';
import { checkAll } from '../diagnosis.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';
import { openSink } from '../output.ts';
import { progress } from '../progress.ts';
import { parsePublicKeys, publicKeyOption } from '../values.ts';

interface Flags {
  readonly output?: string;
  readonly outer?: string;
  readonly all?: true;
  readonly force?: true;
  readonly publicKey?: readonly string[];
}

const HELP = `
FILE is any mix of captures and of what holds keys: key logs, traffic keys (extract-keys), configurations. A key log opens
both directions of every handshake it has an ephemeral key of; configurations alone never open data. "wgwhy keys FILE..."
tells what is known and what is missing. "-" reads a capture from standard input.

The inner packets keep their times. Each direction of each pair of peers is an interface, and each packet has a comment
that names the outer frame. Of several captures the packets come in the order of their times, and the interfaces are
named by capture. Files that are written are for their owner alone (mode 0600).

Exit code: 0 all data was opened, 1 some was not (what it takes is said on standard error) or a capture is damaged,
2 wrong usage or no capture that could be read.

Examples:
  wgwhy decrypt cap.pcap keys.txt -o inner.pcapng
  wgwhy decrypt cap.pcap keys.txt -o - | tcpdump -n -r -
  wgwhy decrypt cap.pcap keys.txt --outer shared.pcapng       # Wireshark opens it without further settings`;

export function addDecryptCommand(
  program: Command,
  environment: Environment,
  tool: string,
  done: (code: ExitCode) => void,
): void {
  program
    .command('decrypt')
    .description('write the packets inside the tunnel as a capture')
    .argument('<file...>', 'captures, key logs, traffic keys, configurations; - for standard input')
    .option('-o, --output <FILE>', 'the inner packets, as pcapng; - for standard output')
    .option('--outer <FILE>', 'the captured frames, as pcapng with the secrets that open them in Wireshark')
    .option('--all', 'also further views of one datagram, and packets that a receiver drops for their counter')
    .option('--force', 'replace files that are there')
    .addOption(publicKeyOption())
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      done(await runDecrypt(environment, tool, [...new Set(files)], flags));
    });
}

async function runDecrypt(
  environment: Environment,
  tool: string,
  paths: readonly string[],
  flags: Flags,
): Promise<ExitCode> {
  const { stderr, stdin, columns } = environment;
  const { output, outer, force = false } = flags;
  if (output === undefined && outer === undefined) {
    throw new UsageError('nothing is to be written', '-o FILE for the inner packets, --outer FILE for the outer ones');
  }
  if (output !== undefined && output === outer) throw new UsageError('-o and --outer are the same file');
  const publicKeys = parsePublicKeys(flags.publicKey ?? []);
  const shown = progress(environment, await checkAll(environment, paths));
  const sink = (option: string, path: string | undefined) =>
    path === undefined ? undefined : openSink(environment, option, path, force, paths);
  const inner = sink('-o', output);
  const outside = sink('--outer', outer);
  const source = (path: string): Source =>
    shown.watch(path === '-' ? streamSource('standard input', stdin) : fileSource(path));

  let decryption: Decryption;
  try {
    decryption = await decrypt(paths.map(source), {
      crypto: fastestOnNode(),
      publicKeys,
      tool,
      all: flags.all ?? false,
      ...(inner === undefined ? {} : { inner: (bytes) => inner.write(bytes) }),
      ...(outside === undefined ? {} : { outer: (bytes) => outside.write(bytes) }),
      onPause: () => {
        inner?.flush();
        outside?.flush();
      },
    });
  } finally {
    inner?.close();
    outside?.close();
    shown.clear();
  }
  const width = lineWidth(columns);
  const { captures } = decryption;
  const written = captures.length > 0;
  stderr.write(decryptText(decryption, written ? { inner: output, outer } : NOTHING, width));
  if (!written) throw new UsageError('there is no capture among the files', 'decrypt takes captures and keys together');
  const whole = captures.every(({ tally }) => tally.unopenedCount === 0 && tally.damage.length === 0);
  return whole ? EXIT.fine : EXIT.found;
}

const NOTHING = { inner: undefined, outer: undefined };
