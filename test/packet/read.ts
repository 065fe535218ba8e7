/** Reads a capture file through the real readers and the decoder. */
import { createReadStream } from 'node:fs';
import { EMPTY } from '../../src/base/bytes.ts';
import { openCapture } from '../../src/capture/open.ts';
import type { Decoded } from '../../src/packet/datagram.ts';
import { Decoder } from '../../src/packet/decode.ts';

export async function decodeFile(path: string): Promise<readonly Decoded[]> {
  const opened = await openCapture(createReadStream(path));
  if (!opened.ok) throw new Error(opened.error.message);
  const decoder = new Decoder();
  const all: Decoded[] = [];
  for await (const batch of opened.value.batches()) {
    for (const item of batch) if (item.kind === 'frame') all.push(...decoder.decode(item.frame).map(kept));
  }
  return [...all, ...decoder.flush()];
}

/** Views end with their batch. */
function kept(found: Decoded): Decoded {
  const frame = { ...found.frame, bytes: EMPTY };
  if (found.kind === 'datagram') return { ...found, frame, bytes: found.bytes.slice() };
  if (found.kind === 'icmp-error')
    return { ...found, frame, quoted: { ...found.quoted, bytes: found.quoted.bytes.slice() } };
  return { ...found, frame };
}
