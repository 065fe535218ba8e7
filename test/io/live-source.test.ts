/** Pipes and files that end by a signal; a process must not wait for them any more. */
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { liveSource, liveStream } from '../../src/io/live-source.ts';
import { run } from '../interop/lab/shell.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wgwhy-live-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pipe(name: string): string {
  const path = join(folder, name);
  run('mkfifo', [path]);
  return path;
}

async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  let out = '';
  for await (const chunk of source) {
    expect(chunk.constructor).toBe(Uint8Array);
    out += new TextDecoder().decode(chunk);
  }
  return out;
}

const never = new AbortController().signal;

test('a named pipe: who writes may come later, and its end is the end', async () => {
  const path = pipe('late');
  const all = text(liveSource(path, never).open());
  const writer = createWriteStream(path);
  writer.write('one, ');
  writer.end('two');
  expect(await all).toBe('one, two');
});

test('a named pipe into which nobody writes, ended by the signal', async () => {
  const stop = new AbortController();
  const source = liveSource(pipe('silent'), stop.signal);
  const ended = text(source.open()).catch((error: unknown) => error);
  stop.abort();
  // with an error or without one: what matters is that it ends
  await ended;
});

test('a file, whole', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'what it says');
  expect(await text(liveSource(path, never).open())).toBe('what it says');
});

test('a file that is not there', async () => {
  await expect(text(liveSource(join(folder, 'missing'), never).open())).rejects.toThrow('there is no such file');
});

test('an open stream is destroyed by the signal, also by one that came before', async () => {
  for (const early of [false, true]) {
    const stop = new AbortController();
    const stream = new PassThrough();
    if (early) stop.abort();
    const reading = text(liveStream('-', () => stream, stop.signal).open()).catch((error: unknown) => error);
    stop.abort();
    await reading;
    expect(stream.destroyed).toBe(true);
  }
});
