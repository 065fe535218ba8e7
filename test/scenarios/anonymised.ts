/** Anonymising what lies in memory, and a search for anything of the original in what comes out. */
import { expect } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { formatIp } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { type Bytes, concatAll, u32be, utf8 } from '../../src/base/bytes.ts';
import { openCapture } from '../../src/capture/open.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { Decoder } from '../../src/packet/decode.ts';
import {
  type Anonymised,
  type AnonymiseOptions,
  anonymise,
  type Target,
} from '../../src/report/anonymise/anonymise.ts';
import { readInputs } from '../../src/report/inputs.ts';
import { bytesSource, type LabCase, labFile } from './lab.ts';

export type Files = ReadonlyMap<string, Bytes>;

export interface InMemory {
  readonly done: Anonymised;
  readonly files: Files;
}

export async function anonymised(given: Files, options: Partial<AnonymiseOptions> = {}): Promise<InMemory> {
  const files = new Map<string, Bytes>();
  const target: Target = {
    async write(name, chunks) {
      const parts: Bytes[] = [];
      for await (const chunk of chunks) parts.push(chunk.slice());
      files.set(name, concatAll(parts));
    },
    source: (name) => bytesSource(name, files.get(name) ?? new Uint8Array()),
  };
  const sources = [...given].map(([name, bytes]) => bytesSource(name, bytes));
  const done = await anonymise(sources, target, { crypto: nodeCrypto, seed: utf8('test'), ...options });
  return { done, files };
}

const WINDOW = 8;

/** 53 of its 64 bits, as a number. */
const windowAt = (bytes: Bytes, at: number): number => (u32be(bytes, at) >>> 11) * 2 ** 32 + u32be(bytes, at + 4);

/** Zeros and the like are in everything. */
const tells = (bytes: Bytes, at: number): boolean =>
  new Set(bytes.subarray(at, at + WINDOW).filter((byte) => byte !== 0)).size >= 3;

/** What nobody is to read, byte for byte and as text. */
class Forbidden {
  readonly #windows = new Map<number, { readonly what: string; readonly bytes: Bytes; readonly at: number }>();
  readonly texts = new Set<string>();

  add(what: string, bytes: Bytes): void {
    for (let at = 0; at + WINDOW <= bytes.length; at++) {
      if (tells(bytes, at)) this.#windows.set(windowAt(bytes, at), { what, bytes, at });
    }
  }

  get size(): number {
    return this.#windows.size;
  }

  within(bytes: Bytes): string[] {
    const found = new Set<string>();
    for (let at = 0; at + WINDOW <= bytes.length; at++) {
      const one = this.#windows.get(windowAt(bytes, at));
      if (one !== undefined && u32be(one.bytes, one.at) === u32be(bytes, at)) found.add(one.what);
    }
    const text = new TextDecoder('latin1').decode(bytes);
    for (const one of this.texts) if (text.includes(one)) found.add(`the text ${one}`);
    return [...found];
  }
}

/** Where index and counter end. */
const HEADER: Readonly<Record<number, number>> = { 1: 8, 2: 12, 3: 8, 4: 16 };

async function forbiddenOf(given: Files): Promise<Forbidden> {
  const forbidden = new Forbidden();
  const keys = new KeySet(nodeCrypto);
  const sources = [...given].map(([name, bytes]) => bytesSource(name, bytes));
  const inputs = await readInputs(sources, [], keys, () => {});
  for (const secret of keys.secrets()) {
    forbidden.add('a secret', secret);
    forbidden.texts.add(toBase64(secret));
  }
  for (const { key, text } of keys.publics.values()) {
    forbidden.add('a public key', key);
    forbidden.texts.add(text);
  }
  for (const { conf } of keys.confs) {
    for (const { value } of conf.interface.addresses) forbidden.texts.add(` ${formatIp(value.ip)}`);
    for (const { endpoint } of conf.peers) {
      if (endpoint?.value.ip !== undefined) forbidden.texts.add(formatIp(endpoint.value.ip));
      else if (endpoint !== undefined) forbidden.texts.add(endpoint.value.host);
    }
  }
  for (const { chunks } of inputs) {
    const opened = chunks === undefined ? undefined : await openCapture(chunks);
    if (opened?.ok !== true) continue;
    const decoder = new Decoder();
    for await (const batch of opened.value.batches()) {
      for (const item of batch) {
        if (item.kind !== 'frame') continue;
        const { bytes, linkType } = item.frame;
        if (linkType === 1) forbidden.add('an address of a card', bytes.slice(0, 12));
        for (const decoded of decoder.decode(item.frame)) {
          if (decoded.kind !== 'datagram') continue;
          for (const part of addressParts(decoded.from.ip, decoded.to.ip)) forbidden.add('addresses', part);
          const header = HEADER[decoded.bytes[0] ?? 0] ?? 0;
          forbidden.add('a payload', decoded.bytes.slice(header));
        }
      }
    }
  }
  return forbidden;
}

/** One of IPv4 is short: both together. Of IPv6 without the network of all documentation, which the lab is in itself. */
function addressParts(from: Bytes, to: Bytes): Bytes[] {
  return from.length === 4 ? [concatAll([from, to])] : [from.subarray(4), to.subarray(4)];
}

/** What of `given` is in `files`; empty as it should be. `searched`: how many sequences were looked for. */
export async function leaks(given: Files, files: Files): Promise<{ found: string[]; searched: number }> {
  const forbidden = await forbiddenOf(given);
  const found = [...files].flatMap(([name, bytes]) => forbidden.within(bytes).map((what) => `${what} in ${name}`));
  return { found, searched: forbidden.size };
}

export function givenOf(cases: readonly LabCase[]): Map<string, Bytes> {
  return new Map(cases.flatMap(({ files }) => files.map((file) => [file, labFile(file)] as const)));
}

/** What the acceptance of `anonymise` is: the same findings, down to the frames, and nothing else the same. */
export async function expectTheSameStory(one: LabCase): Promise<void> {
  const given = givenOf([one]);
  const { done, files } = await anonymised(given, one.at === undefined ? {} : { at: one.at });
  expect([done.lost, done.added, done.problems, done.withheld]).toEqual([[], [], [], []]);
  expect(done.files.map(({ from }) => from)).toEqual(one.files);
  expect(done.files.flatMap(({ leftOut = [] }) => leftOut)).toEqual([]);
  const { found, searched } = await leaks(given, files);
  expect(found).toEqual([]);
  expect(searched).toBeGreaterThan(50);
}
