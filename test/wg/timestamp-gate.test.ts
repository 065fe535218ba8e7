/** Replay and flood of initiations: the order of the two checks and the exact edge of the second. */
import { expect, test } from 'vitest';
import { publicKey } from '../../src/base/keys.ts';
import { tai64n, tai64nFromUnix } from '../../src/wg/tai64n.ts';
import { FRESH_GATE, gateAfter, KERNEL_FLOOD_RULE, refuseTimestamp } from '../../src/wg/timestamp-gate.ts';

const identity = publicKey(new Uint8Array(32).fill(7));
const at = (sec: number) => tai64nFromUnix({ sec, nsec: 0 }, { base: 10, whiten: true });
const GO = { minGapMs: 20, refusesExactGap: true };
const NONE = { minGapMs: 0, refusesExactGap: true };
const gate = gateAfter(at(100), 5000);

const rows = [
  ['fresh', FRESH_GATE, at(100), 0, KERNEL_FLOOD_RULE, undefined],
  ['fresh, a zero timestamp', FRESH_GATE, tai64n(new Uint8Array(12)), 0, KERNEL_FLOOD_RULE, 'timestamp-replayed'],
  ['newer, later', gate, at(101), 6000, KERNEL_FLOOD_RULE, undefined],
  ['the same', gate, at(100), 6000, KERNEL_FLOOD_RULE, 'timestamp-replayed'],
  ['older', gate, at(99), 6000, KERNEL_FLOOD_RULE, 'timestamp-replayed'],
  ['older and too soon: the timestamp is told', gate, at(99), 5001, KERNEL_FLOOD_RULE, 'timestamp-replayed'],
  ['newer, 19.999 ms', gate, at(101), 5019.999, KERNEL_FLOOD_RULE, 'initiation-flood'],
  ['newer, exactly 20 ms, kernel', gate, at(101), 5020, KERNEL_FLOOD_RULE, undefined],
  ['newer, exactly 20 ms, wireguard-go', gate, at(101), 5020, GO, 'initiation-flood'],
  ['newer, 20.001 ms, wireguard-go', gate, at(101), 5020.001, GO, undefined],
  ['newer, at once, boringtun', gate, at(101), 5000, NONE, undefined],
  ['the same, boringtun', gate, at(100), 6000, NONE, 'timestamp-replayed'],
] as const;

test.each(rows)('%s', (_, gate, timestamp, nowMs, rule, wanted) => {
  expect(refuseTimestamp(gate, identity, timestamp, nowMs, rule)?.kind).toBe(wanted);
});

test('a refusal carries its facts', () => {
  expect(refuseTimestamp(gate, identity, at(99), 6000)).toEqual({
    kind: 'timestamp-replayed',
    identity,
    received: at(99),
    greatest: at(100),
  });
  expect(refuseTimestamp(gate, identity, at(101), 5010)).toEqual({ kind: 'initiation-flood', identity, gapMs: 10 });
});
