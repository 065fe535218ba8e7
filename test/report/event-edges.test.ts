/** Events at the edges of their numbers: counters that no session reaches, and times that no clock shows. */
import { expect, test } from 'vitest';
import { formatTime } from '../../src/base/time.ts';
import { dateText } from '../../src/diagnose/evidence.ts';
import { COLUMNS, type RowEvent } from '../../src/report/event-columns.ts';
import { exactCounter } from '../../src/report/frame-events.ts';

const seen = (counter: bigint): Parameters<typeof exactCounter>[0] => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigUint64(8, counter, true);
  return { counter: Number(counter), bytes } as Parameters<typeof exactCounter>[0];
};

test.each([0n, 1n, 2n ** 31n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 8193n, 2n ** 64n - 1n])(
  'the counter %s',
  (counter) => {
    expect(exactCounter(seen(counter))).toBe(counter);
  },
);

const TIMES = [0, 1_700_000_000, -62_135_596_800, 253_402_300_800, 2 ** 53, -(2 ** 53), 9.2e12, 9.3e12];

test.each(TIMES)('a row and a date of a frame %d seconds after 1970', (sec) => {
  const time = { sec, nsec: 999_999_999 };
  const at = { input: 'a', frame: 1, time: formatTime(time) };
  const row: RowEvent = { schema: 'wgwhy/event/1', event: 'frame-skipped', at, reason: 'r', detail: '' };
  const value = COLUMNS.find(({ name }) => name === 'time')?.of(row);
  const fits = Math.abs(sec) < 9.22e12;
  expect(value).toBe(fits ? BigInt(sec) * 1_000_000n + 999_999n : undefined);
  expect(dateText(time)).toMatch(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|@-?\d+)$/);
});
