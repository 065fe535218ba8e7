/** The machine's clocks and timers, as one object that a test can replace by a virtual one. */
import type { Now, Time } from '../base/time.ts';

export interface Clock {
  now(): Now;
  /** Calls back once, not before that moment of the monotonic clock. Returns what calls it off. */
  at(monoMs: number, run: () => void): () => void;
  /** Calls back after whatever has already arrived was taken in. */
  soon(run: () => void): void;
}

/** What setTimeout can count to; a longer wait is made of several. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/** Milliseconds of a clock that never goes back. The fraction is kept: it tells round trips in a local network. */
const monoMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** The wall clock has milliseconds; TAI64N needs no more, since its sender blurs it to 16.8 ms anyway. */
function wall(): Time {
  const ms = Date.now();
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: (ms - sec * 1000) * 1_000_000 };
}

export const systemClock: Clock = {
  now: () => ({ monoMs: monoMs(), wall: wall() }),
  at(at, run) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = at - monoMs();
      // Node rounds, and may call a millisecond too soon.
      if (left <= 0) run();
      else timer = setTimeout(arm, Math.min(Math.ceil(left), LONGEST_TIMEOUT_MS));
    };
    timer = setTimeout(arm, Math.max(0, Math.min(Math.ceil(at - monoMs()), LONGEST_TIMEOUT_MS)));
    return () => clearTimeout(timer);
  },
  soon(run) {
    setImmediate(run);
  },
};
