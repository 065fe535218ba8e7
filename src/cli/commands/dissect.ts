/** `wgwhy dissect`: every WireGuard message of a capture, field by field, with what the keys at hand make of it. */
import { type Command, Option } from 'commander';
import { utf8 } from '../../base/bytes.ts';
import { fastestOnNode } from '../../io/fastest-crypto.ts';
import { fileSource, streamSource } from '../../io/files.ts';
import { dissect } from '../../report/dissect.ts';
import { DISSECT_SCHEMA, type Dissected } from '../../report/dissect-model.ts';
import { DissectText } from '../../report/dissect-text.ts';
import { asciiJson } from '../../report/json.ts';
import { checkAll } from '../diagnosis.ts';
import { type FilterFlags, parseFilter } from '../dissect-filters.ts';
import { type Environment, EXIT, type ExitCode, UsageError, wantsColour } from '../environment.ts';
import { progress } from '../progress.ts';
import { parsePublicKeys, publicKeyOption } from '../values.ts';

interface Flags extends FilterFlags {
  readonly publicKey?: readonly string[];
  readonly summary?: true;
  readonly hex?: true;
  readonly json?: true;
  readonly ndjson?: true;
  readonly color: boolean;
}

const HELP = `
CAPTURE is a capture (pcap, pcapng, gzip), "-" for standard input; KEYS are whatever holds keys: wg-quick files, key logs,
traffic keys, RouterOS exports. Each field is shown with its offset in the message, its length, its value and what it
means; what opens is shown in the place of what was sealed. Keys themselves are never shown.

With several filters, only what all of them let through is shown.

Exit code: 0 messages were shown, 1 there was none to show, 2 wrong usage, or no capture that could be read.

Examples:
  wgwhy dissect f.pcap client.conf keys.log
  wgwhy dissect f.pcap --summary --type handshake --conversation 192.0.2.1:51820
  wgwhy dissect f.pcap server.conf --frames 40-60 --hex`;

const DEFAULT_WIDTH = 120;
const LEAST_WIDTH = 80;

export function addDissectCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  program
    .command('dissect')
    .description('show every WireGuard message, field by field')
    .argument('<capture>', 'a capture; - for standard input')
    .argument('[keys...]', 'configurations, key logs, traffic keys; further captures')
    .addOption(publicKeyOption())
    .option('--summary', 'one line for each message')
    .option('--hex', 'all bytes of each field, also of what is sealed and of the packets inside')
    .option('--frames <LIST>', 'by number: 7 or 3-9 or 3-9,20-')
    .option('--conversation <ENDS>', 'with this end, or between these two: ADDRESS[:PORT][,ADDRESS[:PORT]]')
    .option('--session <INDEX>', 'of the handshake and session that has this index: 0x30d037d8')
    .option('--peer <PEER>', 'whose handshake names this peer: a public key, its beginning, or part of a file’s name')
    .option('--type <LIST>', 'initiation, response, cookie-reply, data, handshake, keepalive, malformed')
    .option('--time <FROM..TO>', 'in seconds after the first frame, or as 2026-11-21T02:00:37, UTC')
    .addOption(new Option('--json', 'one JSON document').conflicts('ndjson'))
    .addOption(new Option('--ndjson', 'one JSON object per line').conflicts('json'))
    .option('--no-color', 'no colour even on a terminal')
    .addHelpText('after', HELP)
    .action(async (capture: string, keys: readonly string[], flags: Flags) => {
      done(await runDissect(environment, [...new Set([capture, ...keys])], flags));
    });
}

async function runDissect(environment: Environment, paths: readonly string[], flags: Flags): Promise<ExitCode> {
  const { stdin } = environment;
  const filter = parseFilter(flags);
  const publicKeys = parsePublicKeys(flags.publicKey ?? []);
  const total = await checkAll(environment, paths);
  const shown = progress(environment, total);
  const sources = paths.map((path) => shown.watch(path === '-' ? streamSource('-', stdin) : fileSource(path)));
  const { summary = false, hex = false } = flags;
  const items = dissect(sources, { crypto: fastestOnNode(), publicKeys, filter, linesOnly: summary, payloads: hex });
  const writer = writerFor(environment, flags);
  const problems: string[] = [];
  let captures = 0;
  let messages = 0;
  try {
    for await (const item of items) {
      if (item.kind === 'capture') captures++;
      else if (item.kind === 'end') messages += item.shown;
      else if (item.kind === 'problem') problems.push(`${item.input}: ${item.message}`);
      await writer.write(item);
    }
  } catch (error) {
    // what was read until then has been read
    if (captures > 0) await writer.end();
    throw error;
  } finally {
    shown.clear();
  }
  if (captures === 0) {
    const told = flags.json || flags.ndjson ? problems : [];
    throw new UsageError('there is no capture among these files', ...told, 'wgwhy check takes configurations alone');
  }
  await writer.end();
  return messages > 0 ? EXIT.fine : EXIT.found;
}

interface Writer {
  write(item: Dissected): Promise<void>;
  end(): Promise<void>;
}

const GATHERED_LENGTH = 65_536;

function writerFor(environment: Environment, flags: Flags): Writer {
  const { stdout, stderr, columns } = environment;
  let gathered = '';
  /** A capture of a gigabyte gives more text than fits into memory: it waits until what was written is taken. */
  const flush = async (): Promise<void> => {
    const text = gathered;
    gathered = '';
    if (stdout.writeBytes === undefined) stdout.write(text);
    else await stdout.writeBytes(utf8(text));
  };
  const put = async (text: string): Promise<void> => {
    gathered += text;
    if (gathered.length >= GATHERED_LENGTH) await flush();
  };
  if (flags.ndjson) return { write: (item) => put(`${asciiJson(item)}\n`), end: flush };
  if (flags.json) {
    let before = `{"schema":"${DISSECT_SCHEMA}","items":[\n`;
    const write = (item: Dissected): Promise<void> => {
      const text = `${before}${asciiJson(item)}`;
      before = ',\n';
      return put(text);
    };
    return { write, end: () => put('\n]}\n').then(flush) };
  }
  const text = new DissectText({
    width: Math.max(LEAST_WIDTH, columns ?? DEFAULT_WIDTH),
    colour: wantsColour(environment, flags.color),
    linesOnly: flags.summary ?? false,
  });
  const write = async (item: Dissected): Promise<void> => {
    // what is wrong with a file of keys must not stand among the messages
    if (item.kind === 'problem') stderr.write(text.render(item));
    else await put(text.render(item));
  };
  return { write, end: flush };
}
