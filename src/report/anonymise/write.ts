/** Captures written anew, in the format and the resolution they came in; a file for each, as it is read. */
import type { VeiledFrame } from '../../analyze/anonymise/frames.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { CaptureFormat } from '../../capture/frame.ts';
import { type PcapOptions, pcapHeader, pcapRecord } from '../../capture/write-pcap.ts';
import { pcapngBlock } from '../../capture/write-pcapng.ts';

export interface CaptureWriter {
  readonly extension: 'pcap' | 'pcapng';
  /** What stands before this frame, and the frame. */
  frame(frame: VeiledFrame): Bytes[];
  secrets(secretsType: number, data: Bytes): Bytes[];
  /** What is missing where nothing came. */
  end(): Bytes[];
}

export function captureWriter(format: CaptureFormat): CaptureWriter {
  return format === 'pcapng' ? new PcapngWriter() : new PcapWriter(format === 'pcap-ns');
}

const ETHERNET = 1;

class PcapWriter implements CaptureWriter {
  readonly extension = 'pcap';
  readonly #nanoseconds: boolean;
  #options: PcapOptions | undefined;

  constructor(nanoseconds: boolean) {
    this.#nanoseconds = nanoseconds;
  }

  frame(frame: VeiledFrame): Bytes[] {
    const head = this.#head(frame.linkType);
    return [...head, pcapRecord(this.#options ?? { linkType: frame.linkType }, frame)];
  }

  secrets(): Bytes[] {
    return [];
  }

  end(): Bytes[] {
    return this.#head(ETHERNET);
  }

  #head(linkType: number): Bytes[] {
    if (this.#options !== undefined) return [];
    this.#options = { linkType, nanoseconds: this.#nanoseconds };
    return [pcapHeader(this.#options)];
  }
}

class PcapngWriter implements CaptureWriter {
  readonly extension = 'pcapng';
  #begun = false;
  #interfaces = 0;

  frame(frame: VeiledFrame): Bytes[] {
    const out = this.#head();
    // those without a frame yet have no link type that is known: numbers must stay
    for (; this.#interfaces <= frame.interfaceId; this.#interfaces++) {
      out.push(pcapngBlock({ kind: 'interface', linkType: frame.linkType }));
    }
    out.push(pcapngBlock({ kind: 'packet', ...frame }));
    return out;
  }

  secrets(secretsType: number, data: Bytes): Bytes[] {
    return [...this.#head(), pcapngBlock({ kind: 'secrets', secretsType, data })];
  }

  end(): Bytes[] {
    return this.#head();
  }

  #head(): Bytes[] {
    if (this.#begun) return [];
    this.#begun = true;
    return [pcapngBlock({ kind: 'section' })];
  }
}
