/** Drops and ICMP errors told as they happen, each new one with what to do about it. */
import type { Endpoint } from '../base/address.ts';
import type { Now } from '../base/time.ts';
import type { SocketTrouble } from '../io/linux/icmp-error.ts';
import { FINDING_OF_DROP } from '../wg/catalogue.ts';
import type { Drop } from '../wg/drop.ts';
import type { DropWords } from './drop-words.ts';
import { Seldom } from './seldom.ts';
import { troubleLine } from './up-text.ts';

export interface LiveDropsOptions {
  readonly now: () => Now;
  readonly inWords: (drop: Drop) => DropWords;
  /** Gets whole lines. */
  readonly write: (line: string) => unknown;
  /** Whether `wgwhy rules` has a page of this name. */
  readonly hasPage: (finding: string) => boolean;
}

const from = (sender: string): string => (sender === '' ? '' : ` from ${sender}`);

export class LiveDrops {
  readonly #options: LiveDropsOptions;
  readonly #lines: Seldom;

  constructor(options: LiveDropsOptions) {
    this.#options = options;
    this.#lines = new Seldom(options);
  }

  /** `sender` of what came in, port and all: behind one NAT address there are many. */
  add(drop: Drop, sender?: Endpoint): void {
    const { kind } = drop;
    // A retry that has to wait is the protocol at work.
    if (kind === 'handshake-suppressed') return;
    const { inWords, hasPage } = this.#options;
    const finding = FINDING_OF_DROP[kind];
    this.#lines.tell({
      sort: kind,
      sender: sender?.text ?? '',
      line: () => `dropped${from(sender?.text ?? '')}: ${inWords(drop).what} (${kind})`,
      explanation: () => {
        const page = hasPage(finding) ? [`wgwhy rules ${finding}`] : [];
        const parts = [inWords(drop).fix ?? [], page].flat();
        return parts.length === 0 ? undefined : `  ${parts.join('; ')}`;
      },
      more: (count, who) => `dropped: ${count} more${from(who)} (${kind})`,
    });
  }

  addTrouble(trouble: SocketTrouble): void {
    const { code, icmp } = trouble;
    this.#lines.tell({
      sort: `trouble ${code}`,
      sender: icmp?.from ?? '',
      line: () => troubleLine(trouble),
      more: (count, who) => `${count} more${from(who)} (${code})`,
    });
  }

  /** Says what was only counted, where its time is over; all of it, at the end. */
  flush(all = false): void {
    this.#lines.flush(all);
  }
}
