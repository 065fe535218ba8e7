/** Drops and ICMP errors told as they happen, each new one with what to do about it. */
import type { Endpoint } from '../base/address.ts';
import type { Now } from '../base/time.ts';
import type { SocketTrouble } from '../io/linux/icmp-error.ts';
import { FINDING_OF_DROP } from '../wg/catalogue.ts';
import type { Drop } from '../wg/drop.ts';
import type { DropWords, PeerName } from './drop-words.ts';
import { Seldom } from './seldom.ts';
import { troubleKind, troubleLine } from './up-text.ts';

export interface LiveDropsOptions {
  readonly now: () => Now;
  readonly name: PeerName;
  readonly inWords: (drop: Drop) => DropWords;
  /** Gets whole lines. */
  readonly write: (line: string) => unknown;
  /** Whether `wgwhy rules` has a page of this name. */
  readonly hasPage: (finding: string) => boolean;
}

const LOOP_PAGE = 'endpoint-loops-into-tunnel';

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
    const { inWords } = this.#options;
    const from = sender === undefined ? '' : ` from ${sender.text}`;
    const verb = kind === 'peer-is-self' ? 'left out' : 'dropped';
    this.#lines.tell({
      sort: kind,
      subject: sender?.text ?? this.#target(drop),
      line: () => `${verb}${from}: ${inWords(drop).what} (${kind})`,
      explanation: () => this.#advice(inWords(drop).fix, FINDING_OF_DROP[kind]),
      more: (count, who) => `dropped: ${count} more${about(sender === undefined ? 'to' : 'from', who)} (${kind})`,
    });
  }

  addTrouble(trouble: SocketTrouble): void {
    const { code, icmp } = trouble;
    const what = troubleKind(trouble);
    this.#lines.tell({
      sort: `trouble ${code} ${what}`,
      subject: icmp?.from ?? '',
      line: () => troubleLine(trouble),
      more: (count, who) => `${count} more${about('from', who)}: ${what}`,
    });
  }

  /** One of our own datagrams was routed into the tunnel that it carries. */
  addLoop({ text }: Endpoint): void {
    const host = text.slice(0, text.lastIndexOf(':')).replace(/^\[|\]$/g, '');
    this.#lines.tell({
      sort: 'loop',
      subject: text,
      line: () => `dropped: what this tunnel sends to ${text} was routed into the tunnel itself`,
      explanation: () =>
        this.#advice(
          `AllowedIPs cover that endpoint: take it out of them, or give it a way of its own: ip route add ${host} via GATEWAY`,
          LOOP_PAGE,
        ),
      more: (count, who) => `dropped: ${count} more${about('to', who)} (routed into the tunnel itself)`,
    });
  }

  /** Says what was only counted, where its time is over; all of it, at the end. */
  flush(all = false): void {
    this.#lines.flush(all);
  }

  /** Of what this machine wanted to send: whom it was for. */
  #target(drop: Drop): string {
    if ('destination' in drop) return drop.destination;
    return 'peer' in drop && drop.peer !== undefined ? this.#options.name(drop.peer) : '';
  }

  #advice(fix: string | undefined, finding: string): string | undefined {
    const page = this.#options.hasPage(finding) ? [`wgwhy rules ${finding}`] : [];
    const parts = [fix ?? [], page].flat();
    return parts.length === 0 ? undefined : `  ${parts.join('; ')}`;
  }
}

const about = (way: 'from' | 'to', who: string): string => (who === '' ? '' : ` ${way} ${who}`);
