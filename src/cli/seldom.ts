/** Lines that may come by the thousand: the first of a sort at once, the rest counted, so that no flood fills a log. */
import type { Now } from '../base/time.ts';

export interface Occasion {
  /** Those of one sort are counted together. */
  readonly sort: string;
  /** Whom it is about: told apart from others. Empty where there is nobody. */
  readonly subject: string;
  line(): string;
  /** Said below the first of its sort, and never again. */
  explanation?(): string | undefined;
  /** Said of those that were not told. */
  more(count: number, subject: string): string;
}

/** The same about the same subject is told again after so long, with how often it was in between. */
const QUIET_MS = 10_000;
/** Subjects of one sort that are told in that time; further ones are counted together. */
const MOST_SUBJECTS = 4;
const OTHERS = 'others';

interface Told {
  readonly occasion: Occasion;
  readonly subject: string;
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
  /** By sort, then by subject. */
  readonly #told = new Map<string, Map<string, Told>>();
  readonly #explained = new Set<string>();

  constructor(options: SeldomOptions) {
    this.#options = options;
  }

  tell(occasion: Occasion): void {
    this.flush();
    const { sort, subject } = occasion;
    const subjects = this.#told.get(sort) ?? new Map<string, Told>();
    this.#told.set(sort, subjects);
    const isFull = subjects.size >= MOST_SUBJECTS;
    const known = subjects.get(subject) ?? (isFull ? subjects.get(OTHERS) : undefined);
    if (known !== undefined) {
      known.more++;
      return;
    }
    const slot = isFull ? OTHERS : subject;
    const untilMs = this.#options.now().monoMs + QUIET_MS;
    subjects.set(slot, { occasion, subject: slot, untilMs, more: 0 });
    this.#options.write(occasion.line());
    if (this.#explained.has(sort)) return;
    this.#explained.add(sort);
    const explanation = occasion.explanation?.();
    if (explanation !== undefined) this.#options.write(explanation);
  }

  /** Says what was only counted, where its time is over; all of it, at the end. */
  flush(all = false): void {
    const { monoMs } = this.#options.now();
    for (const subjects of this.#told.values()) {
      for (const [slot, told] of subjects) {
        if (!all && told.untilMs > monoMs) continue;
        if (told.more === 0) subjects.delete(slot);
        else {
          this.#options.write(told.occasion.more(told.more, told.subject));
          told.more = 0;
          told.untilMs = monoMs + QUIET_MS;
        }
      }
    }
  }
}
