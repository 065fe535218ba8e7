/** Whether an opened initiation is new enough: replay and flood, decided from a record that whoever keeps it commits. */
import type { PublicKey } from '../base/keys.ts';
import { INITIATION_MIN_GAP_MS } from './constants.ts';
import type { Drop } from './drop.ts';
import { compareTai64n, TAI64N_ZERO, type Tai64n } from './tai64n.ts';

/** What is kept per peer about the initiations accepted from it; it outlives sessions and zeroed keys. */
export interface TimestampGate {
  readonly greatest: Tai64n;
  /** When the last one was accepted, milliseconds of the keeper's monotonic clock; undefined before the first. */
  readonly acceptedAtMs: number | undefined;
}

export const FRESH_GATE: TimestampGate = { greatest: TAI64N_ZERO, acceptedAtMs: undefined };

/** Where implementations differ. */
export interface FloodRule {
  /** 0 for no such check (boringtun, gotatun). */
  readonly minGapMs: number;
  /** Is a gap of exactly `minGapMs` refused? The kernel takes it, wireguard-go does not. */
  readonly refusesExactGap: boolean;
}

export const KERNEL_FLOOD_RULE: FloodRule = { minGapMs: INITIATION_MIN_GAP_MS, refusesExactGap: false };

/** The timestamp first, then the gap (kernel noise.c; wp §5.1 for the timestamp). undefined when it may pass. */
export function refuseTimestamp(
  gate: TimestampGate,
  identity: PublicKey,
  timestamp: Tai64n,
  nowMs: number,
  rule: FloodRule = KERNEL_FLOOD_RULE,
): Drop | undefined {
  if (compareTai64n(timestamp, gate.greatest) <= 0) {
    return { kind: 'timestamp-replayed', identity, received: timestamp, greatest: gate.greatest };
  }
  if (gate.acceptedAtMs === undefined || rule.minGapMs === 0) return undefined;
  const gapMs = nowMs - gate.acceptedAtMs;
  const tooSoon = rule.refusesExactGap ? gapMs <= rule.minGapMs : gapMs < rule.minGapMs;
  return tooSoon ? { kind: 'initiation-flood', identity, gapMs } : undefined;
}

/** The record after an initiation was accepted. */
export function gateAfter(timestamp: Tai64n, nowMs: number): TimestampGate {
  return { greatest: timestamp, acceptedAtMs: nowMs };
}
