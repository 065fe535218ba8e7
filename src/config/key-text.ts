/** A base64 key as a person pasted it: the bytes, or what exactly is wrong, without repeating any of it. */
import { decodeKeyText } from '../base/base64.ts';
import type { Bytes } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';

export type KeyFaultKind =
  | 'missing'
  | 'placeholder'
  | 'quoted'
  | 'hexadecimal'
  | 'character'
  | 'length'
  | 'padding'
  | 'trailing-bits';

export interface KeyFault {
  readonly kind: KeyFaultKind;
  /** Completes "PrivateKey …". */
  readonly predicate: string;
  readonly hint: string;
  /** Where in the text, from 0. */
  readonly at: number;
}

const COPY_AGAIN = 'copy the key again from where it was made';
const LOOK_ALIKES = 'look for l, 1, I and O, 0 mixed up, or copy the key again from where it was made';
const NOT_BASE64 = /[^A-Za-z0-9+/=]/;
const QUOTES = /["'`\u2018-\u201f\u00ab\u00bb]/;

/** A name for the class of a character, so that not even one character of a secret is repeated. */
function describeCharacter(c: string): { readonly what: string; readonly hint: string } {
  const code = c.charCodeAt(0);
  if (c === '-' || c === '_') {
    return {
      what: `a ${c === '-' ? 'hyphen' : 'low line'}, as in URL-safe base64`,
      hint: 'WireGuard writes + for - and / for _',
    };
  }
  if (code === 0xa0 || code === 0x2007 || code === 0x202f)
    return { what: 'a no-break space', hint: 'delete it: it often comes along from a web page' };
  if (code === 0xfeff)
    return { what: 'a byte order mark', hint: 'delete it, or save the file as UTF-8 without a byte order mark' };
  if (code === 0xad || (code >= 0x200b && code <= 0x200f) || (code >= 0x2060 && code <= 0x2064)) {
    return { what: 'an invisible character', hint: 'delete it: it often comes along from a web page or a chat' };
  }
  if (QUOTES.test(c)) return { what: 'a quotation mark', hint: 'write the key without quotation marks' };
  if (c === '=') return { what: "an '=' before the end", hint: COPY_AGAIN };
  if (c === '.' || c === '\u2026')
    return { what: 'a dot', hint: 'a shortened key cannot be used; copy all 44 characters' };
  if (code < 0x20 || code === 0x7f) return { what: 'a control character', hint: COPY_AGAIN };
  if (code > 0x7f)
    return {
      what: 'a character from outside ASCII',
      hint: 'some letters of other alphabets look like Latin ones; copy the key again',
    };
  return { what: 'a character that base64 does not have', hint: COPY_AGAIN };
}

/** How a key reads where it was taken out before the file was shared. */
function isPlaceholder(text: string): boolean {
  const body = text.replace(/=/g, '');
  if (body.length > 60) return false;
  return /^(\(hidden\)|\(none\)|<.*>|\[.*\]|\{.*\}|\*+|\.+|[xX]{2,}|redacted|removed|hidden|secret|none)$/i.test(body);
}

/**
 * 44 characters of base64 to 32 bytes; `lenient` takes non-zero trailing bits, as Wireshark does. Trim before calling.
 * Neither `predicate` nor `hint` contains any part of the text.
 */
export function readKeyText(text: string, lenient = false): Result<Bytes, KeyFault> {
  const key = decodeKeyText(text, lenient);
  return key instanceof Uint8Array ? ok(key) : fail(explain(text));
}

function explain(text: string): KeyFault {
  if (text === '')
    return { kind: 'missing', predicate: 'has no value', hint: 'a key is 44 characters of base64', at: 0 };
  if (isPlaceholder(text)) {
    return {
      kind: 'placeholder',
      predicate: 'holds a placeholder instead of a key',
      hint: 'put the key in, or hand over the keys that are known',
      at: 0,
    };
  }
  if (QUOTES.test(text.charAt(0))) {
    return {
      kind: 'quoted',
      predicate: 'stands in quotation marks',
      hint: 'write the key without quotation marks',
      at: 0,
    };
  }
  if (/^[0-9a-fA-F]{64}$/.test(text)) {
    return {
      kind: 'hexadecimal',
      predicate: 'is written in hexadecimal',
      hint: 'write it in base64: xxd -r -p | base64',
      at: 0,
    };
  }
  const body = text.endsWith('=') ? text.slice(0, -1) : text;
  const strange = body.search(NOT_BASE64);
  const at = strange >= 0 ? strange : body.indexOf('=');
  if (at >= 0 && !(at === 43 && text.length > 44)) {
    const { what, hint } = describeCharacter(body.charAt(at));
    return { kind: 'character', predicate: `contains ${what}`, hint, at };
  }
  if (text.length === 43 && !text.endsWith('=')) {
    return {
      kind: 'length',
      predicate: "has 43 characters: the '=' at the end is missing",
      hint: "add '=' at the end",
      at: 43,
    };
  }
  if (text.length !== 44) {
    const hint =
      text.length > 44
        ? 'something was appended to the key, or it was pasted twice; copy all 44 characters'
        : 'part of the key is missing; copy all 44 characters';
    return {
      kind: 'length',
      predicate: `has ${text.length} character${text.length === 1 ? '' : 's'}, a key has 44`,
      hint,
      at: Math.min(text.length, 44),
    };
  }
  if (!text.endsWith('=')) return { kind: 'padding', predicate: "does not end with '='", hint: LOOK_ALIKES, at: 43 };
  return {
    kind: 'trailing-bits',
    predicate: "ends with a character that cannot stand before the '='",
    hint: LOOK_ALIKES,
    at: 42,
  };
}
