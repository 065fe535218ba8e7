/** A second, plain reader of little-endian pcapng, for what ours passes over: names, comments, secrets, in file order. */
import { type Bytes, u16le, u32le } from '../../src/base/bytes.ts';

export interface ReadInterface {
  readonly linkType: number;
  readonly name: string | undefined;
  readonly description: string | undefined;
}

export interface ReadPacket {
  readonly interface: ReadInterface | undefined;
  /** Undefined in a simple packet block. */
  readonly timeNs: bigint | undefined;
  readonly bytes: Bytes;
  readonly wireLength: number;
  readonly comment: string | undefined;
  readonly flags: number | undefined;
}

export type ReadBlock =
  | { readonly kind: 'section'; readonly application: string | undefined }
  | ({ readonly kind: 'interface' } & ReadInterface)
  | ({ readonly kind: 'packet' } & ReadPacket)
  | { readonly kind: 'secrets'; readonly type: number; readonly text: string };

const decoder = new TextDecoder('utf-8', { fatal: true });
const align = (n: number): number => (n + 3) & ~3;

function options(block: Bytes, from: number): Map<number, Bytes> {
  const found = new Map<number, Bytes>();
  for (let at = from; at + 4 <= block.length - 4; ) {
    const [code, length] = [u16le(block, at), u16le(block, at + 2)];
    if (code === 0) break;
    found.set(code, block.subarray(at + 4, at + 4 + length));
    at += 4 + align(length);
  }
  return found;
}

const textOf = (bytes: Bytes | undefined): string | undefined =>
  bytes === undefined ? undefined : decoder.decode(bytes);

/** Throws where the file is not as it should be. */
export function readPcapng(file: Bytes): ReadBlock[] {
  const blocks: ReadBlock[] = [];
  let interfaces: ReadInterface[] = [];
  for (let at = 0; at < file.length; ) {
    const total = u32le(file, at + 4);
    if (total % 4 !== 0 || u32le(file, at + total - 4) !== total) throw new Error(`a broken block at ${at}`);
    const block = file.subarray(at, at + total);
    at += total;
    switch (u32le(block, 0)) {
      case 0x0a0d0d0a:
        interfaces = [];
        blocks.push({ kind: 'section', application: textOf(options(block, 24).get(4)) });
        break;
      case 1: {
        const found = options(block, 16);
        if (found.get(9)?.[0] !== 9) throw new Error('not in nanoseconds');
        const one = { linkType: u16le(block, 8), name: textOf(found.get(2)), description: textOf(found.get(3)) };
        interfaces.push(one);
        blocks.push({ kind: 'interface', ...one });
        break;
      }
      case 3: {
        const wireLength = u32le(block, 8);
        const bytes = block.subarray(12, 12 + wireLength);
        const none = { timeNs: undefined, comment: undefined, flags: undefined };
        blocks.push({ kind: 'packet', interface: interfaces[0], bytes, wireLength, ...none });
        break;
      }
      case 6: {
        const captured = u32le(block, 20);
        const found = options(block, 28 + align(captured));
        const flags = found.get(2);
        blocks.push({
          kind: 'packet',
          interface: interfaces[u32le(block, 8)],
          timeNs: (BigInt(u32le(block, 12)) << 32n) | BigInt(u32le(block, 16)),
          bytes: block.subarray(28, 28 + captured),
          wireLength: u32le(block, 24),
          comment: textOf(found.get(1)),
          flags: flags === undefined ? undefined : u32le(flags, 0),
        });
        break;
      }
      case 10: {
        const length = u32le(block, 12);
        blocks.push({ kind: 'secrets', type: u32le(block, 8), text: decoder.decode(block.subarray(16, 16 + length)) });
        break;
      }
      default:
        throw new Error(`block type ${u32le(block, 0)}`);
    }
  }
  return blocks;
}

export function packetsOf(blocks: readonly ReadBlock[]): Extract<ReadBlock, { kind: 'packet' }>[] {
  return blocks.flatMap((block) => (block.kind === 'packet' ? [block] : []));
}
