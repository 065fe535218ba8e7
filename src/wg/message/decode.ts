/** A UDP payload to one of the four messages, or the first check of its shape that fails, in the kernel's order. */
import { type Bytes, u8, u32le } from '../../base/bytes.ts';
import { fail, type Result } from '../../base/result.ts';
import { TYPE } from '../constants.ts';
import type { Drop, MessageKind } from '../drop.ts';
import { type CookieReply, decodeCookieReply } from './cookie-reply.ts';
import { type Data, decodeData } from './data.ts';
import { decodeInitiation, type Initiation } from './initiation.ts';
import { decodeResponse, type Response } from './response.ts';

export type Message = Initiation | Response | CookieReply | Data;

export interface DecodeOptions {
  /** gotatun reads one byte of the type and never looks at the three behind it. */
  readonly ignoreReserved?: boolean;
}

const TYPE_BYTES = 4;

function kindOf(typeByte: number): MessageKind | undefined {
  switch (typeByte) {
    case TYPE.initiation:
      return 'initiation';
    case TYPE.response:
      return 'response';
    case TYPE['cookie-reply']:
      return 'cookie-reply';
    case TYPE.data:
      return 'data';
    default:
      return undefined;
  }
}

const DECODERS: { readonly [K in MessageKind]: (bytes: Bytes) => Result<Extract<Message, { kind: K }>, Drop> } = {
  initiation: decodeInitiation,
  response: decodeResponse,
  'cookie-reply': decodeCookieReply,
  data: decodeData,
};

/**
 * Shape only (wp §5.4): the type as u32le, so its reserved bytes must be zero, then the exact length. The message is
 * made of views: it lives as long as `bytes` do. `unknown-type` carries the whole u32le.
 */
export function decodeMessage(bytes: Bytes, options: DecodeOptions = {}): Result<Message, Drop> {
  if (bytes.length < TYPE_BYTES) return fail({ kind: 'too-short', actual: bytes.length });
  const kind = kindOf(u8(bytes, 0));
  if (kind === undefined) return fail({ kind: 'unknown-type', type: u32le(bytes, 0) });
  const reserved = [u8(bytes, 1), u8(bytes, 2), u8(bytes, 3)] as const;
  if (options.ignoreReserved !== true && (reserved[0] | reserved[1] | reserved[2]) !== 0) {
    return fail({ kind: 'reserved-nonzero', message: kind, reserved });
  }
  return DECODERS[kind](bytes);
}
