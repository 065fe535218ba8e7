/** pcapng: sections in both byte orders, four packet block types, secrets, with resynchronisation after damage. */
import { type Bytes, u32be, u32le } from '../base/bytes.ts';
import type { ByteQueue } from './byte-queue.ts';
import type { CaptureItem, Frame } from './frame.ts';
import { damageItem, type ItemParser, type Lost, MAX_RECORD_BYTES } from './item-parser.ts';
import {
  BIG,
  BLOCK,
  BYTE_ORDER_MAGIC,
  type ByteOrder,
  blockTime,
  type Interface,
  LITTLE,
  readInterface,
  readPacket,
  readPacketFlags,
  smallestBlock,
} from './pcapng-blocks.ts';

/** More interfaces than this in one section are not kept; packets on them are damage. */
const MAX_INTERFACES = 65_536;
/** While searching, longer blocks than this are not believed: bounds what has to be held. */
const MAX_SEARCHED_BYTES = 1024 * 1024;

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(BLOCK));

interface BlockHead {
  readonly type: number;
  /** Bytes from the type to the trailing length, both included. */
  readonly total: number;
  readonly order: ByteOrder;
}

export class PcapngParser implements ItemParser {
  #order: ByteOrder = LITTLE;
  #interfaces: Interface[] = [];
  /** Interfaces of the sections before this one. */
  #interfacesBefore = 0;
  #frames = 0;
  #lost: Lost | undefined;

  next(input: ByteQueue): CaptureItem | undefined {
    for (;;) {
      const searching = this.#lost;
      const item = searching === undefined ? this.#block(input) : this.#search(input, searching);
      if (item === 'again') continue;
      return item;
    }
  }

  #block(input: ByteQueue): CaptureItem | 'again' | undefined {
    if (!input.ensure(12)) {
      if (!input.ended || input.available === 0) return undefined;
      return this.#lose(input, 'truncated-record', `the file ends ${input.available} bytes into a block`);
    }
    const head = this.#head(input);
    if (typeof head === 'string') return this.#lose(input, 'bad-block', head);
    if (!input.ensure(head.total)) {
      if (!input.ended) return undefined;
      const missing = head.total - input.available;
      return this.#lose(input, 'truncated-record', `the file ends ${missing} bytes before the end of a block`);
    }
    const block = input.front.subarray(input.at, input.at + head.total);
    const fault = this.#blockFault(block, head);
    if (fault !== undefined) return this.#lose(input, 'bad-block', fault);
    input.skip(head.total);
    return this.#read(block, head) ?? 'again';
  }

  /** Needs 12 bytes. */
  #head(input: ByteQueue): BlockHead | string {
    const { front, at } = input;
    let order = this.#order;
    const type = order.u32(front, at);
    if (type === BLOCK.section) {
      if (u32le(front, at + 8) === BYTE_ORDER_MAGIC) order = LITTLE;
      else if (u32be(front, at + 8) === BYTE_ORDER_MAGIC) order = BIG;
      else return 'a section header without its byte-order magic';
    }
    const total = order.u32(front, at + 4);
    if (total > MAX_RECORD_BYTES) return `a block claims ${total} bytes, more than ${MAX_RECORD_BYTES}`;
    if (total < smallestBlock(type)) return `a block of type ${type} claims ${total} bytes, too few`;
    return { type, total, order };
  }

  /** Constant work. */
  #blockFault(block: Bytes, { type, total, order }: BlockHead): string | undefined {
    const trailing = order.u32(block, total - 4);
    if (trailing !== total) return `a block begins with length ${total} and ends with ${trailing}`;
    if (type === BLOCK.secrets && order.u32(block, 12) > total - 20) return 'a secrets block longer than its block';
    if (!isPacket(type)) return undefined;
    const packet = readPacket(type, block, order, this.#interfaces[0]?.snaplen ?? 0);
    if (this.#interfaces[packet.interfaceId] === undefined) {
      return `a packet on interface ${packet.interfaceId}, of which there is no description`;
    }
    if (packet.at + packet.captured > total - 4)
      return `a packet claims ${packet.captured} bytes, more than its block has`;
    return undefined;
  }

  /** The block is whole and has no fault. */
  #read(block: Bytes, { type, order }: BlockHead): CaptureItem | undefined {
    if (isPacket(type)) return this.#packet(type, block);
    if (type === BLOCK.section) {
      this.#order = order;
      this.#interfacesBefore += this.#interfaces.length;
      this.#interfaces = [];
    } else if (type === BLOCK.interface) {
      if (this.#interfaces.length < MAX_INTERFACES) this.#interfaces.push(readInterface(block, order));
    } else if (type === BLOCK.secrets) {
      const data = block.slice(16, 16 + order.u32(block, 12));
      return { kind: 'secrets', secretsType: order.u32(block, 8), data };
    }
    return undefined;
  }

  #packet(type: number, block: Bytes): CaptureItem | undefined {
    const packet = readPacket(type, block, this.#order, this.#interfaces[0]?.snaplen ?? 0);
    const from = this.#interfaces[packet.interfaceId];
    if (from === undefined) return undefined;
    const { direction, fcsBytes } = readPacketFlags(block, packet, this.#order);
    this.#frames++;
    const frame: Frame = {
      number: this.#frames,
      time: packet.high === undefined ? undefined : blockTime(from.clock, packet.high, packet.low),
      linkType: from.linkType,
      bytes: block.subarray(packet.at, packet.at + packet.captured),
      wireLength: Math.max(packet.wireLength, packet.captured),
      interfaceId: this.#interfacesBefore + packet.interfaceId,
      fcsBytes: fcsBytes ?? from.fcsBytes,
    };
    return { kind: 'frame', frame: direction === undefined ? frame : { ...frame, direction } };
  }

  #lose(input: ByteQueue, kind: Lost['kind'], message: string): 'again' {
    const { offset } = input;
    this.#lost = { kind, kindIfResumed: 'bad-block', message, offset, framesBefore: this.#frames };
    input.skip(1);
    return 'again';
  }

  /** Goes on byte by byte to the next block whose two lengths agree: constant work at each place. */
  #search(input: ByteQueue, lost: Lost): CaptureItem | undefined {
    while (input.ensure(12, true)) {
      const found = this.#blockHere(input);
      if (found === undefined) return undefined;
      if (found) {
        this.#lost = undefined;
        return damageItem(lost, input.offset);
      }
      input.skip(1);
    }
    if (!input.ended) return undefined;
    this.#lost = undefined;
    input.skip(input.available);
    return damageItem(lost, undefined);
  }

  /** Undefined while too little is here to say. */
  #blockHere(input: ByteQueue): boolean | undefined {
    const type = this.#order.u32(input.front, input.at);
    if (!KNOWN_TYPES.has(type)) return false;
    const head = this.#head(input);
    if (typeof head === 'string' || head.total % 4 !== 0 || head.total > MAX_SEARCHED_BYTES) return false;
    if (!input.ensure(head.total, true)) return input.ended ? false : undefined;
    const block = input.front.subarray(input.at, input.at + head.total);
    return this.#blockFault(block, head) === undefined;
  }
}

function isPacket(type: number): boolean {
  return type === BLOCK.enhancedPacket || type === BLOCK.simplePacket || type === BLOCK.obsoletePacket;
}
