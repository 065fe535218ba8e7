/** TAI64N timestamps of initiations (wp §5.4.2, §5.1): label, base, whitening, order. */
import { type Bytes, compareBytes, u32be } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';

/** 12 bytes: u64be label (2^62 + base + unix seconds) and u32be nanoseconds. Compared as bytes. */
export type Tai64n = Bytes & { readonly __brand: 'tai64n' };

export const TAI64N_BYTES = 12;
