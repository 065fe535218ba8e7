/** The listener over real sockets on this machine: from datagrams to a capture, and to a file of the same bytes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpoint, parseIp } from '../../src/base/address.ts';
import { concat, concatAll, fromHex } from '../../src/base/bytes.ts';
import { sniffCapture } from '../../src/capture/sniff.ts';
import { TzspListener, type TzspOptions } from '../../src/io/listen-tzsp.ts';
import { UdpPort } from '../../src/io/udp.ts';

const LOCAL = '127.0.0.1';
const clock = { now: () => ({ monoMs: 0, wall: { sec: 1_700_000_000, nsec: 0 } }) };
let folder = '';
let sender: UdpPort;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wgwhy-listen-'));
  sender = await UdpPort.open({ onDatagram: () => {} }, { addresses: [LOCAL] });
});
afterAll(async () => {
  await sender.close();
  rmSync(folder, { recursive: true, force: true });
});

const listen = (more: Partial<TzspOptions> = {}) => TzspListener.open({ port: 0, address: LOCAL, clock, ...more });

function send(listener: TzspListener, bytes: Uint8Array): void {
  const ip = parseIp(LOCAL);
  if (ip === undefined) throw new Error('no address');
  sender.send({ bytes, to: endpoint(ip, listener.port) }, (code) => {
    throw new Error(code);
  });
}

test('frames come out as they come in, until it is closed; the file has the same bytes', async () => {
  const begun: string[] = [];
  const write = join(folder, 'frames.pcapng');
  const listener = await listen({ write, onSender: (address) => begun.push(address) });
  const chunks: Uint8Array[] = [];
  for await (const chunk of listener.source('udp').open()) {
    chunks.push(chunk);
    if (chunks.length === 1) send(listener, concat(fromHex('0100000101'), Uint8Array.of(7, 7, 7)));
    else if (chunks.length === 2) send(listener, fromHex('0100000101080808'));
    else await listener.close();
  }
  const all = concatAll(chunks);
  expect(sniffCapture(all)).toBe('pcapng');
  expect(new Uint8Array(readFileSync(write))).toEqual(all);
  expect(begun).toEqual([LOCAL]);
  expect(listener.senders).toMatchObject([{ address: LOCAL, datagrams: 2, frames: 2 }]);
  expect([listener.overrun, listener.crowded]).toEqual([0, 0]);
});

test('closed before anything came: an empty capture', async () => {
  const listener = await listen();
  const source = listener.source('udp').open();
  await listener.close();
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  expect(sniffCapture(concatAll(chunks))).toBe('pcapng');
});

test('a port that is taken, and a file that cannot be written', async () => {
  const first = await listen();
  await expect(listen({ port: first.port })).rejects.toMatchObject({ name: 'UdpError', code: 'EADDRINUSE' });
  await first.close();
  await expect(listen({ write: join(folder, 'no', 'such', 'folder') })).rejects.toThrow(/^it cannot be written: /);
});
