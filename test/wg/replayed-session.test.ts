/** A Linux kernel's session of 2018 again, from its keys, indices and clock: all 22 datagrams, byte for byte, on two devices. */
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, u64be } from '../../src/base/bytes.ts';
import { privateKey } from '../../src/base/keys.ts';
import type { Now, Time } from '../../src/base/time.ts';
import { noble } from '../../src/crypto/noble.ts';
import { Device } from '../../src/wg/device.ts';
import { LINUX } from '../../src/wg/policy.ts';
import type { Step } from '../../src/wg/step.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { dictionary, fields, hex, int, list, optional, type Reader, readVectors, text } from '../vectors.ts';
import { at, chance, indexBytes, net, sends } from './harness.ts';

const anything: Reader<unknown> = (value) => value;
const FRAME = {
  frame: int,
  time: text,
  src: text,
  dst: text,
  ip_tos: text,
  udp_payload: hex,
  type: text,
  sender_index: optional(int),
  receiver_index: optional(int),
  tai64_label: optional(text),
  tai64_nanoseconds: optional(int),
  trace: optional(anything),
  counter: optional(int),
  plaintext: optional(hex),
  inner_total_length: optional(int),
  padding_length: optional(int),
  inner_protocol: optional(anything),
  inner_ports: optional(anything),
  icmp_type: optional(anything),
  tcp_flags: optional(anything),
};

const load = () =>
  readVectors(
    shared('vectors/session_wireshark_ping_tcp.json'),
    fields({
      description: text,
      source_packets: text,
      source_keys: text,
      expectations_from_wireshark_tests: anything,
      note: text,
      keys_base64: anything,
      preshared_key_hex: hex,
      expected_keys_hex: dictionary(hex),
      constants: anything,
      frames: list(fields(FRAME)),
    }),
  );

type Frame = ReturnType<typeof load>['frames'][number];

const milliseconds = (time: string): number => {
  const [sec = '', fraction = ''] = time.split('.');
  return (Number(sec) - 1_532_126_000) * 1000 + Number(fraction) / 1000;
};

function wallOf({ tai64_label: label, tai64_nanoseconds: nsec }: Frame): Time {
  const seconds = u64be(fromHex(label ?? expect.fail()), 0) - (1n << 62n) - 10n;
  return { sec: Number(seconds), nsec: nsec ?? expect.fail() };
}

describe.skipIf(SHARED_ABSENT)('a captured session', () => {
  test('is made again', () => {
    const { expected_keys_hex: keys, frames } = load();
    const key = (name: string) => privateKey(keys[name] ?? expect.fail(name));
    const frame = (number: number): Frame => frames.find((one) => one.frame === number) ?? expect.fail(`${number}`);
    const index = (number: number) => indexBytes(frame(number).sender_index ?? expect.fail());
    const { src: addressI, dst: addressR } = frame(1);
    // The capture is older than the whitening of timestamps.
    const policy = { ...LINUX, tai64n: { base: 10, whiten: false } } as const;
    const make = (secret: string, remote: string, ephemeral: string, first: number, endpoint?: string): Device => {
      const script = {
        ephemeral: [key(`${ephemeral}0`), key(`${ephemeral}1`)],
        index: [index(first), index(first + 12)],
      };
      const device = new Device({ crypto: noble, random: chance(1, script), policy });
      const now = { monoMs: 0, wall: { sec: 0, nsec: 0 } };
      device.handle({ kind: 'configure', change: 'private-key', privateKey: key(secret) }, now);
      const publicKey = noble.publicKey(key(remote));
      const peer = { publicKey, allowedIps: [net('0.0.0.0/0')] };
      const change = endpoint === undefined ? peer : { ...peer, endpoint: at(endpoint) };
      device.handle({ kind: 'configure', change: 'peer', ...change }, now);
      return device;
    };
    const devices = new Map([
      [addressI, make('spriv_i', 'spriv_r', 'epriv_i', 1, addressR)],
      [addressR, make('spriv_r', 'spriv_i', 'epriv_r', 2)],
    ]);
    const outbox = new Map<string, ReturnType<typeof sends>>([
      [addressI, []],
      [addressR, []],
    ]);

    // The clock is read when an initiation is made: with frame 12, which asks for the one of frame 13.
    const nowAt = (one: Frame): Now => {
      const made = { 1: 1, 12: 13 }[one.frame];
      return { monoMs: milliseconds(one.time), wall: made === undefined ? { sec: 0, nsec: 0 } : wallOf(frame(made)) };
    };
    const took = (address: string, step: Step): void => {
      outbox.get(address)?.push(...sends(step));
    };
    const innerOf = (one: Frame) => one.plaintext?.subarray(0, one.inner_total_length ?? 0) ?? expect.fail();
    /** What made the sender say this, unless an earlier step did. */
    const stir = (one: Frame): void => {
      const device = devices.get(one.src) ?? expect.fail(one.src);
      const packet = one.type === 'initiation' ? frame(3) : one;
      const input =
        one.type === 'keepalive' ? ({ kind: 'tick' } as const) : ({ kind: 'packet', bytes: innerOf(packet) } as const);
      took(one.src, device.handle(input, nowAt(one)));
    };
    const arrive = (one: Frame): void => {
      const device = devices.get(one.dst) ?? expect.fail(one.dst);
      const step = device.handle({ kind: 'datagram', from: at(one.src), bytes: one.udp_payload }, nowAt(one));
      expect([one.frame, step.verdict.kind]).toEqual([one.frame, 'accepted']);
      took(one.dst, step);
      const inner = step.effects.filter((effect) => effect.kind === 'deliver').map(({ bytes }) => toHex(bytes));
      expect(inner).toEqual(one.type === 'data' ? [toHex(innerOf(one))] : []);
    };

    let late: Frame | undefined;
    for (const one of frames) {
      if (outbox.get(one.src)?.length === 0) stir(one);
      const sent = outbox.get(one.src)?.shift();
      expect([one.frame, sent?.message, toHex(sent?.bytes ?? new Uint8Array())]).toEqual([
        one.frame,
        one.type,
        toHex(one.udp_payload),
      ]);
      expect([one.frame, sent?.tos, sent?.to.text]).toEqual([one.frame, Number.parseInt(one.ip_tos, 16), one.dst]);
      // The response of frame 14 was captured before the data of frame 15 that was already on its way out.
      if (one.frame === 14) {
        late = one;
        continue;
      }
      arrive(one);
      if (late !== undefined) arrive(late);
      late = undefined;
    }
    expect(frames).toHaveLength(22);
    expect([...outbox.values()].flat()).toEqual([]);
    // Frame 15 went out under the old session, and asked for a new one that was just being made.
    expect(devices.get(addressI)?.drops()).toEqual(new Map([['handshake-suppressed', 1]]));
    expect(devices.get(addressR)?.drops()).toEqual(new Map());
  });
});
