/** TAI64N timestamps of initiations (wp §5.4.2, §5.1): label, base, whitening, order. */
import { type Bytes, compareBytes, putU32be, toHex, u32be, u64be } from '../base/bytes.ts';
import { msBetween, type Time } from '../base/time.ts';

/** 12 bytes: u64be label (2^62 + base + unix seconds) and u32be nanoseconds. Compared as bytes. */
export type Tai64n = Bytes & { readonly __brand: 'tai64n' };

export const TAI64N_BYTES = 12;

/** Seconds added to unix time: 10 in the kernel, wireguard-go and Windows, 37 in the boringtun family. */
export type Tai64nBase = 10 | 37;

const EPOCH = 1n << 62n;
const NS_PER_SECOND = 1_000_000_000;
/** The kernel and wireguard-go clear these bits, so that a clock cannot be read off the wire: 2^24 ns = 16.8 ms. */
const WHITENED_MASK = 0x00ff_ffff;

/** Throws RangeError unless there are 12 bytes: what was opened from an initiation always has them. */
export function tai64n(bytes: Bytes): Tai64n {
  if (bytes.length !== TAI64N_BYTES) throw new RangeError(`a TAI64N is ${TAI64N_BYTES} bytes, not ${bytes.length}`);
  return bytes as Tai64n;
}

/** Less than every timestamp that is sent: what a responder holds before it has accepted one. */
export const TAI64N_ZERO: Tai64n = tai64n(new Uint8Array(TAI64N_BYTES));

export interface Tai64nForm {
  readonly base: Tai64nBase;
  readonly whiten: boolean;
}

export function tai64nFromUnix(time: Time, { base, whiten }: Tai64nForm): Tai64n {
  const label = BigInt.asUintN(64, EPOCH + BigInt(base) + BigInt(time.sec));
  const out = new Uint8Array(TAI64N_BYTES);
  putU32be(out, 0, Number(label >> 32n));
  putU32be(out, 4, Number(label & 0xffff_ffffn));
  putU32be(out, 8, whiten ? time.nsec & ~WHITENED_MASK : time.nsec);
  return tai64n(out);
}

/** As it stands on the wire: `nsec` may be out of range in a made-up timestamp. */
export function readTai64n(t: Tai64n): { readonly label: bigint; readonly nsec: number } {
  return { label: u64be(t, 0), nsec: u32be(t, 8) };
}

/** Nanoseconds beyond a second are carried. Seconds beyond 2^53 lose digits; no clock says that. */
export function unixTime(t: Tai64n, base: Tai64nBase): Time {
  const { label, nsec } = readTai64n(t);
  const carry = Math.floor(nsec / NS_PER_SECOND);
  return { sec: Number(label - EPOCH) - base + carry, nsec: nsec - carry * NS_PER_SECOND };
}

/** Negative, zero or positive, as memcmp over the 12 bytes: the order a responder goes by (wp §5.1). */
export function compareTai64n(a: Tai64n, b: Tai64n): number {
  return compareBytes(a, b);
}

/** True for one in 2^24 timestamps of a sender that does not whiten, and for every one of a sender that does. */
export function isWhitened(t: Tai64n): boolean {
  return (u32be(t, 8) & WHITENED_MASK) === 0;
}

export type SenderFamily = 'kernel/wireguard-go/windows' | 'boringtun family' | 'other/unknown';

export interface Tai64nDescription {
  /** The 8 label bytes in hexadecimal. */
  readonly label: string;
  /** undefined where neither the capture's clock nor whitening tells. */
  readonly base: Tai64nBase | undefined;
  readonly decidedBy: 'capture-time' | 'whitening' | 'nothing';
  readonly whitened: boolean;
  /** A guess: small ports and kernels from before the whitening look like neither family. */
  readonly family: SenderFamily;
  /** By the base above, or by 10 where there is none. */
  readonly time: Time;
  /** Sender's clock less the capture's, milliseconds, by the same base; greater than 0 when the sender is ahead. */
  readonly offsetMs?: number;
}

/** Nearer than this to the capture's clock decides for a base; the two bases stand 27 s apart, so only one can be. */
const NEAR_MS = 13_000;

function chooseBase(t: Tai64n, captureTime: Time | undefined): Pick<Tai64nDescription, 'base' | 'decidedBy'> {
  if (captureTime !== undefined) {
    for (const base of [10, 37] as const) {
      if (Math.abs(msBetween(captureTime, unixTime(t, base))) < NEAR_MS) return { base, decidedBy: 'capture-time' };
    }
  }
  return isWhitened(t) ? { base: 10, decidedBy: 'whitening' } : { base: undefined, decidedBy: 'nothing' };
}

function familyOf(base: Tai64nBase | undefined, whitened: boolean, nsec: number): SenderFamily {
  if (nsec >= NS_PER_SECOND) return 'other/unknown';
  if (base === 10 && whitened) return 'kernel/wireguard-go/windows';
  return base === 37 && !whitened ? 'boringtun family' : 'other/unknown';
}

/** What one timestamp tells about its sender, given when the capture saw it, if it knows. */
export function describeTai64n(t: Tai64n, captureTime?: Time): Tai64nDescription {
  const whitened = isWhitened(t);
  const { base, decidedBy } = chooseBase(t, captureTime);
  const time = unixTime(t, base ?? 10);
  return {
    label: toHex(t.subarray(0, 8)),
    base,
    decidedBy,
    whitened,
    family: familyOf(base, whitened, u32be(t, 8)),
    time,
    ...(captureTime === undefined ? {} : { offsetMs: msBetween(captureTime, time) }),
  };
}
