/** The `NAME=KEY` of `--public-key`: a public key under the name that the report calls it by. */
import { type PublicKey, publicKey } from '../base/keys.ts';
import type { Problem } from '../base/problem.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { readKeyText } from './key-text.ts';

const FORM = "write NAME=KEY, such as office-router=KEY with the 44 characters of 'wg pubkey'";

/** Strict. The first `=` ends the name. A refusal repeats neither part: the key may be a private one by mistake. */
export function parsePublicKeyArgument(
  text: string,
): Result<{ readonly name: string; readonly key: PublicKey }, Problem> {
  const equals = text.indexOf('=');
  if (equals < 0) return fail({ message: "the public key has no '='", hint: FORM });
  const name = text.slice(0, equals).trim();
  const value = text.slice(equals + 1);
  const start = value.length - value.trimStart().length;
  if (name.length >= 40 && /^=*$/.test(value))
    return fail({ message: 'the public key has no name', column: 1, hint: FORM });
  if (name === '') return fail({ message: 'the name before the = is empty', column: 1, hint: FORM });
  if (name.length > 64) return fail({ message: 'the name is longer than 64 characters', column: 1, hint: FORM });
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name))
    return fail({ message: 'the name contains a control character', column: 1, hint: FORM });
  const key = readKeyText(value.trim());
  if (!key.ok) {
    return fail({
      message: `the public key ${key.error.predicate}`,
      column: equals + 2 + start + key.error.at,
      hint: key.error.hint,
    });
  }
  return ok({ name, key: publicKey(key.value) });
}
