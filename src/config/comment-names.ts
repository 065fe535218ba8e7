/** The names people give peers in comments: `# Name = phone`, `### Client phone`, `# phone`; never a commented-out key. */
import { trimmed } from './text.ts';
import { AMNEZIA_SETTINGS, INTERFACE_SETTINGS, PEER_SETTINGS } from './wg-names.ts';

export interface CommentName {
  readonly name: string;
  /** Said to be a name, not merely standing there. */
  readonly explicit: boolean;
}

const LONGEST = 64;
/** Longer runs of base64 may be a key that was commented out. */
const KEY_LIKE = /[A-Za-z0-9+/]{20}/;
const LABEL = /^(?:friendly[_-]?name|name|client|peer|user|device|BEGIN_PEER|description)(?: *[:=] *| +)(.+)$/i;

/** `text` follows the first `#`. */
export function commentName(text: string): CommentName | undefined {
  let start = 0;
  while (text.charAt(start) === '#') start++;
  const body = trimmed(text, start).text;
  if (body === '' || body.length > LONGEST || KEY_LIKE.test(body) || !/[\p{L}\p{N}]/u.test(body)) return undefined;
  if (/[\u0000-\u001f\u007f-\u009f]/.test(body) || /^END_PEER\b|^\[/.test(body)) return undefined;
  const equals = body.indexOf('=');
  if (equals >= 0) {
    const key = trimmed(body, 0, equals).text.toLowerCase();
    if (INTERFACE_SETTINGS.has(key) || PEER_SETTINGS.has(key) || AMNEZIA_SETTINGS.has(key)) return undefined;
  }
  const label = LABEL.exec(body);
  if (label !== null) return { name: label[1] ?? body, explicit: true };
  // Some other `word = value`: a setting of another program, not a name.
  return equals >= 0 ? undefined : { name: body, explicit: false };
}
