/** What `dissect` says of each message: its fields with their places, and what the known keys make of them. */
import type { Problem } from '../base/problem.ts';
import type { CaptureDamage, CaptureFormat } from '../capture/frame.ts';
import type { MessageKind } from '../wg/drop.ts';
import type { FrameRef } from './model.ts';

export const DISSECT_SCHEMA = 'wgwhy/dissect/1';

/**
 * `at` counts from the first byte of the message; it is absent where the field is worked out and stands nowhere. What is
 * sealed has the same place open: ChaCha20 moves no byte.
 */
export interface DissectedField {
  readonly name: string;
  readonly at?: number;
  readonly length?: number;
  /** As captured, or as opened; hexadecimal. */
  readonly bytes?: string;
  /** The bytes on the wire, where a variant has others in this place; hexadecimal. */
  readonly wire?: string;
  readonly value?: string | number | boolean | null | readonly string[];
  readonly meaning?: string;
  readonly fields?: readonly DissectedField[];
}

/** How the message was carried. */
export interface Carrier {
  /** Outermost first. */
  readonly path: readonly string[];
  readonly ttl: number;
  readonly tos: number;
  readonly ipId: number;
  readonly dontFragment: boolean;
  /** IP fragments that it was put together from. */
  readonly fragments: number;
  readonly ipLength: number;
  readonly checksum: 'ok' | 'bad' | 'absent' | 'unverifiable';
  readonly direction?: 'in' | 'out';
  /** Bytes of the datagram, and where in it the message begins: not 0 behind padding, or in one of several. */
  readonly datagramLength: number;
  readonly messageAt: number;
  /** Where the message begins in the frame; absent where fragments or segments were put together. */
  readonly frameAt?: number;
}

interface Place {
  readonly at: FrameRef;
  /** Seconds since the first frame of the capture, nine digits; absent where the container has no time. */
  readonly sinceStart?: string;
  readonly from: string;
  readonly to: string;
  /** Bytes on the wire. */
  readonly length: number;
  readonly captured: number;
  readonly carrier: Carrier;
  /** One line: what it is and what became of it. */
  readonly summary: string;
  /** Absent where only a line was asked for. */
  readonly fields?: readonly DissectedField[];
}

export type DissectedMessage = Place & {
  readonly kind: 'message';
  readonly message: MessageKind;
  /** The form of WireGuard that it came in, where that is not the plain one. */
  readonly variant?: string;
};

/** It begins as a message does, and is none; or it belongs to a form of WireGuard, and could not be read. */
export type DissectedOther =
  | (Place & { readonly kind: 'malformed'; readonly message: MessageKind })
  | (Place & { readonly kind: 'unread'; readonly variant: string });

export type Dissected = { readonly schema: typeof DISSECT_SCHEMA } & (
  | {
      readonly kind: 'capture';
      readonly input: string;
      readonly name: string;
      readonly format: CaptureFormat;
      readonly gzip: boolean;
    }
  | DissectedMessage
  | DissectedOther
  | ({ readonly kind: 'damage'; readonly input: string } & Omit<CaptureDamage, 'kind'> & {
        readonly damage: CaptureDamage['kind'];
      })
  | ({ readonly kind: 'problem'; readonly input: string } & Problem)
  | {
      readonly kind: 'end';
      readonly input: string;
      readonly frames: number;
      /** Messages and what is malformed or unread. */
      readonly found: number;
      /** Those that the filters let through. */
      readonly shown: number;
      /** Frames without a datagram, by reason. */
      readonly skipped: { readonly [reason: string]: number };
    }
);
