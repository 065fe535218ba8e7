/** struct msghdr in memory: offsets of 64-bit Linux, pointers into itself, room that is never exceeded. */
import { expect, test } from 'vitest';
import { u32le, u64le } from '../../../src/base/bytes.ts';
import type { NativeMemory } from '../../../src/io/linux/libc.ts';
import { MessageHeader } from '../../../src/io/linux/message-header.ts';

const ADDRESS = 0x7f00_0000_1000n;

function made() {
  const given: { memory: NativeMemory; freed: number }[] = [];
  const header = new MessageHeader({
    allocate: (length) => {
      const memory = {
        bytes: new Uint8Array(length).fill(0xee),
        address: ADDRESS,
        free: () => {
          one.freed++;
        },
      };
      const one = { memory, freed: 0 };
      given.push(one);
      return memory;
    },
  });
  const [only = expect.fail()] = given;
  const { bytes } = only.memory;
  const offsetOf = (pointer: bigint): number => Number(pointer - ADDRESS);
  const read = () => ({
    name: u64le(bytes, 0),
    nameLength: u32le(bytes, 8),
    vector: u64le(bytes, 16),
    vectorCount: u64le(bytes, 24),
    control: u64le(bytes, 32),
    controlLength: u64le(bytes, 40),
    flags: u32le(bytes, 48),
    payload: u64le(bytes, offsetOf(u64le(bytes, 16))),
    payloadLength: u64le(bytes, offsetOf(u64le(bytes, 16)) + 8),
  });
  return { header, bytes, read, offsetOf, given };
}

test('points at its own parts, which lie apart from each other and are aligned', () => {
  const { header, bytes, read, offsetOf } = made();
  header.empty();
  const { name, vector, control, payload, nameLength, controlLength, payloadLength, vectorCount } = read();
  expect(vectorCount).toBe(1n);
  const parts: [number, number][] = [
    [0, 56],
    [offsetOf(vector), 16],
    [offsetOf(name), nameLength],
    [offsetOf(control), Number(controlLength)],
    [offsetOf(payload), Number(payloadLength)],
  ];
  for (const [start, length] of parts) {
    expect(start % 8).toBe(0);
    expect(length).toBeGreaterThan(0);
    expect(start + length).toBeLessThanOrEqual(bytes.length);
  }
  const sorted = parts.sort(([a], [b]) => a - b);
  for (const [i, [start, length]] of sorted.entries()) {
    expect(start + length).toBeLessThanOrEqual(sorted[i + 1]?.[0] ?? bytes.length);
  }
  expect(nameLength).toBe(28);
  // a UDP payload of any size, and the ancillary data of four options
  expect(payloadLength).toBeGreaterThanOrEqual(65_535n);
  expect(controlLength).toBeGreaterThanOrEqual(4n * 64n);
});

test('the views are the memory that it points at', () => {
  const { header, bytes, read, offsetOf } = made();
  header.empty();
  header.name[0] = 1;
  header.control[0] = 2;
  header.payload[0] = 3;
  const { name, control, payload } = read();
  expect([name, control, payload].map((pointer) => bytes[offsetOf(pointer)])).toEqual([1, 2, 3]);
  expect(header.payload.length).toBe(Number(read().payloadLength));
});

test('filled: what is empty has no pointer', () => {
  const { header, read } = made();
  header.filled(16, 40, 148);
  const whole = read();
  expect(whole).toMatchObject({ nameLength: 16, controlLength: 40n, payloadLength: 148n });
  expect([whole.name, whole.control].includes(0n)).toBe(false);
  header.filled(0, 0, 0);
  expect(read()).toMatchObject({ name: 0n, nameLength: 0, control: 0n, controlLength: 0n, payloadLength: 0n });
});

test('after recvmsg: what the kernel wrote there, and the next one has all the room again', () => {
  const { header, bytes, read } = made();
  header.empty();
  const room = read();
  bytes[40] = 36;
  bytes[41] = 0;
  bytes[48] = 0x20; // MSG_TRUNC
  expect(header.controlLength).toBe(36);
  header.empty();
  expect(read()).toEqual(room);
});

test('gives its memory back', () => {
  const { header, given } = made();
  header.free();
  expect(given).toEqual([expect.objectContaining({ freed: 1 })]);
});
