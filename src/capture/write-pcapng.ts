/** Writes pcapng: sections, interfaces, packets with nanosecond times, decryption secrets. */
import { type Bytes, concat, concatAll, EMPTY, utf8 } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';
import { BLOCK, BYTE_ORDER_MAGIC, OPTION, padded } from './pcapng-blocks.ts';
import { writers } from './write-pcap.ts';

/** By block: the code of a comment is the same in all of them. */
const OPTION_COMMENT = 1;
const OPTION_NAME = 2;
const OPTION_DESCRIPTION = 3;
const OPTION_APPLICATION = 4;
const NANOSECONDS = 9;
/** An option says its length in 16 bits. */
const MOST_OPTION_BYTES = 0xffff;

export interface PcapngInterface {
  readonly linkType: number;
  /** Bytes; 0, the default, is no limit. */
  readonly snaplen?: number;
  readonly fcsBytes?: number;
  readonly name?: string;
  readonly description?: string;
}

export interface PcapngPacket {
  /** Without a time a simple packet block is written, which has neither an interface nor a direction. */
  readonly time: Time | undefined;
  readonly bytes: Bytes;
  readonly wireLength?: number;
  /** Within its section, from 0. */
  readonly interfaceId?: number;
  readonly direction?: 'in' | 'out';
  /** Not in a simple packet block, which has no options. */
  readonly comment?: string;
}

export type PcapngBlock =
  | { readonly kind: 'section'; readonly application?: string }
  | ({ readonly kind: 'interface' } & PcapngInterface)
  | ({ readonly kind: 'packet' } & PcapngPacket)
  | { readonly kind: 'secrets'; readonly secretsType: number; readonly data: Bytes };

/** One block. A file begins with a section, and a packet follows the description of its interface. */
export function pcapngBlock(content: PcapngBlock, bigEndian = false): Bytes {
  const { u16, u32 } = writers(bigEndian);

  const block = (type: number, body: Bytes, data = EMPTY, options = EMPTY): Bytes => {
    const total = 12 + body.length + padded(data.length) + options.length;
    const out = new Uint8Array(total);
    u32(out, 0, type);
    u32(out, 4, total);
    out.set(body, 8);
    out.set(data, 8 + body.length);
    out.set(options, 8 + body.length + padded(data.length));
    u32(out, total - 4, total);
    return out;
  };
  const words = (...values: readonly number[]): Bytes => {
    const out = new Uint8Array(4 * values.length);
    for (const [i, value] of values.entries()) u32(out, 4 * i, value);
    return out;
  };
  const option = (code: number, value: Bytes): Bytes => {
    const out = new Uint8Array(4 + padded(value.length));
    u16(out, 0, code);
    u16(out, 2, value.length);
    out.set(value, 4);
    return out;
  };
  const textOption = (code: number, text: string | undefined): Bytes =>
    text === undefined ? EMPTY : option(code, utf8(text).subarray(0, MOST_OPTION_BYTES));
  const end = words(0);

  switch (content.kind) {
    case 'section': {
      const body = words(BYTE_ORDER_MAGIC, 0, 0xffff_ffff, 0xffff_ffff);
      u16(body, 4, 1);
      if (content.application === undefined) return block(BLOCK.section, body);
      return block(BLOCK.section, body, EMPTY, concat(textOption(OPTION_APPLICATION, content.application), end));
    }
    case 'interface': {
      const body = words(0, content.snaplen ?? 0);
      u16(body, 0, content.linkType);
      const options = [option(OPTION.tsResolution, Uint8Array.of(NANOSECONDS))];
      if (content.fcsBytes !== undefined) options.push(option(OPTION.fcsLength, Uint8Array.of(content.fcsBytes)));
      options.push(textOption(OPTION_NAME, content.name), textOption(OPTION_DESCRIPTION, content.description));
      return block(BLOCK.interface, body, EMPTY, concat(...options, end));
    }
    case 'packet': {
      const { time, bytes, direction, comment } = content;
      const wireLength = content.wireLength ?? bytes.length;
      if (time === undefined) return block(BLOCK.simplePacket, words(wireLength), bytes);
      const units = BigInt.asUintN(64, BigInt(time.sec) * 1_000_000_000n + BigInt(time.nsec));
      const high = Number(units >> 32n);
      const low = Number(units & 0xffff_ffffn);
      const body = words(content.interfaceId ?? 0, high, low, bytes.length, wireLength);
      if (direction === undefined && comment === undefined) return block(BLOCK.enhancedPacket, body, bytes);
      const flags = direction === undefined ? EMPTY : option(OPTION.packetFlags, words(direction === 'in' ? 1 : 2));
      return block(BLOCK.enhancedPacket, body, bytes, concat(textOption(OPTION_COMMENT, comment), flags, end));
    }
    case 'secrets':
      return block(BLOCK.secrets, words(content.secretsType, content.data.length), content.data);
  }
}

export function pcapngFile(blocks: Iterable<PcapngBlock>, bigEndian = false): Bytes {
  const parts: Bytes[] = [];
  for (const content of blocks) parts.push(pcapngBlock(content, bigEndian));
  return concatAll(parts);
}
