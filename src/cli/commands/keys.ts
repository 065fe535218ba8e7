/** `wgwhy genkey`, `pubkey` and `genpsk`, as wg(8) has them: keys on standard output, nothing else. */
import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import { toBase64 } from '../../base/base64.ts';
import type { Bytes } from '../../base/bytes.ts';
import { clamped, KEY_BYTES, privateKey } from '../../base/keys.ts';
import { readKeyText } from '../../config/key-text.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';

/** What is longer than a key with some white space is not one. */
const MOST_INPUT_BYTES = 4096;

export function addKeyCommands(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  const { stdout, live } = environment;
  const fresh = (): Bytes => {
    const key = new Uint8Array(KEY_BYTES);
    live.random(key, 'ephemeral');
    return key;
  };
  const print = (key: Bytes): void => {
    stdout.write(`${toBase64(key)}\n`);
    done(EXIT.fine);
  };
  program
    .command('genkey')
    .description('print a new private key')
    .action(() => {
      warnOfReaders(environment);
      print(clamped(fresh()));
    });
  program
    .command('genpsk')
    .description('print a new preshared key')
    .action(() => {
      warnOfReaders(environment);
      print(fresh());
    });
  program
    .command('pubkey')
    .description('read a private key from standard input and print its public key')
    .addHelpText('after', '\nExample:\n  (umask 077; wgwhy genkey > private)\n  wgwhy pubkey < private > public')
    .action(async () => {
      const secret = privateKey(await readKey(environment));
      print(live.crypto.publicKey(secret));
      secret.fill(0);
    });
}

const OTHERS = 0o007;
const STDOUT = 1;

/** A secret in a file that every user may read is none. */
function warnOfReaders({ stdout, stderr }: Environment): void {
  if (stdout !== process.stdout) return;
  const stats = fstatSync(STDOUT);
  if (!stats.isFile() || (stats.mode & OTHERS) === 0) return;
  stderr.write(
    'wgwhy: the key goes to a file that other users can read\n  set umask 077 first, or chmod 600 the file\n',
  );
}

async function readKey({ stdin }: Environment): Promise<Bytes> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdin()) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (text.length > MOST_INPUT_BYTES) break;
  }
  const key = readKeyText(text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, ''));
  if (key.ok) return key.value;
  throw new UsageError(`the private key on standard input ${key.error.predicate}`, key.error.hint);
}
