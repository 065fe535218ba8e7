/** Every format variant of the shared captures, against what tshark said about it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { u32le } from '../../src/base/bytes.ts';
import { openWithPcapParser } from '../../src/io/pcap-parser-reader.ts';
import { readAll } from './sources.ts';

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url));

interface Variant {
  readonly wg_messages: number;
  readonly first_time: string;
}

describe.skipIf(!existsSync(SHARED))('format variants', () => {
  const root = `${SHARED}captures/public/`;
  const variants: readonly [string, Variant][] = existsSync(root)
    ? Object.entries(JSON.parse(readFileSync(`${root}cases.json`, 'utf8'))['format_variants'])
    : [];
  const load = (name: string): Uint8Array => new Uint8Array(readFileSync(`${root}formats/${name}`));

  test('there are thirty', () => {
    expect(variants.length).toBe(30);
  });

  test.each(variants)('%s', async (name, variant) => {
    const { frames, damage, reader } = await readAll(load(name), [1000]);
    const extra = name === 'en10mb-ipfrag.pcap' ? 1 : 0;
    expect(frames.length).toBe(variant.wg_messages + extra);
    expect(frames.map((frame) => frame.number)).toEqual(frames.map((_, i) => i + 1));
    const time = frames[0]?.time;
    expect(time === undefined ? '' : `${time.sec}.${String(time.nsec).padStart(9, '0')}`).toBe(variant.first_time);
    expect(damage.map(({ kind, offset, framesBefore }) => ({ kind, offset, framesBefore }))).toEqual(
      name === 'dsb-unterminated-block.pcapng' ? [{ kind: 'truncated-record', offset: 4012, framesBefore: 21 }] : [],
    );
    expect(reader.format).toBe(name.endsWith('ng') ? 'pcapng' : name.includes('nsec') ? 'pcap-ns' : 'pcap');
  });

  test('what the containers say beyond times', async () => {
    const first = async (name: string) => (await readAll(load(name))).frames[0];
    expect(await first('en10mb-fcs4.pcap')).toMatchObject({ linkType: 1, fcsBytes: 4 });
    expect(await first('en10mb-snap96.pcap')).toMatchObject({ wireLength: 190 });
    expect((await first('en10mb-snap96.pcap'))?.bytes.length).toBe(96);

    const directions = (await readAll(load('epb-nsec-be.pcapng'))).frames.map((frame) => frame.direction);
    expect(new Set(directions)).toEqual(new Set(['in', 'out']));
    const interfaces = (await readAll(load('two-interfaces.pcapng'))).frames;
    expect(new Set(interfaces.map((frame) => `${frame.interfaceId}/${frame.linkType}`))).toEqual(
      new Set(['0/1', '1/276']),
    );
    const sections = (await readAll(load('two-sections-le-be.pcapng'))).frames;
    expect(new Set(sections.map((frame) => frame.interfaceId))).toEqual(new Set([0, 1]));

    const { items } = await readAll(load('dsb-wireguard-be.pcapng'));
    const secrets = items.flatMap((item) => (item.kind === 'secrets' ? [item] : []));
    expect(secrets.map((item) => item.secretsType)).toEqual([0x5747_4b4c]);
    expect(new TextDecoder().decode(secrets[0]?.data)).toMatch(/^LOCAL_STATIC_PRIVATE_KEY=/m);
  });

  test.each(variants.filter(([name]) => name.endsWith('.pcap')).map(([name]) => name))(
    '%s: pcap-parser reads the same',
    async (name) => {
      const bytes = load(name);
      expect((await readAll(bytes, [700], openWithPcapParser)).items).toEqual((await readAll(bytes)).items);
    },
  );

  test('every lab capture is read to its end, gzipped too', async () => {
    const lab = `${SHARED}captures/lab/`;
    const files = readdirSync(lab, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pcap'));
    expect(files.length).toBeGreaterThan(20);
    for (const name of files) {
      const bytes = new Uint8Array(readFileSync(lab + name));
      const { frames, damage } = await readAll(bytes, [65_536]);
      expect(damage, name).toEqual([]);
      expect(frames.length, name).toBe(countRecords(bytes));
      const zipped = await readAll(new Uint8Array(gzipSync(bytes)), [65_536]);
      expect(zipped.frames, name).toEqual(frames);
    }
  });
});

/** The slow twin: counts the records of a sound little-endian file. */
function countRecords(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 24; at < bytes.length; at += 16 + u32le(bytes, at + 8)) count++;
  return count;
}
