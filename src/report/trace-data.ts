/** A data message as a row: the key, the counter, the nonce made of it, and what the AEAD gives (wp §5.4.6). */
import { type Bytes, concat, copy, EMPTY, u32le } from '../base/bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import type { Data } from '../wg/message/data.ts';
import type { TraceRow, TraceValue } from './trace-rows.ts';

const SPEC = 'wp §5.4.6';

/** `key` undefined: no key for this direction is known. `who` sends it. */
export function dataRow(
  crypto: Crypto,
  { bytes, sealed, receiver }: Data,
  key: Bytes | undefined,
  who: 'initiator' | 'responder' | undefined,
): TraceRow {
  const counter = copy(bytes, 8, 16);
  const symbol = who === undefined ? 'T' : who === 'initiator' ? 'T_i^send' : 'T_r^send';
  const wire: readonly TraceValue[] = [
    { symbol: 'msg.counter', bytes: counter, secrecy: 'public' },
    { symbol: 'n', formula: '0^4 ‖ msg.counter', bytes: concat(new Uint8Array(4), counter), secrecy: 'public' },
  ];
  const base = { message: 'data', token: 'packet', spec: SPEC } as const;
  if (key === undefined) {
    const index = `0x${receiver.toString(16).padStart(8, '0')}`;
    return {
      ...base,
      values: wire,
      missing: [`${symbol}: a handshake of index ${index} before it`, 'its traffic key'],
    };
  }
  const values: TraceValue[] = [{ symbol, bytes: key, secrecy: 'secret' }, ...wire];
  values.push({ symbol: 'msg.packet', formula: `Aead(${symbol}, n, P, ε)`, bytes: copy(sealed), secrecy: 'public' });
  const plain = crypto.open(key, u32le(bytes, 8), u32le(bytes, 12), EMPTY, sealed);
  if (plain === undefined) return { ...base, values, refused: 'msg.packet does not open with this key and nonce' };
  values.push({ symbol: 'P', figure: 'plaintext', bytes: plain, secrecy: 'guessable' });
  return { ...base, values };
}
