/** The last gate: nothing that any file names as a secret leaves in a report or an event, whatever field it got into. */

import type { KeySet } from '../analyze/key-set.ts';
import { toBase64 } from '../base/base64.ts';
import { publicKey, shortKey } from '../base/keys.ts';
import type { MessageEvent } from './event.ts';

const HIDDEN = '(secret, not shown)';

/** May be absent, and holds nothing but a key where it is not. */
const KEY_ALONE: keyof MessageEvent = 'mac1Owner';

/** A key, and the shortened form of one (`shortKey`). */
const KEY = /[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{6}…[A-Za-z0-9+/]{3}=/g;

/**
 * Private keys pasted where public ones belong would otherwise be printed as public keys. Also catches the shortened
 * form. Gives the value itself back when there is nothing to hide, which costs one pass over its strings.
 */
export function scrubber(keys: KeySet): <T>(value: T) => T {
  // As they would be shown where they were taken for public ones. A key log may have very many: looked up, not searched for.
  const secrets = new Set([...keys.secrets()].flatMap((secret) => [toBase64(secret), shortKey(publicKey(secret))]));
  if (secrets.size === 0) return (value) => value;
  const hide = (found: string): string => (secrets.has(found) ? HIDDEN : found);
  const clean = <T>(value: T): T => {
    if (typeof value === 'string') return value.replace(KEY, hide) as T;
    if (Array.isArray(value)) return value.map(clean) as T;
    if (value === null || typeof value !== 'object') return value;
    const fields = Object.entries(value).map(([name, field]) => [name, clean(field)] as const);
    return Object.fromEntries(fields.filter(([name, field]) => field !== HIDDEN || name !== KEY_ALONE)) as T;
  };
  return clean;
}

/**
 * For what is made in great number, and holds keys only as public ones: a private key gets in there only where it stands
 * as a public one, too, and nothing is copied where none does.
 */
export function leakScrubber(keys: KeySet): <T>(value: T) => T {
  const leaks = [...keys.secrets()].some((secret) => keys.publics.has(toBase64(secret)));
  return leaks ? scrubber(keys) : (value) => value;
}

/** So many characters of a secret in a row are no accident. */
const TELLTALE = 12;

/** Whether a line of a file holds a secret that any file names, or a good part of one: for what is shown of files themselves. */
export function secretTeller(keys: KeySet): (line: string) => boolean {
  let parts: ReadonlySet<string> | undefined;
  return (line) => {
    parts ??= partsOf(keys);
    for (let at = 0; at + TELLTALE <= line.length; at++) if (parts.has(line.slice(at, at + TELLTALE))) return true;
    return false;
  };
}

function partsOf(keys: KeySet): ReadonlySet<string> {
  const parts = new Set<string>();
  for (const secret of keys.secrets()) {
    const text = toBase64(secret);
    for (let at = 0; at + TELLTALE <= text.length; at++) parts.add(text.slice(at, at + TELLTALE));
  }
  return parts;
}
