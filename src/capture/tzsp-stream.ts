/** A TZSP stream, datagram by datagram, to a pcapng capture of the frames in it: one interface per sender and kind of frame. */
import { type Bytes, concat, EMPTY } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';
import { decodeTzsp, type Tzsp } from './tzsp.ts';
import { pcapngBlock } from './write-pcapng.ts';

/** What came from one address. */
export interface TzspSender {
  readonly address: string;
  datagrams: number;
  frames: number;
  /** Numbers that the sender counted and that never came; 0 where it does not count, as RouterOS does not. */
  lost: number;
  /** Came after a later one. */
  late: number;
  /** Datagrams without a frame that could be taken, by reason. */
  readonly refused: Map<string, number>;
}

/** Anybody may send to an open port: what comes from further addresses is refused, and counted. */
export const SENDERS_LIMIT = 64;
/** Reasons name numbers of the sender's choice. */
const REASONS_LIMIT = 32;

/** TZSP encapsulation to link type. */
const LINK_TYPES: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [18, 105],
  [119, 119],
  [127, 163],
]);

interface Known extends TzspSender {
  /** Interface numbers by link type. */
  readonly interfaces: Map<number, number>;
  count: number | undefined;
}

export class TzspStream {
  readonly #senders = new Map<string, Known>();
  #interfaces = 0;
  /** Datagrams from addresses beyond the limit. */
  crowded = 0;

  get senders(): readonly TzspSender[] {
    return [...this.#senders.values()];
  }

  /** What the capture begins with. */
  begin(): Bytes {
    return pcapngBlock({ kind: 'section' });
  }

  /** What the datagram adds to the capture: empty where there is no frame in it. `time` is when it came. */
  take(datagram: Bytes, from: string, time: Time): Bytes {
    const sender = this.#sender(from);
    if (sender === undefined) {
      this.crowded++;
      return EMPTY;
    }
    sender.datagrams++;
    const read = decodeTzsp(datagram);
    const linkType = read.kind === 'frame' ? LINK_TYPES.get(read.encapsulation) : undefined;
    if (read.kind === 'frame' && read.packetCount !== undefined) follow(sender, read.packetCount);
    if (read.kind === 'none' || linkType === undefined) {
      refuse(sender, reasonOf(read));
      return EMPTY;
    }
    sender.frames++;
    const bytes = datagram.subarray(read.at);
    const wireLength = Math.max(bytes.length, read.originalLength ?? 0);
    let interfaceId = sender.interfaces.get(linkType);
    if (interfaceId !== undefined) return pcapngBlock({ kind: 'packet', time, bytes, wireLength, interfaceId });
    interfaceId = this.#interfaces++;
    sender.interfaces.set(linkType, interfaceId);
    return concat(
      pcapngBlock({ kind: 'interface', linkType, name: from }),
      pcapngBlock({ kind: 'packet', time, bytes, wireLength, interfaceId }),
    );
  }

  #sender(address: string): Known | undefined {
    let sender = this.#senders.get(address);
    if (sender !== undefined || this.#senders.size >= SENDERS_LIMIT) return sender;
    sender = {
      address,
      datagrams: 0,
      frames: 0,
      lost: 0,
      late: 0,
      refused: new Map(),
      interfaces: new Map(),
      count: undefined,
    };
    this.#senders.set(address, sender);
    return sender;
  }
}

function reasonOf(read: Tzsp): string {
  return read.kind === 'none' ? read.reason : `TZSP encapsulation ${read.encapsulation}`;
}

function refuse({ refused }: Known, reason: string): void {
  const name = refused.has(reason) || refused.size < REASONS_LIMIT ? reason : 'something else';
  refused.set(name, (refused.get(name) ?? 0) + 1);
}

/** Further than this a number does not jump by loss or by delay: the sender began anew. */
const LEAP = 10_000;

/** Numbers wrap around at 32 bits. */
function follow(sender: Known, count: number): void {
  const ahead = sender.count === undefined ? 1 : (count - sender.count) | 0;
  if (ahead <= 0 && ahead > -LEAP) {
    sender.late++;
    if (ahead < 0 && sender.lost > 0) sender.lost--;
    return;
  }
  if (ahead > 0 && ahead < LEAP) sender.lost += ahead - 1;
  sender.count = count;
}
