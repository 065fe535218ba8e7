/** A capture of some hundred megabytes, made while it is read: memory stays bounded, and the numbers are right. */
import { expect, test } from 'vitest';
import { diagnose } from '../../src/report/diagnose.ts';
import { bigCapture, type BigCapture, expected } from './big-capture.ts';

const MIB = 1024 * 1024;
const BIG: BigCapture = { peers: 500, rounds: 200, data: 2, size: 1452, lossEvery: 10 };

test('300 MB with 100,000 handshakes', { timeout: 60_000 }, async () => {
  const { bytes, frames, sessions, lost } = expected(BIG);
  expect(bytes).toBeGreaterThan(300e6);
  const before = process.memoryUsage();
  let greatest = 0;
  let seen = 0;
  const t = performance.now();
  const { report } = await diagnose([{ name: 'big.pcap', open: () => bigCapture(BIG) }], {
    at: 'responder',
    onProgress: ({ frames: so }) => {
      seen = so;
      if (so % 5 === 0) greatest = Math.max(greatest, process.memoryUsage().heapUsed);
    },
  });
  console.log(performance.now() - t, (greatest - before.heapUsed) / MIB, (process.memoryUsage().rss - before.rss) / MIB, report.findings.map((f) => [f.rule, f.facts]), report.counts);
  expect(seen).toBe(frames);
  expect(report.counts.frames).toBe(frames);
});
