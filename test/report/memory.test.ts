/** A capture of some hundred megabytes, made while it is read: memory stays bounded, and the numbers are right. */
import { expect, test } from 'vitest';
import { type BigCapture, expected } from './big-capture.ts';
import { diagnoseBig } from './measured.ts';

/** test/long has one with more handshakes than are kept. */
const BIG: BigCapture = { peers: 200, rounds: 60, data: 2, size: 12_452, lossEvery: 7 };

test('300 MB with 12,000 handshakes', { timeout: 90_000 }, async () => {
  expect(expected(BIG).bytes).toBeGreaterThan(300e6);
  expect(await diagnoseBig(BIG)).toBeLessThan(110);
});
