/** Echoes through an open tunnel, one a second, and how many came back. */
import type { IpBytes } from '../base/address.ts';
import { type Bytes, u16be } from '../base/bytes.ts';
import type { Drop } from '../wg/drop.ts';
import type { Random } from '../wg/random.ts';
import type { Verdict } from '../wg/step.ts';
import type { Clock } from './clock.ts';
import { type EchoAnswer, echoRequest, leastEchoSize, readEchoAnswer } from './echo.ts';

export interface PingListener {
  readonly onPacket?: (packet: Bytes) => void;
  readonly onDrop?: (drop: Drop) => void;
  /** An ICMP error says that an outer packet was too large for the path. */
  readonly onTooLarge?: () => void;
}

/** A tunnel as this file needs it; one listener at a time. */
export interface PingLine {
  readonly clock: Clock;
  readonly random: Random;
  send(packet: Bytes): Verdict;
  listen(listener: PingListener): void;
}

export interface PingPlan {
  readonly from: IpBytes;
  readonly to: IpBytes;
  readonly count: number;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** Round trips in milliseconds, in the order of arrival. */
  readonly timesMs: readonly number[];
  /** ICMP errors from inside, each sender and kind once. */
  readonly errors: readonly Extract<EchoAnswer, { readonly kind: 'error' }>[];
  /** Packets that came out of the tunnel and were refused: the far end sends what our AllowedIPs do not cover. */
  readonly refused: readonly Drop[];
}

const EVERY_MS = 1000;
/** For the last one. */
const WAIT_MS = 2000;
/** As ping sends without being told otherwise: 56 bytes of data. */
const DATA_BYTES = 56;
const MOST_TOLD = 10;

export function freshEchoId(random: Random): number {
  const id = new Uint8Array(2);
  random(id, 'jitter');
  return u16be(id, 0);
}

export async function ping({ clock, random, send, listen }: PingLine, plan: PingPlan): Promise<PingResult> {
  const { from, to, count } = plan;
  const id = freshEchoId(random);
  const sentAtMs = new Map<number, number>();
  const timesMs: number[] = [];
  const errors: Extract<EchoAnswer, { readonly kind: 'error' }>[] = [];
  const refused: Drop[] = [];
  const tell = (drop: Drop): void => {
    if (refused.length < MOST_TOLD) refused.push(drop);
  };
  let wake: (() => void) | undefined;
  const onPacket = (packet: Bytes): void => {
    const answer = readEchoAnswer(packet, { to, id });
    if (answer?.kind === 'error' && errors.length < MOST_TOLD) errors.push(answer);
    if (answer?.kind !== 'reply') return;
    const atMs = sentAtMs.get(answer.sequence);
    if (atMs === undefined || !sentAtMs.delete(answer.sequence)) return;
    timesMs.push(clock.now().monoMs - atMs);
    if (sentAtMs.size === 0) wake?.();
  };
  listen({ onPacket, onDrop: tell });
  for (let sequence = 1; sequence <= count; sequence++) {
    const { monoMs } = clock.now();
    sentAtMs.set(sequence, monoMs);
    const verdict = send(echoRequest({ from, to, id, sequence, size: leastEchoSize(to.length) + DATA_BYTES }));
    if (verdict.kind === 'refused') tell(verdict.drop);
    const last = sequence === count;
    await new Promise<void>((resolve) => {
      const callOff = clock.at(monoMs + (last ? WAIT_MS : EVERY_MS), resolve);
      wake = () => {
        if (!last) return;
        callOff();
        resolve();
      };
      if (sentAtMs.size === 0) wake();
    });
  }
  listen({});
  return { sent: count, received: timesMs.length, timesMs, errors: distinct(errors), refused };
}

function distinct<T>(list: readonly T[]): T[] {
  return [...new Map(list.map((one) => [JSON.stringify(one), one])).values()];
}
