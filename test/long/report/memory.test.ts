/** More handshakes than are kept: memory is flat from then on. */
import { expect, test } from 'vitest';
import { EXCHANGES_LIMIT } from '../../../src/analyze/exchange-table.ts';
import { type BigCapture, expected } from '../../report/big-capture.ts';
import { diagnoseBig } from '../../report/measured.ts';

const BIG: BigCapture = { peers: 500, rounds: 200, data: 2, size: 1452, lossEvery: 7 };

test('300 MB with 100,000 handshakes', { timeout: 300_000 }, async () => {
  expect(expected(BIG).bytes).toBeGreaterThan(300e6);
  expect(expected(BIG).sessions).toBeGreaterThan(1.5 * EXCHANGES_LIMIT);
  expect(await diagnoseBig(BIG)).toBeLessThan(350);
});
