/** A response that did not open: which other preshared key it does open with (wp §5.4.3). Only who made the ephemeral can ask. */
import type { Bytes } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../base/keys.ts';
import type { Crypto } from '../crypto/port.ts';
import { decodeInitiation } from '../wg/message/initiation.ts';
import { decodeResponse } from '../wg/message/response.ts';
import { consumeInitiation } from '../wg/noise/initiation.ts';
import { prepareResponse } from '../wg/noise/response.ts';
import { initiatorKeys } from '../wg/noise/shared.ts';

/** A preshared key, and where it stands: `server.conf:12`. */
export interface PskCandidate {
  readonly where: string;
  readonly psk: PresharedKey;
}

export interface PskTrial {
  /** The initiator's. */
  readonly secret: PrivateKey;
  readonly ephemeral: PrivateKey;
  readonly responder: PublicKey;
  readonly initiation: Bytes;
  readonly response: Bytes;
}

/** The first that opens the response; undefined when none does. Each costs two KDFs and one AEAD. */
export function fittingPsk(
  crypto: Crypto,
  { secret, ephemeral, responder, initiation, response }: PskTrial,
  candidates: readonly PskCandidate[],
): PskCandidate | undefined {
  const first = decodeInitiation(initiation);
  const second = decodeResponse(response);
  if (!first.ok || !second.ok) return undefined;
  const consumed = consumeInitiation(
    crypto,
    {
      responder,
      es: () => crypto.dh(ephemeral, responder),
      peer: () => ({ ss: crypto.dh(secret, responder) }),
    },
    first.value,
  );
  if (!consumed.ok) return undefined;
  const prepared = prepareResponse(consumed.value, initiatorKeys(crypto, secret, ephemeral), second.value);
  consumed.value.noise.wipe();
  if (!prepared.ok) return undefined;
  const found = candidates.find(({ psk }) => {
    const opened = prepared.value.tryPsk(psk);
    if (opened.ok) for (const key of Object.values<Bytes>({ ...opened.value })) key.fill(0);
    return opened.ok;
  });
  prepared.value.wipe();
  return found;
}
