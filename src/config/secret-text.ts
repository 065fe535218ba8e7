/** Text that must not be shown: printed, joined or written as JSON it gives nothing away; only `reveal` does. */
import { decodeKeyText } from '../base/base64.ts';
import type { Bytes } from '../base/bytes.ts';
import { withoutSpace } from './text.ts';

export interface SecretText {
  readonly kind: 'secret';
  readonly reveal: () => string;
}

export function secretText(text: string): SecretText {
  return { kind: 'secret', reveal: () => text };
}

const SECRET_WORD =
  /pass(word|phrase|wd|$)|secret|private|pre-?shared|psk|token|(^|[-.])(key|pin|community|source|script|contents?)$|on-(event|up|down)/;
const PUBLIC_WORD = /^(client-)?public-key$/;
/** As long as a key in base64, or longer. */
const KEY_LIKE = /[A-Za-z0-9+/]{42}/;

/** Whether what a setting of this name holds must be kept from view; a key in a place of its own choosing too. */
export function holdsSecret(name: string, value: string): boolean {
  const word = name.toLowerCase();
  return !PUBLIC_WORD.test(word) && (SECRET_WORD.test(word) || KEY_LIKE.test(value));
}

/** wg takes white space anywhere; a slip in the name is not uncommon in a line that has no effect. */
const NAMED_SECRET = /(?:private|pre-?shared|psk)[-_]?(?:key)?[=:]["']?([A-Za-z0-9+/]{43}=)/i;

/** The 32 bytes that a line of a wg file calls a private or preshared key, wherever it stands and be it a comment. */
export function namedSecret(line: string): Bytes | undefined {
  const text = NAMED_SECRET.exec(withoutSpace(line))?.[1];
  const bytes = text === undefined ? undefined : decodeKeyText(text, true);
  return bytes instanceof Uint8Array ? bytes : undefined;
}

/** A remark or a line that may hold a key. */
export function mayHoldKey(text: string): boolean {
  return /[A-Za-z0-9+/]{20}/.test(text);
}
