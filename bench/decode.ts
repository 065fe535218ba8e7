/** Decoding the four messages, and refusing a stranger. */
import type { Bytes } from '../src/base/bytes.ts';
import { publicKey } from '../src/base/keys.ts';
import { TAG } from '../src/crypto/port.ts';
import { encodeCookieReply } from '../src/wg/message/cookie-reply.ts';
import { encodeData } from '../src/wg/message/data.ts';
import { decodeMessage } from '../src/wg/message/decode.ts';
import { encodeInitiation } from '../src/wg/message/initiation.ts';
import { encodeResponse } from '../src/wg/message/response.ts';
import { must, type Subject, type Task } from './subject.ts';

const OPS = 1024;
const bytes = (length: number): Bytes => new Uint8Array(length).fill(7);
const ephemeral = publicKey(bytes(32));

function decoding(name: string, message: Bytes, decodes = true): Task {
  const run = (): void => {
    let decoded = 0;
    for (let i = 0; i < OPS; i++) if (decodeMessage(message).ok) decoded++;
    must(decoded === (decodes ? OPS : 0));
  };
  return { name, run, ops: OPS };
}

function tasks(): readonly Task[] {
  const sealed = { sealedStatic: bytes(32 + TAG), sealedTimestamp: bytes(12 + TAG) };
  return [
    decoding('data', encodeData({ receiver: 1, counterLow: 2, counterHigh: 3, sealed: bytes(1420 + TAG) })),
    decoding('initiation', encodeInitiation({ sender: 1, ephemeral, ...sealed })),
    decoding('response', encodeResponse({ sender: 1, receiver: 2, ephemeral, sealedEmpty: bytes(TAG) })),
    decoding('cookie reply', encodeCookieReply({ receiver: 1, nonce: bytes(24), sealedCookie: bytes(16 + TAG) })),
    decoding('something else', bytes(148), false),
  ];
}

export const decode: Subject = { name: 'decode', groups: () => [{ name: 'decode', tasks: tasks() }] };
