/** Keeps secrets off the command line, where every user of the machine, the shell's history and logs would see them. */
import { UsageError } from './environment.ts';

const SECRET_OPTION = /^--?(private|preshared|pre-shared|psk|secret|ephemeral|static-private|key-?log-?key|priv)/i;
const SECRET_NAME = /private|preshared|psk|secret|ephemeral/i;
/** 32 bytes as base64 or as hexadecimal digits. */
export const KEY_SHAPED = /^([A-Za-z0-9+/]{43}=|[0-9a-fA-F]{64})$/;

const WHERE = 'private keys and PSKs are read from files only: hand over the wg-quick configuration or a key log';
export const SEEN =
  'it is now in the shell history and was visible to other users: if it is a secret in use, replace it';

/** Throws before anything is parsed, so that no later message can repeat the value. */
export function refuseSecrets(argv: readonly string[]): void {
  for (const [at, argument] of argv.entries()) {
    const name = argument.split('=', 1)[0] ?? '';
    if (SECRET_OPTION.test(name))
      throw new UsageError(`${name} is not an option: secrets do not belong on the command line`, WHERE);
    const value = argv[at - 1] === '--public-key' ? argument : valueAfter(argument, '--public-key=');
    if (value !== undefined) refusePublicKeyValue(value);
    else if (KEY_SHAPED.test(argument) && argv[at - 1] !== '--peer') {
      throw new UsageError(
        `argument ${at + 1} is a key, not a file`,
        'a public key is given as --public-key NAME=KEY',
        WHERE,
        SEEN,
      );
    }
  }
}

const valueAfter = (argument: string, prefix: string): string | undefined =>
  argument.startsWith(prefix) ? argument.slice(prefix.length) : undefined;

function refusePublicKeyValue(value: string): void {
  if (KEY_SHAPED.test(value))
    throw new UsageError('--public-key needs a name for the key: NAME=KEY', 'for example server=…');
  const name = value.split('=', 1)[0] ?? '';
  if (SECRET_NAME.test(name)) throw new UsageError('--public-key takes public keys only', WHERE, SEEN);
}
