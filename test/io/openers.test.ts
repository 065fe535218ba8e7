/** The thread of a helper, bundled as the command has it: it opens what is offered, and ends when it is told to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Desk } from '../../src/crypto/ahead/desk.ts';
import { jobAt, STATE, wordsOf } from '../../src/crypto/ahead/layout.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { openers } from '../../src/io/openers.ts';
import { counting } from '../crypto/backends.ts';

let folder = '';
let thread: URL;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wgwhy-openers-'));
  const bundle = await rolldown({
    input: fileURLToPath(new URL('../../src/io/opener-thread.ts', import.meta.url)),
    platform: 'node',
  });
  const file = join(folder, 'opener-thread.mjs');
  await bundle.write({ file, format: 'esm' });
  thread = pathToFileURL(file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KEY = counting(32);
/** Of this many messages, every fifth does not open. */
const MESSAGES = 400;
const LONGEST_WAIT_MS = 30_000;

test(
  'two threads open what one reader offers',
  async () => {
    const workers: Worker[] = [];
    let memory: SharedArrayBuffer | undefined;
    const desk = new Desk(0, (shared) => {
      memory = shared;
      for (let i = 0; i < 2; i++) workers.push(new Worker(thread, { workerData: shared }));
    });
    const ended = (): Promise<unknown> =>
      Promise.all(workers.map((one) => new Promise((done) => one.on('exit', done))));
    while (!desk.begin(1)) await new Promise((done) => setImmediate(done));
    const words = wordsOf(memory ?? expect.fail());
    const key = desk.key(KEY);
    for (let batch = 0; batch < 3; batch++) {
      const offered = Array.from({ length: MESSAGES }, (_, i) => {
        const plain = counting(i, batch);
        const sealed = nodeCrypto.seal(KEY, i, batch, new Uint8Array(), plain);
        if (i % 5 === 0) sealed[i] = (sealed[i] ?? 0) ^ 1;
        return { plain, number: desk.offer(key, i, batch, sealed, 0, sealed.length) ?? expect.fail() };
      });
      desk.call();
      for (const { number } of offered) {
        for (const state of [STATE.ready, STATE.taken])
          while (Atomics.load(words, jobAt(number)) === state)
            if (Atomics.wait(words, jobAt(number), state, 1) === 'timed-out')
              await new Promise((done) => setImmediate(done));
      }
      expect(offered.map(({ number }) => desk.result(number))).toEqual(
        offered.map(({ plain }, i) => (i % 5 === 0 ? false : plain)),
      );
      desk.turn();
    }
    const all = ended();
    desk.close();
    await all;
  },
  LONGEST_WAIT_MS,
);

test('who gets helpers: large files, what has no size, whoever asks for them', () => {
  const MIB = 1024 * 1024;
  expect(openers({ jobs: 1, bytes: 1000 * MIB })).toBeUndefined();
  expect(openers({ bytes: 127 * MIB })).toBeUndefined();
  const small = openers({ jobs: 2, bytes: 1 });
  expect(small?.room.length).toBeGreaterThan(MIB);
  small?.close();
  // of a pipe nobody knows; on one processor there is nobody
  expect(openers({})?.begin(1000) ?? false).toBe(false);
});
