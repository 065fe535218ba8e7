/** AllowedIPs: our figures, a linear twin, the self-tests of kernel and wireguard-go. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPrefix, inPrefix, maskIp, type Prefix, parseIp, parsePrefix } from '../../src/base/address.ts';
import { type Bytes, concat, EMPTY, equal } from '../../src/base/bytes.ts';
import { AllowedIps } from '../../src/wg/allowed-ips.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import {
  fields,
  flag,
  hex,
  int,
  list,
  loadVectors,
  oneOf,
  optional,
  type Reader,
  readVectors,
  text,
} from '../vectors.ts';

const ip = (written: string): Bytes => parseIp(written) ?? expect.fail(`no address: ${written}`);
const prefix = (written: string): Prefix => parsePrefix(written) ?? expect.fail(`no prefix: ${written}`);
const nullable: Reader<string | undefined> = (value, path) => (value === null ? undefined : text(value, path));

type Step =
  | readonly ['insert', string, string]
  | readonly ['remove', string, string, boolean]
  | readonly ['remove-peer', string]
  | readonly ['lookup', string, string | undefined]
  | readonly ['entries', string, readonly string[]];

const step: Reader<Step> = (value, path) => {
  const [kind, ...rest] = Array.isArray(value) ? (value as unknown[]) : [];
  const shape: readonly Reader<unknown>[] = {
    insert: [text, text],
    remove: [text, text, flag],
    'remove-peer': [text],
    lookup: [text, nullable],
    entries: [text, list(text)],
  }[oneOf('insert', 'remove', 'remove-peer', 'lookup', 'entries')(kind, path)];
  if (rest.length !== shape.length) throw new TypeError(`${path}: ${rest.length} fields after ${kind}`);
  return [kind, ...shape.map((reader, i) => reader(rest[i], `${path}[${i + 1}]`))] as unknown as Step;
};

/** What the table answers to a step, as the step would say it. */
function play(table: AllowedIps<string>, given: Step): Step {
  switch (given[0]) {
    case 'insert':
      table.insert(prefix(given[1]), given[2]);
      return given;
    case 'remove':
      return ['remove', given[1], given[2], table.remove(prefix(given[1]), given[2])];
    case 'remove-peer':
      table.removePeer(given[1]);
      return given;
    case 'lookup':
      return ['lookup', given[1], table.lookup(ip(given[1]))];
    case 'entries':
      return ['entries', given[1], table.entries(given[1]).map(formatPrefix)];
  }
}

test.each(loadVectors('allowed-ips.json', { name: text, steps: list(step) }).cases)('$name', ({ steps }) => {
  const table = new AllowedIps<string>();
  expect(steps.map((given) => play(table, given))).toEqual(steps);
});

/** The rules, as a list that is searched from end to end. */
class Linear {
  #rows: { readonly prefix: Prefix; readonly peer: number }[] = [];

  insert({ ip, bits }: Prefix, peer: number): void {
    const prefix = { ip: maskIp(ip, bits), bits };
    const at = this.#find(prefix);
    if (at >= 0 && this.#rows[at]?.peer === peer) return;
    if (at >= 0) this.#rows.splice(at, 1);
    this.#rows.push({ prefix, peer });
  }

  remove({ ip, bits }: Prefix, peer: number): boolean {
    const at = this.#find({ ip: maskIp(ip, bits), bits });
    if (at < 0 || this.#rows[at]?.peer !== peer) return false;
    this.#rows.splice(at, 1);
    return true;
  }

  removePeer(peer: number): void {
    this.#rows = this.#rows.filter((row) => row.peer !== peer);
  }

  lookup(ip: Bytes): number | undefined {
    const covering = this.#rows.filter((row) => inPrefix(ip, row.prefix));
    return covering.sort((x, y) => y.prefix.bits - x.prefix.bits)[0]?.peer;
  }

  entries(peer: number): Prefix[] {
    return this.#rows.filter((row) => row.peer === peer).map((row) => row.prefix);
  }

  get size(): number {
    return this.#rows.length;
  }

  #find(prefix: Prefix): number {
    return this.#rows.findIndex((row) => row.prefix.bits === prefix.bits && equal(row.prefix.ip, prefix.ip));
  }
}

/** Few different bytes, so that prefixes nest, meet and part at every depth. */
const bytesOf = (length: number) =>
  fc
    .array(fc.constantFrom(0, 1, 3, 0x7f, 0x80, 0xff), { minLength: length, maxLength: length })
    .map((b) => Uint8Array.from(b));
const address = fc.oneof(bytesOf(4), bytesOf(16));
const anyPrefix = address.chain((ip) => fc.integer({ min: 0, max: 8 * ip.length }).map((bits) => ({ ip, bits })));
const peer = fc.integer({ min: 0, max: 4 });
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('insert' as const), prefix: anyPrefix, peer }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), prefix: anyPrefix, peer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove-nth' as const), nth: fc.nat(50), peer }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove-peer' as const), peer }) },
);

