/** What became of the data of one capture: what was written, what was left out, and what does not open, with the reason. */
import { indexText } from '../analyze/merge.ts';
import type { Exchange, Seen } from '../analyze/timeline.ts';
import type { CaptureDamage } from '../capture/frame.ts';

/** Messages of one kind, and the first frames of them. */
export interface Tallied {
  count: number;
  readonly frames: number[];
}

export interface Unopened extends Tallied {
  readonly reason: string;
  /** Sessions that they belong to, as `0x…/0x…`; no more than {@link SESSIONS_KEPT}. */
  readonly sessions: Set<string>;
}

const FRAMES_KEPT = 5;
const SESSIONS_KEPT = 1000;
/** Reasons are of a few kinds; a bound on what a strange capture may fill. */
const REASONS_LIMIT = 100;

export class DecryptTally {
  frames = 0;
  /** Data messages, without copies of one datagram. */
  messages = 0;
  written = 0;
  writtenBytes = 0;
  keepalives = 0;
  /** Written, or would be: by why the receiver does not take them. */
  readonly refused = new Map<string, Tallied>();
  readonly leftOut = new Map<string, Tallied>();
  readonly unopened = new Map<string, Unopened>();
  damage: readonly CaptureDamage[] = [];
  /** The container has no times. */
  untimed = false;

  note(list: Map<string, Tallied>, what: string, { at }: Seen): void {
    let entry = list.get(what);
    if (entry === undefined) {
      entry = { count: 0, frames: [] };
      list.set(what, entry);
    }
    add(entry, at.frame);
  }

  closed(reason: string, seen: Seen, exchange: Exchange | undefined): void {
    const key = this.unopened.size < REASONS_LIMIT ? reason : 'for further reasons';
    let entry = this.unopened.get(key);
    if (entry === undefined) {
      entry = { reason: key, count: 0, frames: [], sessions: new Set() };
      this.unopened.set(key, entry);
    }
    add(entry, seen.at.frame);
    if (entry.sessions.size < SESSIONS_KEPT) entry.sessions.add(sessionText(seen, exchange));
  }

  get unopenedCount(): number {
    let total = 0;
    for (const { count } of this.unopened.values()) total += count;
    return total;
  }
}

function add(entry: Tallied, frame: number): void {
  entry.count++;
  if (entry.frames.length < FRAMES_KEPT && entry.frames.at(-1) !== frame) entry.frames.push(frame);
}

/** `0x30d037d8/0xab7df406`; one index alone where the handshake is not there. */
function sessionText({ receiver }: Seen, exchange: Exchange | undefined): string {
  const answer = exchange?.responses.at(-1);
  if (exchange === undefined || answer === undefined) return indexText(receiver);
  return `${indexText(exchange.initiatorIndex)}/${indexText(answer.seen.sender)}`;
}

/** The key that would open the data of a session, and why nothing less does. */
export interface Lacking {
  readonly key: string;
  readonly because?: string;
}

const TRAFFIC_KEY = 'a traffic key of the session (extract-keys)';

/** From what its handshake opened of itself. */
export function lackingFor(exchange: Exchange | undefined): Lacking {
  if (exchange === undefined) return { key: TRAFFIC_KEY, because: 'the handshake is not in the capture' };
  const { initiation, responses, sight } = exchange;
  if (initiation === undefined) {
    return { key: TRAFFIC_KEY, because: 'the initiation of the handshake is not in the capture' };
  }
  const answer = responses.findLast((one) => one.sight.handshakeOk !== undefined) ?? responses.at(-1);
  if (answer === undefined) return { key: TRAFFIC_KEY, because: 'the response of the handshake is not in the capture' };
  const { verdict, tried, handshakeOk, opensWith } = answer.sight;
  if (opensWith !== undefined) {
    return { key: TRAFFIC_KEY, because: 'the key of the session was given up to keep memory bounded' };
  }
  if (handshakeOk === false) {
    const without =
      tried === 1 ? '' : `, nor with ${tried === 2 ? 'the one PSK' : `any of the ${tried - 1} PSKs`} known`;
    return {
      key: 'the PSK of the handshake, or other keys of it',
      because: `its response does not open without a PSK${without}`,
    };
  }
  if (verdict.kind === 'refused')
    return { key: TRAFFIC_KEY, because: `the response is refused (${verdict.drop.kind})` };
  const missing = verdict.kind === 'undecided' ? verdict.missing : [];
  const deeper =
    sight?.verdict.kind === 'undecided' && missing[0] === 'an initiation that opens' ? sight.verdict.missing : missing;
  return { key: deeper.join(', ') };
}

/** As a reason why data stays closed. */
export function whyClosed(exchange: Exchange | undefined): string {
  const { key, because } = lackingFor(exchange);
  return `missing: ${key}${because === undefined ? '' : `; ${because}`}`;
}
