/** The outer packets as a capture: read back by the project's reader and decoder, sums checked the slow way. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { endpoint } from '../../../src/base/address.ts';
import { concat, EMPTY, u16be } from '../../../src/base/bytes.ts';
import { FileError } from '../../../src/io/files.ts';
import { OuterCapture, type OuterPacket, outerDatagram } from '../../../src/io/up/outer-capture.ts';
import { OwnFile } from '../../../src/io/up/own-file.ts';
import type { Decoded } from '../../../src/packet/datagram.ts';
import { be16, bytes, internetChecksum } from '../../packet/build.ts';
import { decodeFile } from '../../packet/read.ts';
import { at } from '../../wg/harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'wgwhy-outer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TIME = { sec: 1_800_000_000, nsec: 123_000_000 };
const PAYLOAD = Uint8Array.from({ length: 149 }, (_, i) => i);
const V4: OuterPacket = {
  time: TIME,
  direction: 'out',
  from: at('192.0.2.1:40000'),
  to: at('198.51.100.2:51820'),
  payload: PAYLOAD,
  tos: 0xb8,
};
const V6: OuterPacket = {
  time: TIME,
  direction: 'in',
  from: at('[2001:db8::1]:51820'),
  to: at('[2001:db8::2]:40000'),
  payload: PAYLOAD,
  tos: 0x0a,
  hopLimit: 57,
};

/** The reader's views are Node's Buffers. */
const plain = (found: Decoded): Decoded =>
  found.kind === 'datagram' ? { ...found, bytes: new Uint8Array(found.bytes) } : found;

test('what is read back is what was written', async () => {
  const path = join(folder, 'outer.pcapng');
  const capture = new OuterCapture(path, 'wg7', expect.fail);
  capture.add(V4);
  capture.add(V6);
  capture.add({ ...V4, payload: EMPTY });
  // At once, not only when it is closed.
  const found = (await decodeFile(path)).map(plain);
  capture.close();
  const common = { kind: 'datagram', checksum: 'ok', fragments: 1, length: 149, bytes: PAYLOAD };
  expect(found).toEqual([
    expect.objectContaining({
      ...common,
      from: V4.from,
      to: V4.to,
      tos: 0xb8,
      ttl: 64,
      direction: 'out',
      ipLength: 177,
    }),
    expect.objectContaining({
      ...common,
      from: V6.from,
      to: V6.to,
      tos: 0x0a,
      ttl: 57,
      direction: 'in',
      ipLength: 197,
    }),
    expect.objectContaining({ kind: 'datagram', checksum: 'ok', length: 0 }),
  ]);
  for (const { frame } of found) expect(frame).toMatchObject({ time: TIME, linkType: 101 });
  expect(new TextDecoder().decode(readFileSync(path))).toContain('wg7 (outer)');
});

describe('headers', () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const ends = (length: number) =>
    fc
      .tuple(
        fc.uint8Array({ minLength: length, maxLength: length }),
        port,
        fc.uint8Array({ minLength: length, maxLength: length }),
        port,
      )
      .map(([from, fromPort, to, toPort]) => ({ from: endpoint(from, fromPort), to: endpoint(to, toPort) }));
  const payload = fc.uint8Array({ maxLength: 200 });
  const tos = fc.nat(255);

  test('sums are right, in both families, for payloads of any parity', () => {
    fc.assert(
      fc.property(fc.oneof(ends(4), ends(16)), payload, tos, ({ from, to }, data, tos) => {
        const packet = outerDatagram({ time: TIME, direction: 'out', from, to, payload: data, tos });
        const header = from.ip.length === 4 ? 20 : 40;
        if (header === 20) expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
        const udp = packet.subarray(header);
        // The pseudo header is of the same words in both families (RFC 768, RFC 8200 §8.1).
        expect(internetChecksum(concat(from.ip, to.ip, bytes(0, 17), be16(udp.length), udp))).toBe(0);
        expect(u16be(udp, 4)).toBe(8 + data.length);
        expect(packet.subarray(header + 8)).toEqual(data);
        expect(packet.length).toBe(header + 8 + data.length);
      }),
    );
  });

  test('a sum of zero is sent as ones, since zero says that there is none', () => {
    const from = at('0.0.0.0:0');
    const bare = outerDatagram({ ...V4, from, to: from, payload: bytes(0, 0) });
    const fill = be16(u16be(bare, 26));
    expect(u16be(outerDatagram({ ...V4, from, to: from, payload: fill }), 26)).toBe(0xffff);
  });

  test('no packet goes from one family to the other', () => {
    expect(() => outerDatagram({ ...V4, to: V6.to })).toThrow(RangeError);
  });
});

describe('files', () => {
  const own = (path: string, flags: 'a' | 'w'): OwnFile => new OwnFile(path, flags, expect.fail);
  const mode = (path: string): number => statSync(path).mode & 0o777;

  test('are their owner’s alone, new ones and those that were there', () => {
    const [made, there] = [join(folder, 'made'), join(folder, 'there')];
    writeFileSync(there, 'before');
    chmodSync(there, 0o644);
    const capture = new OuterCapture(made, 'wg7', expect.fail);
    own(there, 'a').close();
    capture.close();
    expect([mode(made), mode(there)]).toEqual([0o600, 0o600]);
    expect(readFileSync(there, 'utf8')).toBe('before');
    own(there, 'w').close();
    expect(readFileSync(there, 'utf8')).toBe('');
  });

  test('what is no file stays everybody’s', () => {
    const before = mode('/dev/null');
    own('/dev/null', 'a').close();
    expect(mode('/dev/null')).toBe(before);
  });

  test('that cannot be written', () => {
    const path = join(folder, 'no-such-folder', 'keys');
    expect(() => own(path, 'a')).toThrow(new FileError(path, 'it cannot be written: its folder is not there'));
    expect(() => new OuterCapture(folder, 'wg7', expect.fail)).toThrow('it cannot be written: it is a folder');
  });

  test.skipIf(!existsSync('/dev/full'))('one that takes no more says so once', () => {
    const told: string[] = [];
    const full = new OuterCapture('/dev/full', 'wg7', (why) => told.push(why));
    full.add(V4);
    full.close();
    const keys = new OwnFile('/dev/full', 'a', (why) => told.push(why));
    for (let i = 0; i < 3; i++) keys.write(bytes(1));
    keys.close();
    expect(told).toEqual(Array(2).fill('/dev/full takes no more (the disk is full): it ends here'));
  });
});