test('agrees with a linear twin', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), fc.array(address, { maxLength: 30 }), (commands, addresses) => {
      const table = new AllowedIps<number>();
      const twin = new Linear();
      for (const command of commands) {
        if (command.kind === 'insert') {
          table.insert(command.prefix, command.peer);
          twin.insert(command.prefix, command.peer);
        } else if (command.kind === 'remove-peer') {
          table.removePeer(command.peer);
          twin.removePeer(command.peer);
        } else {
          const own = twin.entries(command.peer);
          const gone = command.kind === 'remove' ? command.prefix : own[command.nth % Math.max(1, own.length)];
          if (gone !== undefined) expect(table.remove(gone, command.peer)).toBe(twin.remove(gone, command.peer));
        }
      }
      expect(table.size).toBe(twin.size);
      expect(table.nodes).toBeGreaterThanOrEqual(twin.size);
      expect(table.nodes).toBeLessThanOrEqual(Math.max(0, 2 * twin.size - 1));
      for (let peer = 0; peer <= 4; peer++) expect(table.entries(peer)).toEqual(twin.entries(peer));
      const inside = [0, 1, 2, 3, 4].flatMap((peer) => twin.entries(peer)).map((row) => row.ip);
      const asked = [...addresses, ...inside];
      const wanted = asked.map((ip) => [ip, twin.lookup(ip)]);
      expect(asked.map((ip) => [ip, table.lookup(ip)])).toEqual(wanted);
      const within = (ip: Bytes) => table.lookup(concat(Uint8Array.of(7, 7, 7), ip, ip), 3, ip.length === 4 ? 4 : 16);
      expect(asked.map((ip) => [ip, within(ip)])).toEqual(wanted);
    }),
    { numRuns: 300 },
  );
});

test('prefixes nested to the last bit are taken out again from either end', () => {
  const deep = Array.from({ length: 129 }, (_, bits) => ({ ip: ip('2001:db8:5555:aaaa:5555:aaaa:5555:aaaa'), bits }));
  for (const order of [deep, [...deep].reverse()]) {
    const table = new AllowedIps<number>();
    for (const row of deep) table.insert(row, row.bits);
    expect(table.size).toBe(129);
    expect(table.lookup(ip('2001:db8:5555:aaaa:5555:aaaa:5555:aaab'))).toBe(127);
    for (const row of order) expect(table.remove(row, row.bits)).toBe(true);
    expect([table.size, table.nodes, table.lookup(deep[0]?.ip ?? EMPTY)]).toEqual([0, 0, undefined]);
  }
});

test('an address that is none belongs to nobody', () => {
  const table = new AllowedIps<string>();
  table.insert(prefix('0.0.0.0/0'), 'ann');
  table.insert(prefix('::/0'), 'ann');
  for (const length of [0, 3, 5, 15, 17]) expect(table.lookup(new Uint8Array(length))).toBeUndefined();
});

test.each([
  ['five bytes', { ip: new Uint8Array(5), bits: 0 }],
  ['33 bits', { ip: new Uint8Array(4), bits: 33 }],
  ['129 bits', { ip: new Uint8Array(16), bits: 129 }],
  ['a negative length', { ip: new Uint8Array(4), bits: -1 }],
  ['half a bit', { ip: new Uint8Array(4), bits: 0.5 }],
])('a prefix of %s is the caller’s bug', (_, wrong) => {
  expect(() => new AllowedIps<string>().insert(wrong, 'ann')).toThrow(RangeError);
  expect(() => new AllowedIps<string>().remove(wrong, 'ann')).toThrow(RangeError);
});

const anything: Reader<unknown> = (value) => value;

describe.skipIf(SHARED_ABSENT)('self-tests of kernel and wireguard-go', () => {
  const ops = list(
    fields({
      op: oneOf('insert', 'expect', 'expect_not', 'remove', 'remove_peer'),
      peer: nullable,
      cidr: optional(text),
      ip: optional(text),
    }),
  );
  const load = () =>
    readVectors(
      shared('vectors/allowedips.json'),
      fields({
        source: anything,
        rules: text,
        kernel_groups_fresh_table_each: list(ops),
        kernel_listing_check: fields({ inserts_for_peer_a: list(text), expect_exactly: list(text) }),
        wireguard_go_ipv4_one_table: ops,
        wireguard_go_ipv6_one_table: ops,
        common_bits: list(fields({ a: hex, b: hex, common_bits: int })),
      }),
    );

  function run(steps: ReturnType<typeof ops>): void {
    const table = new AllowedIps<string>();
    for (const [i, { op, peer = 'nobody', cidr = '', ip: at = '' }] of steps.entries()) {
      if (op === 'insert') table.insert(prefix(cidr), peer);
      else if (op === 'remove') table.remove(prefix(cidr), peer);
      else if (op === 'remove_peer') table.removePeer(peer);
      else if (op === 'expect') expect([i, table.lookup(ip(at))]).toEqual([i, peer]);
      else expect([i, table.lookup(ip(at))]).not.toEqual([i, peer]);
    }
  }

  test('kernel', () => {
    const { kernel_groups_fresh_table_each } = load();
    expect(kernel_groups_fresh_table_each).toHaveLength(3);
    for (const steps of kernel_groups_fresh_table_each) run(steps);
  });

  test('kernel, what a peer has', () => {
    const { kernel_listing_check } = load();
    const table = new AllowedIps<string>();
    for (const written of kernel_listing_check.inserts_for_peer_a) table.insert(prefix(written), 'a');
    expect(table.entries('a').map(formatPrefix)).toEqual(kernel_listing_check.expect_exactly);
  });

  test('wireguard-go', () => {
    run(load().wireguard_go_ipv4_one_table);
    run(load().wireguard_go_ipv6_one_table);
  });

  test('common bits: two addresses part where the longer prefixes stop covering both', () => {
    for (const { a, b, common_bits } of load().common_bits) {
      for (let bits = 0; bits <= 32; bits++) {
        const table = new AllowedIps<string>();
        table.insert({ ip: a, bits }, 'a');
        expect(table.lookup(b)).toBe(bits <= common_bits ? 'a' : undefined);
      }
    }
  });
});
