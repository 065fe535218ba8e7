/** Times moved by whole seconds: in captures and in the timestamps of initiations alike, so that offsets stay. */
import { putU32be, u64be } from '../../base/bytes.ts';
import type { Time } from '../../base/time.ts';
import { type Tai64n, tai64n } from '../../wg/tai64n.ts';

export function shifted(timestamp: Tai64n, sec: number): Tai64n {
  const label = BigInt.asUintN(64, u64be(timestamp, 0) + BigInt(sec));
  const out = timestamp.slice();
  putU32be(out, 0, Number(label >> 32n));
  putU32be(out, 4, Number(label & 0xffff_ffffn));
  return tai64n(out);
}

export function shiftedTime(time: Time | undefined, sec: number): Time | undefined {
  return time === undefined ? undefined : { sec: time.sec + sec, nsec: time.nsec };
}
