/** Lines of events, written byte by byte, are those that JSON.stringify makes of the same events. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Opened } from '../../src/analyze/observe.ts';
import type { Seen } from '../../src/analyze/timeline.ts';
import { parseEndpoint } from '../../src/base/address.ts';
import { concat, putU16be } from '../../src/base/bytes.ts';
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import { fileSource } from '../../src/io/files.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { WgwhyEvent } from '../../src/report/event.ts';
import { EventLines } from '../../src/report/event-lines.ts';
import { messageEvent } from '../../src/report/frame-events.ts';
import { InnerEndsReader } from '../../src/report/inner-ends.ts';
import { eventLine } from '../../src/report/json.ts';

const endpoints = ['192.0.2.1:51820', '[2001:db8::1]:1', '[::ffff:10.0.0.1]:65535'].map((text) => {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
});

const endpoint = fc.constantFrom(...endpoints);
const time = fc.record({
  sec: fc.oneof(fc.constantFrom(0, 1_700_000_000, -62_135_596_801, 253_402_300_800), fc.nat(2 ** 31 - 1)),
  nsec: fc.oneof(fc.constantFrom(0, 999_999_999), fc.nat(999_999_999)),
});
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

/** Few addresses and ports, so that the same ones come again; lengths are right. */
const ipv4 = fc
  .tuple(fc.constantFrom(1, 6, 17, 47), fc.nat(3), fc.nat(3), fc.nat(3), fc.boolean(), fc.nat(40))
  .map(([protocol, from, to, port, later, more]) => {
    const packet = new Uint8Array(28 + more);
    packet.set([0x45, 0, 0, packet.length, 0, 0, 0, later ? 7 : 0, 64, protocol, 0, 0, 10, 0, 0, from, 10, 0, 1, to]);
    putU16be(packet, 20, port);
    putU16be(packet, 22, 53);
    putU16be(packet, 24, 8 + more);
    if (more > 12) packet[32] = 0x50;
    return packet;
  });
const ipv6 = fc.tuple(fc.constantFrom(6, 17, 58, 59), bytes(32), fc.nat(60)).map(([protocol, addresses, more]) => {
  const packet = concat(Uint8Array.of(0x60, 0, 0, 0, 0, more, protocol, 64), addresses, new Uint8Array(more));
  if (more > 6) putU16be(packet, 44, more);
  return packet;
});
const plaintext = fc.oneof(ipv4, ipv6, fc.uint8Array({ maxLength: 60 }), fc.constant(new Uint8Array()));

const opened: fc.Arbitrary<Opened | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant({ verdict: 'refused' as const, drop: 'data-unsealable' }),
  plaintext.map((packet) => ({ verdict: 'accepted' as const, innerLength: packet.length, plaintext: packet })),
  plaintext.map((packet) => {
    return { verdict: 'refused' as const, drop: 'source-not-allowed', innerLength: packet.length, plaintext: packet };
  }),
);

const data: fc.Arbitrary<Seen> = fc
  .record({
    frame: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 2 ** 40 })),
    time,
    from: endpoint,
    to: endpoint,
    length: fc.oneof(fc.constant(32), fc.nat(65_535)),
    receiver: fc.nat(0xffff_ffff),
    counter: fc.oneof(fc.nat(1000), fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1, 2 ** 64), fc.nat(2 ** 32)),
  })
  .map(({ frame, time: at, ...rest }) => ({
    ...rest,
    kind: 'data',
    at: { capture: 'a"b', frame, time: at },
    bytes: new Uint8Array(),
    cut: false,
    ttl: 64,
    direction: undefined,
    checksum: 'ok',
    fragments: 1,
    sender: 0,
    copies: [],
  }));

test('any data message', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(data, opened), { maxLength: 20 }), (all) => {
      const lines = new EventLines('a"b', (value) => value);
      const { message } = lines.hooks();
      const inner = new InnerEndsReader();
      let wanted = '';
      for (const [seen, found] of all) {
        message?.(seen, { opened: found });
        wanted += eventLine(messageEvent(seen, { opened: found }, inner));
      }
      expect(lines.used).toBe(wanted.length);
      expect(new TextDecoder().decode(lines.take())).toBe(wanted);
      expect(lines.used).toBe(0);
    }),
  );
});

test('more than its room', () => {
  const lines = new EventLines('a', (value) => value);
  const event: WgwhyEvent = {
    schema: 'wgwhy/event/1',
    event: 'frame-skipped',
    at: { input: 'a', frame: 1, time: '' },
    reason: 'not-ip',
    detail: '’'.repeat(1000),
  };
  for (let i = 0; i < 200; i++) lines.event(event);
  expect(new TextDecoder().decode(lines.take())).toBe(eventLine(event).repeat(200));
});

describe('captures', () => {
  const lab = new URL('../../vectors/', import.meta.url);
  test.each([
    'lab/roaming',
    'lab/any-interface-on-nat-router',
    'lab-more/allowedips-server-drops',
    'lab-more/corrupted-data',
    'lab-more/cookie-under-load',
    'lab-more/ipv6-outer',
  ])('%s', async (name) => {
    const folder = fileURLToPath(new URL(`${name}/`, lab));
    const files = readdirSync(folder).filter((file) => /\.(pcap|gz|conf|keys|log)$/.test(file));
    const sources = files.map((file) => fileSource(folder + file));
    const crypto = fastestOnNode();
    let wanted = '';
    await diagnose(sources, { crypto, onEvent: (event) => (wanted += eventLine(event)) });
    let lines = '';
    await diagnose(sources, {
      crypto,
      onLines: async (more) => {
        await Promise.resolve();
        lines += new TextDecoder().decode(more);
      },
    });
    expect(wanted).toContain('"message":"data"');
    expect(lines).toBe(wanted);
  });
});
