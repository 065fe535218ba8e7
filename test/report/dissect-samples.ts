/** A session whose keys are all known, its messages as a capture shows them, and more data sealed with its keys. */
import { toBase64 } from '../../src/base/base64.ts';
import { concat, putU32le } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { back, CAPTURE_BEGAN, type Sent, there } from '../diagnose/traffic.ts';
import { corpus, packetOf } from '../wg/corpus.ts';

const { keys } = corpus;

export const INITIATOR = toBase64(keys.initiator_static_public);
export const RESPONDER = toBase64(keys.responder_static_public);

/** When the corpus was made, in seconds after the beginning of captures. */
export const OFFSET = corpus.unix_time - CAPTURE_BEGAN;

export const KEY_LOG = [
  `LOCAL_STATIC_PRIVATE_KEY = ${toBase64(keys.initiator_static_private)}`,
  `REMOTE_STATIC_PUBLIC_KEY = ${RESPONDER}`,
  `LOCAL_EPHEMERAL_PRIVATE_KEY = ${toBase64(keys.initiator_ephemeral_private)}`,
  `PRESHARED_KEY = ${toBase64(keys.psk)}`,
  '',
].join('\n');

export const SESSION: readonly Sent[] = [
  there(OFFSET, packetOf('init.ok')),
  back(OFFSET + 0.01, packetOf('resp.ok')),
  there(OFFSET + 0.02, packetOf('data.ping')),
];

/** From the initiator; padded as it has to be, and with more where `padding` says so. */
export function sealed(counter: number, plain: Uint8Array, padding = (16 - (plain.length % 16)) % 16): Uint8Array {
  const padded = concat(plain, new Uint8Array(padding));
  const out = new Uint8Array(16 + padded.length + 16);
  putU32le(out, 0, 4);
  putU32le(out, 4, corpus.responder_index);
  putU32le(out, 8, counter);
  const key = nodeCrypto.aeadKey(corpus.trace_response.transport_key_initiator_to_responder);
  const body = new Uint8Array(padded.length + 16);
  key.sealInto(counter, 0, padded, 0, padded.length, body, 0);
  out.set(body, 16);
  return out;
}
