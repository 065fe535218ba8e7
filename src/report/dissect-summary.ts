/** One line for each message: what it is, whose, and what became of it. */
import { indexText } from '../analyze/merge.ts';
import type { CookieSight, InitiationSight, ResponseSight, Verdict } from '../analyze/sight.ts';
import type { Seen } from '../analyze/timeline.ts';
import { formatTime } from '../base/time.ts';
import { DATA_MIN_BYTES } from '../wg/message/data.ts';
import { describeTai64n } from '../wg/tai64n.ts';
import type { DataFacts } from './dissect-data.ts';
import { msText } from './dissect-handshake.ts';
import type { KeyWords } from './dissect-keys.ts';

export function initiationSummary(
  seen: Seen,
  { mac1, identity, timestamp, verdict }: InitiationSight,
  words: KeyWords,
): string {
  const parts = [indexText(seen.sender)];
  if (mac1.kind === 'known') parts.push(`for ${words.name(mac1.key.key)}`);
  else if (mac1.kind === 'none') parts.push('for a key that is not here');
  if (identity !== undefined) parts.push(`from ${words.name(identity)}`);
  if (timestamp !== undefined) {
    const { time, offsetMs } = describeTai64n(timestamp, seen.at.time.sec === 0 ? undefined : seen.at.time);
    parts.push(`stamped ${offsetMs === undefined ? formatTime(time) : offsetText(offsetMs)}`);
  }
  // it is open: what a responder would do with it is another question
  if (timestamp !== undefined && verdict.kind === 'undecided') return `initiation ${parts.join(', ')}; opened`;
  return said('initiation', parts, verdict, words);
}

const offsetText = (ms: number): string => `${ms < 0 ? '' : '+'}${msText(ms)}`;

export function responseSummary(seen: Seen, sight: ResponseSight, asked: Seen | undefined, words: KeyWords): string {
  const parts = [`${indexText(seen.sender)} to ${indexText(seen.receiver)}`, answers(asked)];
  if (sight.mac1.kind === 'known') parts.push(`for ${words.name(sight.mac1.key.key)}`);
  if (sight.opensWith !== undefined) parts.push(`opens with ${sight.opensWith.where}`);
  return said('response', parts, sight.verdict, words);
}

export function cookieSummary(
  seen: Seen,
  sight: CookieSight | undefined,
  asked: Seen | undefined,
  words: KeyWords,
): string {
  const parts = [`to ${indexText(seen.receiver)}`, answers(asked)];
  if (sight?.opened === true) parts.push('opens');
  return said('cookie reply', parts, sight?.verdict ?? { kind: 'undecided', missing: [] }, words);
}

const answers = (asked: Seen | undefined): string =>
  asked === undefined ? 'answers nothing in this capture' : `answers frame ${asked.at.frame}`;

function said(what: string, parts: readonly string[], verdict: Verdict, words: KeyWords): string {
  const head = `${what} ${parts.join(', ')}`;
  if (verdict.kind === 'accepted') return `${head}; accepted`;
  if (verdict.kind === 'refused') return `${head}; refused: ${words.drop(verdict.drop)}`;
  return verdict.missing.length === 0 ? head : `${head}; missing ${verdict.missing.join(', ')}`;
}

export function dataSummary({ seen, opened, inner }: DataFacts): string {
  const head = `data to ${indexText(seen.receiver)}, counter ${seen.counter}`;
  const keepalive = seen.length === DATA_MIN_BYTES;
  const what = keepalive
    ? 'keepalive'
    : (inner?.summary ?? `${Math.max(0, seen.length - DATA_MIN_BYTES)} bytes sealed`);
  if (opened?.verdict === 'refused') return `${head}, ${what}; refused: ${opened.drop ?? ''}`;
  return opened?.verdict === 'accepted' ? `${head}, ${what}; accepted` : `${head}, ${what}`;
}
