/** What stands in each frame of a capture, read without the analysis: to judge what a finding cites. */
import { u32le } from '../../src/base/bytes.ts';
import { formatTime } from '../../src/base/time.ts';
import { openCapture } from '../../src/capture/open.ts';
import type { Decoded } from '../../src/packet/datagram.ts';
import { Decoder } from '../../src/packet/decode.ts';

export interface FrameFacts {
  readonly time: string;
  /** WireGuard messages and ICMP errors about them; none in a frame of anything else. */
  readonly messages: readonly {
    readonly what: 'message' | 'icmp';
    readonly indices: readonly string[];
    readonly ends: string;
  }[];
  /** A piece of an IP packet whose rest comes with another frame. */
  readonly fragment: boolean;
}

export async function factsOfFrames(bytes: Uint8Array): Promise<ReadonlyMap<number, FrameFacts>> {
  const opened = await openCapture(
    (async function* () {
      yield bytes;
    })(),
  );
  if (!opened.ok) throw new Error(opened.error.message);
  const decoder = new Decoder();
  const found = new Map<number, FrameFacts>();
  for await (const batch of opened.value.batches()) {
    for (const item of batch) {
      if (item.kind !== 'frame') continue;
      const { number, time } = item.frame;
      const all = decoder.decode(item.frame);
      found.set(number, {
        time: time === undefined ? '' : formatTime(time),
        messages: all.flatMap(messageOf),
        fragment: all.some((one) => one.kind === 'skip' && one.reason === 'fragment-pending'),
      });
    }
  }
  return found;
}

/** A WireGuard message by its type byte alone, in an ICMP error the one it quotes (wp §5.4). */
function messageOf(found: Decoded): FrameFacts['messages'] {
  if (found.kind === 'skip') return [];
  const { from, to, bytes } = found.kind === 'datagram' ? found : found.quoted;
  const type = bytes[0] ?? 0;
  if (type < 1 || type > 4 || bytes.length < 8) return [];
  const indices = [index(bytes, 4), ...(type === 2 && bytes.length >= 12 ? [index(bytes, 8)] : [])];
  return [
    { what: found.kind === 'datagram' ? 'message' : 'icmp', indices, ends: [from.text, to.text].sort().join(' ') },
  ];
}

const index = (bytes: Uint8Array, offset: number): string => `0x${u32le(bytes, offset).toString(16).padStart(8, '0')}`;
