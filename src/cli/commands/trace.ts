/** `wgwhy trace`: a handshake's Noise transcript as a table, step by step, from a capture or a file of test vectors. */
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { KeySet, NO_PSK } from '../../analyze/key-set.ts';
import type { Problem } from '../../base/problem.ts';
import { openCapture } from '../../capture/open.ts';
import { nodeCrypto } from '../../crypto/node.ts';
import { fileSource, inWords } from '../../io/files.ts';
import { readInputs } from '../../report/inputs.ts';
import { sanitise } from '../../report/text-wrap.ts';
import { HandshakeFinder } from '../../report/trace-capture.ts';
import { isWhole, type TraceDocument, type TraceRun, traceDocument } from '../../report/trace-document.ts';
import { traceJson } from '../../report/trace-json.ts';
import type { NamedPsk } from '../../report/trace-run.ts';
import { renderTrace } from '../../report/trace-text.ts';
import { readVectors } from '../../report/trace-vectors.ts';
import type { Traceable } from '../../report/vector-json.ts';
import { checkAll } from '../diagnosis.ts';
import { type Environment, EXIT, type ExitCode, UsageError, wantsColour } from '../environment.ts';
import { capturedTraceable, readPsk } from '../trace-words.ts';
import { parsePublicKeys, publicKeyOption } from '../values.ts';

interface Flags {
  readonly frame?: number;
  readonly vector?: true;
  readonly otherPsk?: string;
  readonly withoutPsk?: true;
  readonly showSecrets?: true;
  readonly json?: true;
  readonly publicKey?: readonly string[];
  readonly color: boolean;
}

const HELP = `
FILE is one capture and whatever holds keys: configurations, key logs, traffic keys. The engine reads the message with
them and tells each step: after each token of "e es s ss {t}" and "e ee se psk {}" what went in (DH, Q, plaintext) and
what came out (C, H, κ and its nonce n, τ), in the symbols of the WireGuard paper, which wp §… cites. A value that a
token does not name is as it was; --json has C, H, κ and n after each. For a response its initiation is traced first,
for data the handshake of its session. Where a key is missing, the table ends at the first row that needs it.

With --vector, FILE is a JSON file of test vectors instead, and each of its figures is held against the computed one: the
drop corpus of this project, what "wgwhy vectors" and "wgwhy trace --json --show-secrets" write, sessions with
"expected_keys_hex" and "frames", plain Noise IKpsk2 vectors.

Secrets (DH outputs, C, κ, τ, Q, T, P) are shown as fingerprints, # and 8 digits: a BLAKE2s MAC of the value, keyed with
the handshake's own DH results. Equal values have equal fingerprints, in every run on the same handshake and at either
end of it. Q and P are keyed with every DH or transport key before them, so nobody can test a guess of a weak PSK who could
not do so with the messages themselves. Public values are shown whole.

Exit code: 0 every row was computed and every figure agrees, 1 a key is missing, something does not open, or a figure
differs, 2 wrong usage or nothing that could be read.

Examples:
  wgwhy trace f.pcap client.conf keys.log --frame 2
  wgwhy trace f.pcap client.conf keys.log --frame 2 --without-psk
  wgwhy trace --vector vectors.json`;

function frameNumber(text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new InvalidArgumentError('a frame is a number from 1.');
  return Number(text);
}

export function addTraceCommand(
  program: Command,
  environment: Environment,
  tool: string,
  done: (code: ExitCode) => void,
): void {
  program
    .command('trace')
    .description('show the Noise transcript of a handshake step by step')
    .argument('<file...>', 'one capture and files with keys; with --vector, a file of test vectors')
    .option('--frame <N>', 'the message to trace; without it the first response', frameNumber)
    .option('--vector', 'FILE holds test vectors: hold their figures against the engine')
    .addOption(
      new Option('--other-psk <FILE>', 'beside it, a second run with the PSK in this file').conflicts('withoutPsk'),
    )
    .option('--without-psk', 'beside it, a second run without a PSK')
    .option('--show-secrets', 'print secret values too')
    .option('--json', 'as JSON, in the layout of test vectors')
    .addOption(publicKeyOption())
    .option('--no-color', 'no colour even on a terminal')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], flags: Flags) => {
      done(await runCommand(environment, tool, [...new Set(files)], flags));
    });
}

