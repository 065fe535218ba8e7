/** Drops told as they happen: each new one at once with what to do about it, the rest counted, so that no flood fills a log. */
import type { Endpoint } from '../base/address.ts';
import type { Now } from '../base/time.ts';
import { FINDING_OF_DROP } from '../wg/catalogue.ts';
import type { Drop } from '../wg/drop.ts';
import type { DropWords } from './drop-words.ts';

export interface LiveDropsOptions {
  readonly now: () => Now;
  readonly inWords: (drop: Drop) => DropWords;
  /** Gets whole lines. */
  readonly write: (line: string) => void;
  /** Whether `wgwhy rules` has a page of this name. */
  readonly hasPage: (finding: string) => boolean;
}

/** The same drop from the same sender is told again after so long, with how often it was in between. */
const QUIET_MS = 10_000;
/** Senders of one kind of drop that are told in that time; further ones are counted together. */
const MOST_SENDERS = 4;

interface Told {
  untilMs: number;
  more: number;
  readonly label: string;
}

/** Of one kind: its senders, and those that came on top. */
interface Kind {
  readonly senders: Map<string, Told>;
  explained: boolean;
}

const OTHERS = 'other senders';

export class LiveDrops {
  readonly #options: LiveDropsOptions;
  readonly #kinds = new Map<Drop['kind'], Kind>();

  constructor(options: LiveDropsOptions) {
    this.#options = options;
  }

  add(drop: Drop, from?: Endpoint): void {
    // A retry that has to wait is the protocol at work.
    if (drop.kind === 'handshake-suppressed') return;
    const { monoMs } = this.#options.now();
    this.flush();
    const kind = this.#kind(drop.kind);
    const label = labelOf(drop, from);
    const known = kind.senders.get(label) ?? (kind.senders.size >= MOST_SENDERS ? kind.senders.get(OTHERS) : undefined);
    if (known !== undefined) {
      known.more++;
      return;
    }
    const told = kind.senders.size >= MOST_SENDERS ? OTHERS : label;
    kind.senders.set(told, { untilMs: monoMs + QUIET_MS, more: 0, label: told });
    this.#tell(drop, label, kind);
  }

  /** Says what was only counted, where its time is over; all of it, at the end. */
  flush(all = false): void {
    const { monoMs } = this.#options.now();
    for (const [kind, { senders }] of this.#kinds) {
      for (const [key, told] of senders) {
        if (!all && told.untilMs > monoMs) continue;
        if (told.more === 0) senders.delete(key);
        else {
          this.#options.write(`dropped: ${told.more} more ${told.label === '' ? '' : `from ${told.label} `}(${kind})`);
          told.more = 0;
          told.untilMs = monoMs + QUIET_MS;
        }
      }
    }
  }

  #kind(kind: Drop['kind']): Kind {
    const known = this.#kinds.get(kind) ?? { senders: new Map(), explained: false };
    this.#kinds.set(kind, known);
    return known;
  }

  #tell(drop: Drop, label: string, kind: Kind): void {
    const { inWords, write, hasPage } = this.#options;
    const { what, fix } = inWords(drop);
    write(`dropped${label === '' ? '' : ` from ${label}`}: ${what} (${drop.kind})`);
    if (kind.explained) return;
    kind.explained = true;
    const finding = FINDING_OF_DROP[drop.kind];
    const page = hasPage(finding) ? [`wgwhy rules ${finding}`] : [];
    const more = [...(fix === undefined ? [] : [fix]), ...page].join('; ');
    if (more !== '') write(`  ${more}`);
  }
}

/** Port and all: behind one NAT address there are many. */
function labelOf(drop: Drop, from: Endpoint | undefined): string {
  if (from !== undefined) return from.text;
  if ('identity' in drop) return '';
  if (drop.kind === 'rate-limited') return drop.source;
  return '';
}
