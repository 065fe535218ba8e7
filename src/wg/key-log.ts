/** Key log lines in Wireshark's form: what `wg.keylog_file` and a WGKL secrets block take. Secrets, on request only. */
import { toBase64 } from '../base/base64.ts';
import { isZero } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../base/keys.ts';

/** Gets whole lines, without their end. */
export type KeyLogSink = (line: string) => void;

export interface HandshakeKeys {
  readonly local: PrivateKey;
  readonly remote: PublicKey;
  readonly ephemeral: PrivateKey;
  readonly psk: PresharedKey;
}

/** All that opens this handshake and its data, whatever else the log holds. A PSK belongs to the ephemeral before it. */
export function logHandshake(sink: KeyLogSink | undefined, { local, remote, ephemeral, psk }: HandshakeKeys): void {
  if (sink === undefined) return;
  sink(`LOCAL_STATIC_PRIVATE_KEY = ${toBase64(local)}`);
  sink(`REMOTE_STATIC_PUBLIC_KEY = ${toBase64(remote)}`);
  sink(`LOCAL_EPHEMERAL_PRIVATE_KEY = ${toBase64(ephemeral)}`);
  if (!isZero(psk)) sink(`PRESHARED_KEY = ${toBase64(psk)}`);
}
