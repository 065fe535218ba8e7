/** Key log lines in Wireshark's form: what `wg.keylog_file` and a WGKL secrets block take. Secrets, on request only. */
import { toBase64 } from '../base/base64.ts';
import { isZero } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey } from '../base/keys.ts';

/** Gets whole lines, without their end. */
export type KeyLogSink = (line: string) => void;

/** A PSK belongs to the ephemeral of the line before it. */
export function logHandshake(sink: KeyLogSink | undefined, ephemeral: PrivateKey, psk: PresharedKey): void {
  if (sink === undefined) return;
  sink(`LOCAL_EPHEMERAL_PRIVATE_KEY = ${toBase64(ephemeral)}`);
  if (!isZero(psk)) sink(`PRESHARED_KEY = ${toBase64(psk)}`);
}
