/** Events: one line of NDJSON each, in the order in which things become known. */
import type { Piece } from '../analyze/timeline-code.ts';
import type { FrameRef, ReportFinding } from './model.ts';

/**
 * A finding became true, changed, or ceased to be. What was opened and neither closed nor superseded stands. Opened
 * again under the same id: it is now more or less severe or certain. Other changes, as a growing count, are not told.
 */
export type FindingEvent = { readonly schema: 'wgwhy/event/1' } & {
  /** Names the finding over all events about it: an opaque text. */
  readonly id: string;
  /** The last frame read by then; `time` is the moment itself, later than the frame where a silence lasted. */
  readonly at?: FrameRef;
  /** As it stands now; where it ceased to be, as it was last told. */
  readonly finding: ReportFinding;
} & (
    | { readonly event: 'finding-opened' | 'finding-closed' }
    /** `by`: the id of the sharper finding that takes its place. */
    | { readonly event: 'finding-superseded'; readonly by: string }
  );

export type WgwhyEvent = FindingEvent | MessageEvent | FrameEvent | TimelineEvent;

/** Who speaks with whom inside a tunnel. */
export interface InnerEnds {
  readonly from: string;
  readonly to: string;
  /** Number of the IP protocol: 6 for TCP, 17 for UDP. */
  readonly protocol: number;
  /** Of TCP and UDP, where they are in this fragment. */
  readonly fromPort?: number;
  readonly toPort?: number;
}

/** A message, with what the keys open of it and the verdict on it. Of copies of one datagram only the first is told. */
export interface MessageEvent {
  readonly schema: 'wgwhy/event/1';
  readonly event: 'message';
  readonly at: FrameRef;
  readonly message: 'initiation' | 'response' | 'cookie-reply' | 'data';
  readonly from: string;
  readonly to: string;
  readonly length: number;
  /** `0x30d037d8` */
  readonly sender?: string;
  readonly receiver?: string;
  /** Decimal, since it has 64 bits. */
  readonly counter?: string;
  /** Base64 of the public key whose MAC1 this carries; null when it is none of the known ones, absent when that is a secret. */
  readonly mac1Owner?: string | null;
  /** Base64 of the initiator's static public key, when it could be opened. */
  readonly initiator?: string;
  readonly tai64n?: string;
  /** Whether the response opened with the PSK bound to its ephemeral, as Wireshark's `wg.handshake_ok`. */
  readonly handshakeOk?: boolean;
  /** `file:line` of the PSK that opened it, where that is not the bound one. */
  readonly opensWith?: string;
  /** Length of the decrypted inner packet; 0 for a keepalive. */
  readonly innerLength?: number;
  /** Of an inner packet that is one. */
  readonly inner?: InnerEnds;
  /** What its receiver makes of it, as far as is known when it is read; absent for data that no key is there for. */
  readonly verdict?: 'accepted' | 'refused' | 'undecided';
  /** Why it is refused. */
  readonly drop?: string;
  /** What would have to be known to decide. */
  readonly missing?: readonly string[];
}

/** What else is known of a single frame as soon as it was read. */
type FrameEvent = { readonly schema: 'wgwhy/event/1' } & (
  | { readonly event: 'frame-skipped'; readonly at: FrameRef; readonly reason: string; readonly detail: string }
  | {
      readonly event: 'session';
      readonly at: FrameRef;
      readonly initiator: string;
      readonly responder: string;
      /** `0xINITIATOR/0xRESPONDER` */
      readonly indices: string;
      readonly state: 'established' | 'ended';
    }
);

/** A part of what is known of a capture as a whole, for `wgwhy reduce`; only of runs that are asked for a share of it. */
export interface TimelineEvent {
  readonly schema: 'wgwhy/event/1';
  readonly event: 'timeline';
  readonly input: string;
  /** `2/4` */
  readonly shard: string;
  /** What wrote it: others may not read it. */
  readonly tool: string;
  /** Of the keys at hand: with others, a share is not of the same whole. */
  readonly keys: string;
  /** Number of the first of `pieces`, from 0, and how many there are in all. */
  readonly first: number;
  readonly total: number;
  /** Objects that point to each other by number; they hold messages as they were captured, and no secret. */
  readonly pieces: readonly Piece[];
  /** Of all the others, to tell what was changed on the way. */
  readonly check: string;
}
