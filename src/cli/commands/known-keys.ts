/** `wgwhy keys`: what is known, from which file and line, what it opens in the captures, and what is missing. */
import type { Command } from 'commander';
import { utf8 } from '../../base/bytes.ts';
import { fastestOnNode } from '../../io/fastest-crypto.ts';
import { fileSource, streamSource } from '../../io/files.ts';
import { checkWritable, ResultFile } from '../../io/result-file.ts';
import type { Source } from '../../report/diagnose.ts';
import { keysJson } from '../../report/json.ts';
import { type KnownKeys, knownKeys } from '../../report/keys.ts';
import type { KeysReport } from '../../report/keys-model.ts';
import { lineWidth } from '../../report/text-page.ts';
import { count } from '../../report/text-verdict.ts';
import { sanitise, wrap } from '../../report/text-wrap.ts';
import { checkAll } from '../diagnosis.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';
import { keysText } from '../keys-text.ts';
import { progress } from '../progress.ts';
import { parsePublicKeys, publicKeyOption } from '../values.ts';

interface Flags {
  readonly keyLog?: string;
  readonly trafficKeys?: string;
  readonly showSecrets?: true;
  readonly force?: true;
  readonly json?: true;
  readonly publicKey?: readonly string[];
}

const HELP = `
FILE is any mix of captures and of what holds keys: key logs, traffic keys (extract-keys), configurations. No secret is
shown without --show-secrets; public keys and places are.

--key-log and --traffic-keys write files for their owner alone (mode 0600): with a capture what opens something in it,
without one all that is known. Traffic keys are worked out of a handshake, and that takes an ephemeral private key of one
end, as key logs have it: private keys of configurations and PSKs alone never give them.

Exit code: 0 everything opens, 1 something is missing for the captures, 2 wrong usage or nothing that could be read.

Examples:
  wgwhy keys cap.pcap client.conf server.conf
  wgwhy keys cap.pcapng --key-log keys.txt            # what its decryption-secrets block holds
  wgwhy keys cap.pcap keys.txt --traffic-keys traffic.txt`;

export function addKnownKeysCommand(
  program: Command,
  environment: Environment,
  tool: string,
  done: (code: ExitCode) => void,
): void {
  program
    .command('keys')
    .description('say what keys are known, what they open, and what is missing')
    .argument('<file...>', 'captures, key logs, traffic keys, configurations; - for standard input')
    .option('--key-log <FILE>', 'write the keys as a key log, as Wireshark reads it')
    .option('--traffic-keys <FILE>', 'write the keys of sessions, as extract-keys prints them')
    .option('--force', 'replace files that are there')
    .option('--show-secrets', 'print the secrets themselves')
    .option('--json', 'the answer as JSON')
    .addOption(publicKeyOption())
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      done(await runKeys(environment, tool, [...new Set(files)], flags));
    });
}

async function runKeys(
  environment: Environment,
  tool: string,
  paths: readonly string[],
  flags: Flags,
): Promise<ExitCode> {
  const { stdout, stderr, stdin, columns } = environment;
  const { keyLog, trafficKeys, force = false, showSecrets = false } = flags;
  for (const path of [keyLog, trafficKeys]) {
    if (path === '-') throw new UsageError('keys are written to a file', 'name one, or see --show-secrets');
  }
  if (keyLog !== undefined && keyLog === trafficKeys) {
    throw new UsageError('--key-log and --traffic-keys are the same file');
  }
  const publicKeys = parsePublicKeys(flags.publicKey ?? []);
  const shown = progress(environment, await checkAll(environment, paths));
  for (const path of [keyLog, trafficKeys]) if (path !== undefined) checkWritable(path, force, paths);
  const source = (path: string): Source =>
    shown.watch(path === '-' ? streamSource('standard input', stdin) : fileSource(path));

  const known = await knownKeys(paths.map(source), {
    crypto: fastestOnNode(),
    publicKeys,
    tool,
    showSecrets,
    files: keyLog !== undefined || trafficKeys !== undefined,
  }).finally(() => shown.clear());
  const { report } = known;
  const width = lineWidth(columns);
  const usable = report.inputs.length > 0;
  if (flags.json) stdout.write(keysJson(report));
  else (usable ? stdout : stderr).write(keysText(report, width));
  if (keyLog !== undefined) stderr.write(written(keyLog, force, known.files.keyLog, keyLogWords(known), width));
  if (trafficKeys !== undefined) {
    stderr.write(written(trafficKeys, force, known.files.trafficKeys, trafficWords(known), width));
  }
  if (!usable) return EXIT.unusable;
  const damaged = report.problems.some(({ offset }) => offset !== undefined);
  return report.missing.length === 0 && !damaged ? EXIT.fine : EXIT.found;
}

interface Words {
  readonly written: string;
  /** Why there is nothing to write. */
  readonly nothing: string;
  /** What is said in either case. */
  readonly also?: string;
}

function written(path: string, force: boolean, text: string, words: Words, width: number): string {
  if (text !== '') {
    const file = new ResultFile(path, force);
    file.write(utf8(text));
    file.close();
  }
  const what = text === '' ? `not written: ${words.nothing}` : words.written;
  const lines = [what, ...(words.also === undefined ? [] : [words.also])].flatMap((line, i) =>
    wrap(sanitise(i === 0 ? `${path}: ${line}` : line), width, i === 0 ? '' : '  ', '  '),
  );
  return lines.map((line) => `${line}\n`).join('');
}

const linesOf = (text: string): number => text.split('\n').length - 1;

function keyLogWords({ report, files }: KnownKeys): Words {
  const chosen = report.captures.length > 0;
  return {
    written: `${count(linesOf(files.keyLog), 'line')}, ${chosen ? 'of what opens something in the captures' : 'all that is known'}; Wireshark takes it as -o wg.keylog_file:FILE`,
    nothing: chosen ? 'no key that is known opens a handshake here' : 'no key is known that a key log can hold',
  };
}

/** Traffic keys come out of a handshake only. */
function trafficWords({ report, files }: KnownKeys): Words {
  const closed = closedSessions(report);
  const needs =
    'traffic keys are worked out of a handshake, which takes an ephemeral private key of one end (a key log); private keys and PSKs alone never give them';
  return {
    written: `${count(linesOf(files.trafficKeys), 'traffic key')}`,
    nothing: needs,
    ...(closed === 0 || files.trafficKeys === '' ? {} : { also: `${count(closed, 'session')} without: ${needs}` }),
  };
}

const closedSessions = ({ captures }: KeysReport): number =>
  captures.reduce((sum, { handshakes }) => sum + handshakes.filter(({ response }) => response === 'closed').length, 0);
