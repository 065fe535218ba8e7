/** Lines that may come by the thousand: the first of a sort at once, the rest counted, so that no flood fills a log. */
import type { Now } from '../base/time.ts';

export interface Occasion {
  /** Those of one sort are counted together. */
  readonly sort: string;
  /** Empty where there is none to tell apart. */
  readonly sender: string;
  line(): string;
  /** Said below the first of its sort, and never again. */
  explanation?(): string | undefined;
  /** Said of those that were not told. */
  more(count: number, sender: string): string;
}

/** The same from the same sender is told again after so long, with how often it was in between. */
const QUIET_MS = 10_000;
/** Senders of one sort that are told in that time; further ones are counted together. */
const MOST_SENDERS = 4;
const OTHERS = 'other senders';

interface Told {
  readonly occasion: Occasion;
  readonly sender: string;
  untilMs: number;
  more: number;
}

export interface SeldomOptions {
  readonly now: () => Now;
  /** Gets whole lines. */
  readonly write: (line: string) => unknown;
}

export class Seldom {
  readonly #options: SeldomOptions;
  /** By sort, then by sender. */
  readonly #told = new Map<string, Map<string, Told>>();
  readonly #explained = new Set<string>();

  constructor(options: SeldomOptions) {
    this.#options = options;
  }

  tell(occasion: Occasion): void {
    this.flush();
    const { sort, sender } = occasion;
    const senders = this.#told.get(sort) ?? new Map<string, Told>();
    this.#told.set(sort, senders);
    const isFull = senders.size >= MOST_SENDERS;
    const known = senders.get(sender) ?? (isFull ? senders.get(OTHERS) : undefined);
    if (known !== undefined) {
      known.more++;
      return;
    }
    const slot = isFull ? OTHERS : sender;
    const untilMs = this.#options.now().monoMs + QUIET_MS;
    senders.set(slot, { occasion, sender: slot, untilMs, more: 0 });
    this.#options.write(occasion.line());
    if (this.#explained.has(sort)) return;
    this.#explained.add(sort);
    const explanation = occasion.explanation?.();
    if (explanation !== undefined) this.#options.write(explanation);
  }

  /** Says what was only counted, where its time is over; all of it, at the end. */
  flush(all = false): void {
    const { monoMs } = this.#options.now();
    for (const senders of this.#told.values()) {
      for (const [slot, told] of senders) {
        if (!all && told.untilMs > monoMs) continue;
        if (told.more === 0) senders.delete(slot);
        else {
          this.#options.write(told.occasion.more(told.more, told.sender));
          told.more = 0;
          told.untilMs = monoMs + QUIET_MS;
        }
      }
    }
  }
}