async function runCommand(
  environment: Environment,
  tool: string,
  paths: readonly string[],
  flags: Flags,
): Promise<ExitCode> {
  const { stdout, columns } = environment;
  if (paths.includes('-')) throw new UsageError('trace reads files', 'save the capture to a file first');
  await checkAll(environment, flags.otherPsk === undefined ? paths : [...paths, flags.otherPsk]);
  const other = flags.withoutPsk
    ? NO_PSK
    : flags.otherPsk === undefined
      ? undefined
      : readPsk(flags.otherPsk, await text(flags.otherPsk));
  const traceables = flags.vector ? await vectors(paths, flags) : [await captured(environment, paths, flags)];
  const documents = traceables.map((traceable) => documentOf(traceable, other));
  if (flags.json) {
    const written = documents.map((document) => traceJson(document, tool, flags.showSecrets === true));
    stdout.write(`${JSON.stringify(written.length === 1 ? written[0] : written, undefined, 2)}\n`);
  } else {
    const options = {
      ...(columns === undefined ? {} : { width: columns }),
      colour: wantsColour(environment, flags.color),
      showSecrets: flags.showSecrets === true,
    };
    stdout.write(documents.map((document) => renderTrace(document, options)).join('\n'));
  }
  return documents.every(isWhole) ? EXIT.fine : EXIT.found;
}

function documentOf(traceable: Traceable, other: NamedPsk | undefined): TraceDocument {
  const { psk, rowsWith } = traceable;
  const run = (with_: NamedPsk): TraceRun => ({ name: with_.where, rows: rowsWith(with_) });
  const runs: TraceDocument['runs'] = other === undefined ? [run(psk)] : [run(psk), run(other)];
  return traceDocument(nodeCrypto, { ...traceable, runs });
}

async function captured(environment: Environment, paths: readonly string[], flags: Flags): Promise<Traceable> {
  const { stderr } = environment;
  const keys = new KeySet(nodeCrypto);
  const tell = (input: string, { message, line, offset, hint }: Problem): void => {
    const at = line === undefined ? (offset === undefined ? '' : ` at byte ${offset}`) : `:${line}`;
    stderr.write(`${sanitise(input)}${at}: ${sanitise(message)}${hint === undefined ? '' : ` (${sanitise(hint)})`}\n`);
  };
  const inputs = await readInputs(paths.map(fileSource), parsePublicKeys(flags.publicKey ?? []), keys, tell);
  const captures = inputs.filter(({ chunks }) => chunks !== undefined);
  const [capture, second] = captures;
  if (capture?.chunks === undefined) {
    throw new UsageError('none of the files is a capture', 'test vectors are read with --vector');
  }
  if (second !== undefined) {
    throw new UsageError('trace reads one capture', `given: ${captures.map(({ name }) => name).join(', ')}`);
  }
  const opened = await openCapture(capture.chunks);
  if (!opened.ok) throw new UsageError(`${capture.name}: ${opened.error.message}`, ...hintOf(opened.error));
  const finder = new HandshakeFinder(nodeCrypto, keys, (problem) => tell(capture.name, problem));
  const found = await finder.find(opened.value, flags.frame);
  if ('why' in found) throw new UsageError(`${capture.name}: ${found.why}`, ...found.hints);
  return capturedTraceable(nodeCrypto, keys, capture.label, found);
}

const hintOf = ({ hint }: Problem): readonly string[] => (hint === undefined ? [] : [hint]);

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw inWords(path, error);
  });
}

async function vectors(paths: readonly string[], { frame }: Flags): Promise<readonly Traceable[]> {
  const all: Traceable[] = [];
  for (const path of paths) {
    let json: unknown;
    try {
      json = JSON.parse(await text(path));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new UsageError(`${path} is not JSON`, 'a capture is traced without --vector');
    }
    const read = readVectors(nodeCrypto, json, frame);
    if (!read.ok) throw new UsageError(`${path}: ${read.error}`);
    all.push(...read.value.map((one) => ({ ...one, title: `${path}: ${one.title}` })));
  }
  return all;
}
