/** Files and streams as sources: in pieces, as plain bytes, with faults in words. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkReadable, FileError, fileSource, fileSourceIn, streamSource } from '../../src/io/files.ts';
import type { Source } from '../../src/report/diagnose.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wgwhy-files-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function readAll(source: Source): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open()) chunks.push(chunk);
  return chunks;
}

test('a large file comes in several pieces that together are the file', async () => {
  const bytes = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31) & 0xff);
  const path = join(folder, 'large');
  writeFileSync(path, bytes);
  const chunks = await readAll(fileSource(path));
  expect(chunks.length).toBeGreaterThan(1);
  expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0);
  expect(await checkReadable(path)).toBe(bytes.length);
});

/** A room of 64, so chunks of 16; the chunks as they are, and that each is good until two more have come. */
async function throughRoom(length: number, room: Uint8Array): Promise<Uint8Array[]> {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);
  const path = join(folder, `in-room-${length}`);
  writeFileSync(path, bytes);
  const read: number[] = [];
  const chunks: Uint8Array[] = [];
  for await (const chunk of fileSourceIn(path, room).open()) {
    const last = chunks.at(-1) ?? new Uint8Array();
    expect([...last]).toEqual(read.slice(read.length - last.length));
    expect(chunk.length).toBeLessThanOrEqual(16);
    chunks.push(chunk);
    read.push(...chunk);
  }
  expect(read).toEqual([...bytes]);
  return chunks;
}

test.each([0, 1, 15, 16, 17, 63, 64, 65, 1000])('a file of %i bytes through a room of 64', async (length) => {
  const room = new Uint8Array(new SharedArrayBuffer(64));
  const [, ...others] = await throughRoom(length, room);
  expect(others.every(({ buffer }) => buffer === room.buffer)).toBe(true);
  expect(others).toHaveLength(Math.max(0, Math.ceil(length / 16) - 1));
});

test('one file at a time has a room: others that are begun meanwhile are whole, and so is the first', async () => {
  const room = new Uint8Array(new SharedArrayBuffer(64));
  const paths = [500, 700, 90].map((length, n) => {
    const path = join(folder, `one-of-several-${n}`);
    writeFileSync(path, new Uint8Array(length).fill(n + 1));
    return path;
  });
  const isIn = (chunk: Uint8Array | undefined): boolean => chunk?.buffer === room.buffer;
  const [first, second, third] = paths.map((path) => fileSourceIn(path, room).open()[Symbol.asyncIterator]());
  // all are looked at, as `diagnose` does to see what they are
  for (const one of [first, second, third]) expect(isIn((await one?.next())?.value)).toBe(false);
  const got: (Uint8Array | undefined)[] = [];
  for (const one of [first, second, first, second, first]) got.push((await one?.next())?.value);
  expect(got.map(isIn)).toEqual([true, false, true, false, true]);
  expect(got.map((chunk) => new Set(chunk))).toEqual([1, 2, 1, 2, 1].map((n) => new Set([n])));
  // whoever has it gives it back at its end, and when it is left
  await first?.return?.();
  expect(isIn((await third?.next())?.value)).toBe(true);
  await third?.return?.();
  await second?.return?.();
  expect((await throughRoom(65, room)).slice(1).every(isIn)).toBe(true);
});

test('a room: what cannot be read, and what is left before its end', async () => {
  const room = new Uint8Array(64);
  const gone = readAll(fileSourceIn(join(folder, 'gone'), room));
  await expect(gone).rejects.toThrow(FileError);
  await expect(gone).rejects.toThrow('there is no such file');
  await expect(readAll(fileSourceIn(folder, room))).rejects.toThrow('this is a directory');
  const path = join(folder, 'left');
  writeFileSync(path, new Uint8Array(1000));
  const left = fileSourceIn(path, room).open()[Symbol.asyncIterator]();
  expect((await left.next()).done).toBe(false);
  expect((await left.return?.())?.done).toBe(true);
  expect((await left.next()).done).toBe(true);
});

test('pieces are plain bytes: slice copies', async () => {
  const path = join(folder, 'small');
  writeFileSync(path, 'abc');
  const [chunk] = await readAll(fileSource(path));
  const copy = chunk?.slice();
  chunk?.fill(0);
  expect(copy).toEqual(new TextEncoder().encode('abc'));
});

test('an empty file has no piece', async () => {
  const path = join(folder, 'empty');
  writeFileSync(path, '');
  expect(await readAll(fileSource(path))).toEqual([]);
});

test('a file that is gone when it is read, and a directory', async () => {
  const gone = readAll(fileSource(join(folder, 'gone')));
  await expect(gone).rejects.toThrow(FileError);
  await expect(gone).rejects.toThrow('there is no such file');
  await expect(readAll(fileSource(folder))).rejects.toThrow('this is a directory');
  await expect(checkReadable(folder)).rejects.toThrow('this is a directory');
});

test('what is no fault of the file goes through as it is', async () => {
  async function* broken() {
    yield new Uint8Array(1);
    throw new RangeError('a defect');
  }
  await expect(readAll(streamSource('-', broken))).rejects.toThrow(RangeError);
  async function* text() {
    yield 'text';
  }
  await expect(readAll(streamSource('-', text))).rejects.toThrow(TypeError);
});
