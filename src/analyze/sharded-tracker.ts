/** A tracker for its share of a capture: the conversations that fall to it, and of the others what changes a verdict. */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';
import type { CaptureDamage, CaptureFormat, Frame } from '../capture/frame.ts';
import type { Datagram, Decoded } from '../packet/datagram.ts';
import type { MessageKind } from '../wg/drop.ts';
import { shapeOf } from './classify.ts';
import { Conversations, shareOf } from './conversations.ts';
import type { Observer } from './observe.ts';
import type { InitiationSight } from './sight.ts';
import { sighting } from './sighting.ts';
import type { Seen, Timeline } from './timeline.ts';
import { CaptureTracker } from './tracker.ts';
import type { TrackerHooks } from './tracker-hooks.ts';
import type { Unwrapped } from './unwrap/unwrapped.ts';

const EPOCH: Time = { sec: 0, nsec: 0 };

/** The `share`th of `of`, from 0. */
export interface Share {
  readonly share: number;
  readonly of: number;
}

/**
 * Handshakes of all conversations are read by everyone: timestamps, cookies and keys know no endpoints. They are few. Data
 * is opened by the one whose it is.
 */
export class ShardedTracker {
  readonly #share: Share;
  readonly #own: CaptureTracker;
  /** Its timeline is nobody's. */
  readonly #others: CaptureTracker;
  readonly #conversations = new Conversations();
  readonly #observer: Observer;
  readonly #sightOf: (initiation: Seen) => InitiationSight;
  /** What the observer found in a datagram that both are asked about. */
  #unwrapped: { readonly datagram: Datagram; readonly as: Unwrapped | undefined } | undefined;

  /** `sightOf` sees an initiation before the observer does: it must not be of the observer, which counts its work. */
  constructor(
    capture: string,
    observer: Observer,
    hooks: TrackerHooks,
    share: Share,
    sightOf: (initiation: Seen) => InitiationSight,
  ) {
    this.#share = share;
    this.#sightOf = sightOf;
    this.#observer = observer;
    const once: Observer = {
      unwrap: (datagram) => this.#unwrap(datagram),
      initiation: (seen) => observer.initiation(seen),
      response: (seen, exchange) => observer.response(seen, exchange),
      answered: (exchange) => observer.answered(exchange),
      cookie: (seen, exchange) => observer.cookie(seen, exchange),
      session: (keys, initiator, responder) => observer.session(keys, initiator, responder),
      data: (seen) => observer.data(seen),
      receiver: (exchange, toResponder) => observer.receiver(exchange, toResponder),
    };
    this.#own = new CaptureTracker(capture, once, hooks);
    this.#others = new CaptureTracker(capture, once);
  }

  frame(frame: Frame): void {
    this.#own.frame(frame);
  }

  add(decoded: Decoded): void {
    if (decoded.kind === 'datagram') this.#datagram(decoded);
    else if (decoded.kind === 'icmp-error') {
      if (this.#falls(this.#conversations.between(decoded.quoted.from, decoded.quoted.to))) this.#own.add(decoded);
    } else if (this.#share.share === 0) this.#own.add(decoded);
  }

  timeline(
    about: { name: string; format: CaptureFormat; damage: readonly CaptureDamage[] },
    until?: Time | undefined,
  ): Timeline {
    return this.#own.timeline(about, until);
  }

  #datagram(datagram: Datagram): void {
    const { bytes, length } = datagram;
    const shape = shapeOf(bytes, length);
    if (shape?.fits === true && shape.reserved === 0) {
      const own = this.#falls(this.#conversationOf(datagram, shape.kind, bytes));
      if (own) this.#own.add(datagram);
      else if (shape.kind !== 'data') this.#others.add(datagram);
      return;
    }
    const first = this.#unwrap(datagram)?.messages[0];
    const conversation =
      first === undefined
        ? this.#conversations.between(datagram.from, datagram.to)
        : this.#conversationOf(first.datagram, first.kind, first.bytes);
    if (this.#falls(conversation)) this.#own.add(datagram);
    else if (first !== undefined && first.kind !== 'data') this.#others.add(datagram);
  }

  #conversationOf(datagram: Datagram, kind: MessageKind, bytes: Bytes): string {
    const { from, to, frame } = datagram;
    return this.#conversations.of(kind, bytes, from, to, () => {
      const at = { capture: '', frame: frame.number, time: frame.time ?? EPOCH };
      const { mac1, identity } = this.#sightOf(sighting(at, datagram, kind, bytes, bytes.length, undefined));
      return mac1.kind === 'known' && identity !== undefined ? `${toHex(identity)} ${mac1.key.text}` : undefined;
    });
  }

  #falls(conversation: string): boolean {
    return shareOf(conversation, this.#share.of) === this.#share.share;
  }

  #unwrap(datagram: Datagram): Unwrapped | undefined {
    if (this.#unwrapped?.datagram !== datagram) {
      this.#unwrapped = { datagram, as: this.#observer.unwrap?.(datagram) };
    }
    return this.#unwrapped.as;
  }
}
