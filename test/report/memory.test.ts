/** A capture of some hundred megabytes, made while it is read: memory stays bounded, and the numbers are right. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { EXCHANGES_LIMIT } from '../../src/analyze/tracker.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import { type BigCapture, bigCapture, expected } from './big-capture.ts';

const MIB = 1024 * 1024;
const BIG: BigCapture = { peers: 500, rounds: 120, data: 2, size: 2452, lossEvery: 7 };
const SAMPLES = 6;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes that are reachable: without what only waits for the collector, so that the figure is the same each time. */
function reachable(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('300 MB, 60,000 handshakes, more than are kept', { timeout: 90_000 }, async () => {
  const { bytes, frames, sessions, lost } = expected(BIG);
  expect(bytes).toBeGreaterThan(300e6);
  expect(sessions).toBeGreaterThan(EXCHANGES_LIMIT);

  const before = reachable();
  const samples: number[] = [];
  const { report } = await diagnose([{ name: 'big.pcap', open: () => bigCapture(BIG) }], {
    at: 'responder',
    onProgress: (progress) => {
      if (progress.frames >= (frames * (samples.length + 1)) / SAMPLES) samples.push((reachable() - before) / MIB);
    },
  });

  expect(samples.length).toBe(SAMPLES);
  expect(Math.max(...samples)).toBeLessThan(350);
  // flat once the limits are reached
  const [earlier = 0, end = 0] = samples.slice(-2);
  expect(end).toBeLessThan(earlier * 1.1);

  const { counts, findings, problems } = report;
  expect(counts.frames).toBe(frames);
  expect(counts.datagrams).toBe(frames);
  expect(counts.messages).toEqual({
    initiation: sessions,
    response: sessions,
    'cookie-reply': 0,
    data: 2 * BIG.data * sessions,
  });
  expect(problems).toEqual([]);
  // of the sessions that are kept: the share is that of all
  const [loss] = findings.filter(({ rule }) => rule === 'packet-loss');
  const share = (100 * lost) / (sessions * BIG.data + lost);
  expect(Math.abs(Number(loss?.facts['percent']) - share)).toBeLessThan(1.5);
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
});
