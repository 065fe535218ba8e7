/** Real peers in namespaces, one fault each, made on the spot: the diagnosis of what was captured is held against the truth. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { At } from '../../src/analyze/vantage.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import { judge } from '../scenarios/judge.ts';
import { bytesSource } from '../scenarios/lab.ts';
import { makeCapture } from './lab/make.ts';
import { SCENARIOS } from './lab/scenarios.ts';
import type { View } from './lab/truth.ts';
import { obstacle } from './obstacle.ts';

/** Short ones, of every kind: unanswered, answered in vain, damaged, crossing, well. */
const MADE: readonly string[] = [
  'psk-one-side',
  'admin-prohibited',
  'corrupted-initiation-index',
  'corrupted-response',
  'multihomed-reply',
  'both-initiate',
  'late-response',
  'ipv6-outer',
];
const AT: Readonly<Record<'both' | 'client' | 'server', At | undefined>> = {
  both: undefined,
  client: 'initiator',
  server: 'responder',
};

describe.skipIf(obstacle() !== undefined)('faults between real peers', () => {
  const output = mkdtempSync(join(tmpdir(), 'wgwhy-lab-'));

  beforeAll(async () => {
    const queue = SCENARIOS.filter(({ id }) => MADE.includes(id));
    const work = async (worker: number): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await makeCapture(next, output, `${process.pid % 1000}i${worker}`);
      }
    };
    await Promise.all([0, 1, 2].map(work));
  }, 300_000);

  afterAll(() => rmSync(output, { recursive: true, force: true }));

  test.each(MADE)('%s', async (id) => {
    const scenario = SCENARIOS.find((one) => one.id === id);
    if (scenario === undefined) throw new Error(`no scenario ${id}`);
    for (const vantage of ['both', 'client', 'server'] as const) {
      const view = scenario.truth[vantage];
      if (view !== undefined)
        expect({ vantage, wrong: await wrongIn(join(output, id), vantage, view) }).toEqual({ vantage, wrong: [] });
    }
  });
});

async function wrongIn(folder: string, vantage: 'both' | 'client' | 'server', view: View): Promise<string[]> {
  const files = readdirSync(folder).filter(
    (name) => /\.(pcap|conf)$/.test(name) && (vantage === 'both' || name.startsWith(`${vantage}.`)),
  );
  const sources = files
    .sort()
    .reverse()
    .map((name) => bytesSource(name, new Uint8Array(readFileSync(join(folder, name)))));
  const at = AT[vantage];
  const { report } = await diagnose(sources, { crypto: nodeCrypto, ...(at === undefined ? {} : { at }) });
  return judge(report, view);
}
