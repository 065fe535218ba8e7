/** The corpus's parties and small helpers of the handshake tests. */
import { expect } from 'vitest';
import type { Bytes } from '../../../src/base/bytes.ts';
import { type PublicKey, privateKey, publicKey } from '../../../src/base/keys.ts';
import type { Result } from '../../../src/base/result.ts';
import { noble } from '../../../src/crypto/noble.ts';
import type { Drop } from '../../../src/wg/drop.ts';
import { decodeInitiation, type Initiation } from '../../../src/wg/message/initiation.ts';
import { decodeResponse, type Response } from '../../../src/wg/message/response.ts';
import { corpus } from '../corpus.ts';

export function value<T>(result: Result<T, Drop>): T {
  return result.ok ? result.value : expect.fail(result.error.kind);
}

export const initiationOf = (bytes: Bytes): Initiation => value(decodeInitiation(bytes));
export const responseOf = (bytes: Bytes): Response => value(decodeResponse(bytes));
export const flip = (bytes: Bytes, at: number): Bytes => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

const { keys } = corpus;
export const REMOTE = {
  secret: privateKey(keys.responder_static_private),
  publicKey: publicKey(keys.responder_static_public),
};
export const LOCAL = {
  secret: privateKey(keys.initiator_static_private),
  publicKey: publicKey(keys.initiator_static_public),
};
export const EPHEMERAL = privateKey(keys.initiator_ephemeral_private);

/** Takes every identity for the client. */
export const clientPeer = (_: PublicKey): { readonly ss: Bytes | undefined } => ({
  ss: noble.dh(REMOTE.secret, LOCAL.publicKey),
});
