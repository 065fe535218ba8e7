/** What `decrypt` says beside its output: what was written, what was left out and why, what does not open and what it takes. */
import type { DecryptedCapture, Decryption } from '../report/decrypt.ts';
import type { Tallied, Unopened } from '../report/decrypt-tally.ts';
import { count } from '../report/text-verdict.ts';
import { sanitise, wrap } from '../report/text-wrap.ts';

/** By why they are not written, or why their receiver does not take them. */
const REASONS: Readonly<Record<string, string>> = {
  copy: 'further views of one datagram (other interface, other side of a NAT)',
  'counter-replayed': 'counters that came before: the receiver drops them',
  'counter-too-old': 'counters behind the window: the receiver drops them',
  'counter-exhausted': 'counters beyond the last one: the receiver drops them',
  'inner-too-short': 'no whole IP packet inside',
  'inner-version': 'neither IPv4 nor IPv6 inside',
  'inner-length': 'an inner packet that claims more bytes than there are',
  'source-not-allowed': 'a source that AllowedIPs of the receiver do not give to this peer',
};
/** These `--all` writes too. */
const ON_REQUEST: ReadonlySet<string> = new Set(['copy', 'counter-replayed', 'counter-too-old', 'counter-exhausted']);

const WHAT_OPENS =
  'data opens with an ephemeral and the static private key of one end and the public key of the other, as a key log has them (wgwhy up CONF --key-log FILE, extract-handshakes), or with the traffic keys of the session (extract-keys); wgwhy keys FILE... tells more';

/** Others were cut, or altered on the way: no key would help. */
const needsKeys = ({ reason }: Unopened): boolean => reason.startsWith('missing: ');

export interface Destinations {
  readonly inner: string | undefined;
  readonly outer: string | undefined;
}

export function decryptText(decryption: Decryption, { inner, outer }: Destinations, width: number): string {
  const lines: string[] = [];
  for (const capture of decryption.captures) lines.push(...captureLines(capture, width));
  if (decryption.captures.some(({ tally }) => [...tally.unopened.values()].some(needsKeys))) {
    lines.push(...wrap(WHAT_OPENS, width, '  - '));
  }
  for (const { input, line, column, message, hint } of decryption.problems) {
    const place = [input, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
    lines.push(...wrap(sanitise(`${place}: ${message}`), width, '  - ', '    '));
    if (hint !== undefined) lines.push(...wrap(sanitise(hint), width, '    hint: ', '    '));
  }
  const { packets, interfaces } = decryption.inner;
  const on = interfaces > 1 ? ` on ${interfaces} interfaces, one for each direction` : '';
  if (inner !== undefined) lines.push(`${name(inner)}: ${count(packets, 'packet')}${packets === 0 ? '' : on}`);
  if (outer !== undefined) lines.push(...outerLines(name(outer), decryption, width));
  return lines.map((line) => `${line}\n`).join('');
}

const name = (path: string): string => (path === '-' ? 'standard output' : sanitise(path));

function captureLines({ label, tally }: DecryptedCapture, width: number): string[] {
  const { frames, messages, written, keepalives, unopenedCount } = tally;
  const what =
    messages === 0
      ? `no data message of WireGuard in ${count(frames, 'frame')}`
      : `${count(messages, 'data message')}: ${count(written, 'inner packet')}, ${count(keepalives, 'keepalive')}, ${unopenedCount} not opened`;
  const lines = wrap(sanitise(`${label}: ${what}`), width, '', '  ');
  for (const entry of tally.unopened.values()) lines.push(...bullet(unopened(entry), width));
  for (const [reason, entry] of tally.leftOut) {
    const more = ON_REQUEST.has(reason) ? ' (--all writes them)' : '';
    lines.push(...bullet(`${entry.count} left out: ${REASONS[reason] ?? reason}${more}${at(entry)}`, width));
  }
  for (const [reason, entry] of tally.refused) {
    lines.push(...bullet(`${entry.count} written all the same: ${REASONS[reason] ?? reason}${at(entry)}`, width));
  }
  for (const { message, offset, framesBefore, resumedAt } of tally.damage) {
    const then = resumedAt === undefined ? 'nothing could be read after it' : `reading went on at byte ${resumedAt}`;
    lines.push(
      ...bullet(`damaged: ${message} (byte ${offset}, after ${count(framesBefore, 'frame')}); ${then}`, width),
    );
  }
  if (tally.untimed) lines.push(...bullet('it has frames without a time: their inner packets stand at 1970', width));
  return lines;
}

const bullet = (text: string, width: number): string[] => wrap(sanitise(text), width, '  - ', '    ');

function unopened(entry: Unopened): string {
  const [first, ...others] = entry.sessions;
  const whose =
    first === undefined ? '' : ` of ${others.length === 0 ? `session ${first}` : `${entry.sessions.size} sessions`}`;
  return `${entry.count} not opened${whose}: ${entry.reason}${at(entry)}`;
}

/** Where to look first. */
function at({ count: total, frames }: Tallied): string {
  const more = total > frames.length ? ', …' : '';
  return `; ${frames.length === 1 && more === '' ? 'frame' : 'frames'} ${frames.join(', ')}${more}`;
}

function outerLines(path: string, { captures, outer }: Decryption, width: number): string[] {
  const { frames, initiations, responses, holdsPrivate } = outer;
  const why = captures.some(({ tally }) => tally.written + tally.keepalives > 0)
    ? 'a secrets block has no place for traffic keys'
    : 'no key that is known opens a handshake of it';
  const what =
    initiations + responses === 0
      ? `${count(frames, 'frame')}, without secrets: ${why}`
      : `${count(frames, 'frame')}, with the secrets that open ${count(initiations, 'initiation')}${responses === 0 ? '' : `, ${count(responses, 'response')} and the data after them`}`;
  const lines = wrap(`${path}: ${what}`, width, '', '  ');
  if (holdsPrivate) {
    lines.push(
      ...wrap(
        'it holds a static private key: whoever gets the file can read the tunnel of then, and act as its owner now; replace that key before sharing it',
        width,
        '  ! ',
        '    ',
      ),
    );
  }
  return lines;
}
