/** Reading a capture: our reader, the package pcap-parser behind the same port, and tcpdump as a whole process. */
import { createReadStream } from 'node:fs';
import type { CaptureReader } from '../src/capture/frame.ts';
import { openCapture } from '../src/capture/open.ts';
import { openWithPcapParser } from '../src/io/pcap-parser-reader.ts';
import { must, type Subject } from './subject.ts';
import { captureOf, lacking } from './workshop.ts';

const PACKETS = 200_000;
const SELF = process.argv[1] ?? '';

/** Counts the frames; run as a process of its own, so that all of them are measured alike. */
export async function countFrames(reader: string, path: string): Promise<number> {
  const source = createReadStream(path, { highWaterMark: 1 << 20 });
  const opened = await (reader === 'pcap-parser' ? openWithPcapParser(source) : openCapture(source));
  if (!opened.ok) throw new Error(opened.error.message);
  return frames(opened.value);
}

async function frames(reader: CaptureReader): Promise<number> {
  let count = 0;
  for await (const batch of reader.batches()) for (const item of batch) if (item.kind === 'frame') count++;
  return count;
}

export const capture: Subject = {
  name: 'capture',
  obstacle: () => lacking('python3', 'tcpdump'),
  groups: async (quick) => {
    const { pcap, frames: written, bytes } = captureOf(quick ? 1000 : PACKETS, 'imix');
    for (const reader of ['own', 'pcap-parser']) must((await countFrames(reader, pcap)) === written);
    const perFrame = bytes / written;
    const ours = (reader: string) => ({
      name: reader,
      argv: [process.execPath, SELF, '--count-frames', reader, pcap] as const,
      ops: written,
      bytes: perFrame,
    });
    const tcpdump = {
      name: 'tcpdump -r',
      argv: ['tcpdump', '-n', '-r', pcap, '-w', '/dev/null'] as const,
      ops: written,
    };
    return [{ name: `${written} frames`, tasks: [{ ...tcpdump, bytes: perFrame }, ours('own'), ours('pcap-parser')] }];
  },
};
