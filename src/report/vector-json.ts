/** Fields of a JSON file of test vectors, whatever it holds, and what becomes of such a file. */
import { type Bytes, fromHex } from '../base/bytes.ts';
import type { TraceContext } from './trace-document.ts';
import type { TraceRow } from './trace-rows.ts';
import type { NamedPsk } from './trace-run.ts';

/** Something of which a trace can be made, with this PSK or another. */
export interface Traceable extends TraceContext {
  readonly title: string;
  readonly psk: NamedPsk;
  rowsWith(psk: NamedPsk): TraceRow[];
}

export type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const record = (value: unknown): Json => (isRecord(value) ? value : {});
export const records = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);
export const isHex = (value: unknown): value is string =>
  typeof value === 'string' && /^([0-9a-fA-F]{2})*$/.test(value);

export function hex(from: Json, name: string): Bytes | undefined {
  const value = from[name];
  return isHex(value) ? fromHex(value) : undefined;
}

/** 32 bytes. */
export function key(from: Json, name: string): Bytes | undefined {
  const bytes = hex(from, name);
  return bytes?.length === 32 ? bytes : undefined;
}

export const NO_KEYS = 'it holds no private keys of 32 bytes in hexadecimal';
