/** Times of day as whole seconds and nanoseconds: they never pass through a float. Differences are milliseconds. */

/** Seconds since 1970-01-01T00:00:00Z and nanoseconds within that second, 0 to 999 999 999. */
export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

/** What the engine is told about now: timers use `monoMs` only, TAI64N `wall` only. */
export interface Now {
  readonly monoMs: number;
  readonly wall: Time;
}

export function compareTime(a: Time, b: Time): number {
  return a.sec - b.sec || a.nsec - b.nsec;
}

/** `later − earlier` in milliseconds, exact to the nanosecond for gaps below ten days. */
export function msBetween(earlier: Time, later: Time): number {
  return (later.sec - earlier.sec) * 1000 + (later.nsec - earlier.nsec) / 1e6;
}

export function nsBetween(earlier: Time, later: Time): bigint {
  return BigInt(later.sec - earlier.sec) * 1_000_000_000n + BigInt(later.nsec - earlier.nsec);
}

export function addNs(time: Time, ns: bigint): Time {
  const total = BigInt(time.sec) * 1_000_000_000n + BigInt(time.nsec) + ns;
  let sec = total / 1_000_000_000n;
  let nsec = total % 1_000_000_000n;
  if (nsec < 0n) {
    nsec += 1_000_000_000n;
    sec -= 1n;
  }
  return { sec: Number(sec), nsec: Number(nsec) };
}

/** RFC 3339, UTC, nine digits; a second outside the years 1 to 9999 is written as `@seconds.nanoseconds`. */
export function formatTime(time: Time): string {
  const fraction = String(time.nsec).padStart(9, '0');
  if (time.sec < -62_135_596_800 || time.sec > 253_402_300_799) return `@${time.sec}.${fraction}`;
  return `${new Date(time.sec * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}
