/** The lines of a running tunnel as they come: what happens to its peers on one output, what goes wrong on the other. */
import { toBase64 } from '../base/base64.ts';
import type { Now } from '../base/time.ts';
import type { LookedUp } from '../io/tunnel.ts';
import type { UpOptions } from '../io/up/up.ts';
import type { PeerId } from '../wg/drop.ts';
import type { DeviceEvent } from '../wg/step.ts';
import { dropInWords, type PeerName } from './drop-words.ts';
import { LiveDrops } from './live-drops.ts';
import { Retries } from './retries.ts';
import { Seldom } from './seldom.ts';
import { changesLine, eventLine, lookUpLine } from './up-text.ts';

export interface UpLinesOptions {
  readonly now: () => Now;
  readonly name: PeerName;
  /** Get whole lines. */
  readonly out: (line: string) => unknown;
  readonly err: (line: string) => unknown;
  /** Whether `wgwhy rules` has a page of this name. */
  readonly hasPage: (finding: string) => boolean;
}

export type UpHandlers = Required<
  Pick<UpOptions, 'onEvent' | 'onUnanswered' | 'onDrop' | 'onTrouble' | 'onLoop' | 'onLookUp' | 'onChange' | 'onNote'>
>;

export class UpLines {
  readonly #options: UpLinesOptions;
  readonly #drops: LiveDrops;
  readonly #moves: Seldom;
  readonly #retries: Retries;
  /** Peers whose endpoint is a name without an address, which is said once. */
  readonly #unresolved = new Set<PeerId>();

  constructor(options: UpLinesOptions) {
    const { now, name, out, err, hasPage } = options;
    this.#options = options;
    this.#drops = new LiveDrops({
      now,
      name,
      hasPage,
      write: err,
      inWords: (drop) => dropInWords(drop, name, (key) => toBase64(key)),
    });
    this.#moves = new Seldom({ now, write: out });
    this.#retries = new Retries(now);
  }

  get handlers(): UpHandlers {
    const { name, out } = this.#options;
    return {
      onEvent: (event, peer) => this.#event(event, peer),
      onUnanswered: (peer) => {
        const line = this.#retries.add(peer, name(peer));
        if (line !== undefined) out(line);
      },
      onDrop: (drop, from) => {
        if (drop.kind === 'handshake-gave-up') this.#retries.end(drop.peer);
        this.#drops.add(drop, from);
      },
      onTrouble: (trouble) => this.#drops.addTrouble(trouble),
      onLoop: (to) => this.#drops.addLoop(to),
      onLookUp: (found, peer) => this.#lookedUp(found, peer),
      onChange: (changes) => out(changesLine(changes, name)),
      onNote: (text) => this.note(text),
    };
  }

  note(text: string): void {
    this.#options.err(`note: ${text}`);
  }

  #event(event: DeviceEvent, peer: PeerId): void {
    const { name, out } = this.#options;
    const { what } = event;
    if (what === 'handshake-complete') this.#retries.end(peer);
    const line = eventLine(name(peer), event);
    if (line === undefined) return;
    // Two machines with one key take turns, packet by packet.
    const more = (times: number): string => `${name(peer)} moved ${times} more time${times === 1 ? '' : 's'}`;
    if (what === 'endpoint-learned') this.#moves.tell({ sort: peer, subject: '', line: () => line, more });
    else out(line);
  }

  #lookedUp(found: LookedUp, peer: PeerId): void {
    const line = lookUpLine(this.#options.name(peer), found);
    if (found.kind === 'unresolved') {
      if (!this.#unresolved.has(peer)) this.note(line);
      this.#unresolved.add(peer);
      return;
    }
    this.#unresolved.delete(peer);
    if (found.from?.text !== found.to.text) this.#options.out(line);
  }

  /** Says what was only counted, where its time is over; all of it, at the end. */
  flush(all = false): void {
    this.#drops.flush(all);
    this.#moves.flush(all);
  }
}
