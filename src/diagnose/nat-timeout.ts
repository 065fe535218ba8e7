/** How long a NAT keeps a mapping, as a capture shows it, and the keepalive that is short enough. */
import type { Silence } from '../analyze/timeline.ts';
import { placeOf } from './config-evidence.ts';
import { secondsOf, targetName } from './data-evidence.ts';
import type { Edit } from './edit.ts';
import type { TunnelEnd } from './inner-evidence.ts';
import type { TunnelSilence } from './silence-evidence.ts';

/** What wg(8) recommends, seconds: below most timeouts. */
const USUAL_KEEPALIVE = 25;
const LEAST_KEEPALIVE = 5;

/** Timeouts in use: Linux net.netfilter, RouterOS connection tracking, the documentation of AWS. */
const USUAL: readonly (readonly [seconds: number, where: string])[] = [
  [10, '10 s: RouterOS udp-timeout in many exports'],
  [30, '30 s: Linux and RouterOS for UDP that goes one way'],
  [120, '120 s: Linux for UDP that goes both ways'],
  [180, '180 s: RouterOS udp-stream-timeout, Linux before 5.0'],
];

export interface NatTimeout {
  /** It lives longer than this, seconds; 0: nothing shows it. */
  readonly over: number;
  /** It is gone after this, seconds. */
  readonly within: number;
  /** A PersistentKeepalive that keeps it, seconds. */
  readonly keepalive: number;
}

/** Between the longest pause that this end survived for the same asker, and the one that it did not. */
export function natTimeout(silence: Silence, all: readonly TunnelSilence[]): NatTimeout {
  const target = targetName(silence);
  const same = all
    .map((each) => each.silence)
    .filter((one) => one.senderName === silence.senderName && targetName(one) === target);
  const within = secondsOf(silence.idleMs);
  const over = secondsOf(same.reduce((most, { survivedMs }) => Math.max(most, survivedMs), silence.survivedMs));
  // a pause that was survived once and not another time tells of something else as well
  const known = over < within ? over : 0;
  return { over: known, within, keepalive: keepaliveFor(within) };
}

function keepaliveFor(within: number): number {
  if (within > USUAL_KEEPALIVE + LEAST_KEEPALIVE) return USUAL_KEEPALIVE;
  return Math.max(LEAST_KEEPALIVE, Math.floor((within * 0.6) / LEAST_KEEPALIVE) * LEAST_KEEPALIVE);
}

/** `it forgets after more than 8 s and at most 38 s without traffic (30 s: …)` */
export function timeoutNote({ over, within }: NatTimeout): string {
  const fits = USUAL.filter(([seconds]) => seconds > over && seconds <= within).map(([, where]) => where);
  const least = over > 0 ? `more than ${over} s and ` : '';
  return `by this capture the NAT forgets after ${least}at most ${within} s without traffic${fits.length === 0 ? '' : ` (${fits.join('; ')})`}`;
}

/** The shortest timeout in use, where nothing rules it out: then the keepalive may not be enough. */
export function keepaliveDoubt({ over, keepalive }: NatTimeout): string {
  const [shortest = 0] = USUAL[0] ?? [];
  return over < shortest && keepalive >= shortest
    ? `   (if that does not hold it: ${shortest - 2}, some NATs forget after ${shortest} s)`
    : '';
}

/** What the file of the end behind the NAT says of keepalives for the other one, and the line as it should be. */
export function keepaliveSet(
  behind: TunnelEnd,
  other: TunnelEnd,
  { keepalive }: NatTimeout,
): { readonly note: string | undefined; readonly edits: readonly Edit[] } {
  const { entry } = behind;
  const peer = other.key === undefined ? undefined : entry?.peers.get(other.key.text);
  if (entry === undefined || peer === undefined) return { note: undefined, edits: [] };
  const set = peer.persistentKeepalive;
  const text = `PersistentKeepalive = ${keepalive}`;
  if (set === undefined || set.value === 0) {
    const where = `${placeOf(entry, set?.line ?? peer.line)} sets no PersistentKeepalive`;
    if (entry.origin.kind !== 'wg-quick') return { note: where, edits: [] };
    const line = set?.line ?? peer.publicKey?.line ?? peer.line;
    return {
      note: where,
      edits: [{ input: entry.input, line, kind: set === undefined ? 'insert-after' : 'replace', text }],
    };
  }
  const where = `${placeOf(entry, set.line)} has PersistentKeepalive = ${set.value}`;
  if (set.value <= keepalive)
    return { note: `${where}, which should have kept it: that end was down, or this file is not what ran`, edits: [] };
  const edits: Edit[] =
    entry.origin.kind === 'wg-quick' ? [{ input: entry.input, line: set.line, kind: 'replace', text }] : [];
  return { note: `${where}, which is too seldom`, edits };
}
