/** Diagnoses a made-up capture and weighs memory on the way. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { EXCHANGES_LIMIT } from '../../src/analyze/exchange-table.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import { type BigCapture, bigCapture, expected } from './big-capture.ts';

const MIB = 1024 * 1024;
const SAMPLES = 6;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes that are reachable: without what only waits for the collector, so that the figure is the same each time. */
function reachable(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The numbers are right, and what is kept stays below what the kept handshakes may cost: gives its peak in MiB. */
export async function diagnoseBig(capture: BigCapture): Promise<number> {
  const { frames, sessions, lost } = expected(capture);
  const before = reachable();
  const samples: number[] = [];
  const { report } = await diagnose([{ name: 'big.pcap', open: () => bigCapture(capture) }], {
    at: 'responder',
    onProgress: (progress) => {
      if (progress.frames >= (frames * (samples.length + 1)) / SAMPLES) samples.push((reachable() - before) / MIB);
    },
  });
  expect(samples.length).toBe(SAMPLES);
  const peak = Math.max(...samples);
  // 6.5 KiB for a handshake that is kept, with its session, and 25 MiB for the rest
  expect(peak).toBeLessThan((Math.min(sessions, EXCHANGES_LIMIT) * 6.5) / 1024 + 25);

  const { counts, findings, problems } = report;
  expect(counts.frames).toBe(frames);
  expect(counts.datagrams).toBe(frames);
  expect(counts.messages).toEqual({
    initiation: sessions,
    response: sessions,
    'cookie-reply': 0,
    data: 2 * capture.data * sessions,
  });
  expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(/^\d+ older .* folded away/)]);
  // of the sessions that are kept: the share is that of all
  const [loss] = findings.filter(({ rule }) => rule === 'packet-loss');
  const share = (100 * lost) / (sessions * capture.data + lost);
  expect(Math.abs(Number(loss?.facts['percent']) - share)).toBeLessThan(1.5);
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return peak;
}
