/** One captured frame, and what a capture reader hands out. */
import type { Bytes } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';

export interface Frame {
  /** From 1, over all frames of the file, as Wireshark counts. */
  readonly number: number;
  /** undefined where the container has no time (pcapng simple packet blocks). */
  readonly time: Time | undefined;
  /** LINKTYPE_ value, FCS and reserved bits masked away. */
  readonly linkType: number;
  /** A view that is valid until the next batch is asked for, of our own readers until the one after it: copy what is kept. */
  readonly bytes: Bytes;
  /** Length on the wire; greater than `bytes.length` when the capture cut the frame. */
  readonly wireLength: number;
  /** Interface within the capture, counted from 0 over all sections. */
  readonly interfaceId: number;
  /** Octets of frame check sequence at the end of `bytes`, if the container says so. */
  readonly fcsBytes: number;
  /** pcapng epb_flags; link layers may know it too (SLL). */
  readonly direction?: 'in' | 'out';
}

/** Damage in a capture: where, how many frames were read before it, and where reading went on, if it did. */
export interface CaptureDamage {
  readonly kind:
    | 'truncated-header'
    | 'truncated-record'
    | 'bad-record'
    | 'bad-block'
    | 'gzip-truncated'
    | 'gzip-damaged';
  readonly message: string;
  /** Byte offset in the (uncompressed) file. */
  readonly offset: number;
  readonly framesBefore: number;
  readonly resumedAt?: number;
}

export type CaptureFormat = 'pcap' | 'pcap-ns' | 'pcap-modified' | 'pcapng';

/** What the readers deliver, in file order. */
export type CaptureItem =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'damage'; readonly damage: CaptureDamage }
  /** Contents of a decryption-secrets block (pcapng type 10); `secretsType` 0x57474b4c is a WireGuard key log. */
  | { readonly kind: 'secrets'; readonly secretsType: number; readonly data: Bytes };

export interface CaptureReader {
  readonly format: CaptureFormat;
  readonly gzip: boolean;
  /** Batches keep the cost of asynchrony off the single frame. */
  batches(): AsyncIterable<readonly CaptureItem[]>;
}
