/** Every capture of the lab, judged after each of its frames and in each second of silence. */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { diagnose } from '../../../src/report/diagnose.ts';
import { playLab, told } from '../../report/live-feed.ts';
import { bytesSource, LAB_CASES, labFile } from '../../scenarios/lab.ts';

const all = LAB_CASES.map((one) => [one.id, one] as const);

describe.each(['every-frame', 'real-time'] as const)('%s', (pace) => {
  test.each(all)('%s', async (_, one) => {
    const { report, events } = await playLab(one, { pace, settleMs: 0 });
    const at = one.at === undefined ? {} : { at: one.at };
    const sources = one.files.map((file) => bytesSource(file, labFile(file)));
    expect(report).toEqual((await diagnose(sources, { crypto: nodeCrypto, ...at })).report);
    if (one.view.first.some((rule) => rule !== null)) return;
    expect(told(events).filter((line) => line.startsWith('+ error'))).toEqual([]);
  });
});
