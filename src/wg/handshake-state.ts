/** The own initiations of one peer that may still be answered, and when one was last sent. */
import type { PrivateKey } from '../base/keys.ts';
import type { Transcript } from './noise/initiation.ts';

export interface OwnInitiation {
  readonly transcript: Transcript;
  /** E_i */
  readonly ephemeral: PrivateKey;
  readonly sentAtMs: number;
}

function wipe(own: OwnInitiation): number {
  own.transcript.noise.wipe();
  own.ephemeral.fill(0);
  return own.transcript.sender;
}

/** Transitions return the indices that are free again. */
export class HandshakeState {
  readonly #keepsEarlier: boolean;
  #own: OwnInitiation | undefined;
  #earlier: OwnInitiation | undefined;
  /** Any handshake message: an initiation or a response. */
  #lastSentMs = Number.NEGATIVE_INFINITY;
  /** The first of the initiations in a row. */
  #firstMs: number | undefined;
  /** Retries since then, or since the last new packet. */
  #retries = 0;

  constructor(keepsEarlier: boolean) {
    this.#keepsEarlier = keepsEarlier;
  }

  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  get retries(): number {
    return this.#retries;
  }

  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** The last own initiation, while it is unanswered. */
  get own(): OwnInitiation | undefined {
    return this.#own;
  }

  find(index: number): OwnInitiation | undefined {
    if (this.#own?.transcript.sender === index) return this.#own;
    return this.#earlier?.transcript.sender === index ? this.#earlier : undefined;
  }

  initiated(own: OwnInitiation): number[] {
    const freed = this.#replaceOwn(own);
    this.#firstMs ??= own.sentAtMs;
    this.#lastSentMs = own.sentAtMs;
    return freed;
  }

  /** An initiation of the other side was answered: it takes the place of ours (kernel noise.c). */
  responded(nowMs: number): number[] {
    this.#lastSentMs = nowMs;
    return this.#replaceOwn(undefined);
  }

  /** A handshake attempt that could not even be made counts as sent (kernel send.c). */
  attempted(nowMs: number): void {
    this.#lastSentMs = nowMs;
  }

  retry(): void {
    this.#retries++;
  }

  restartRetries(): void {
    this.#retries = 0;
  }

  /** A response was accepted; its index becomes the session's. */
  answered(own: OwnInitiation): void {
    wipe(own);
    if (own === this.#own) this.#own = undefined;
    else this.#earlier = undefined;
  }

  /** The row of initiations has ended: there is a session, or it was given up. */
  rowEnded(): void {
    this.#retries = 0;
    this.#firstMs = undefined;
  }

  /** Given up, zeroed, or the keys changed. */
  clear(): number[] {
    const freed = [this.#own, this.#earlier].filter((own) => own !== undefined).map(wipe);
    this.#own = undefined;
    this.#earlier = undefined;
    this.#firstMs = undefined;
    return freed;
  }

  /** So that the next initiation need not wait (kernel noise.c, on a new private key). */
  forgetLastSent(): void {
    this.#lastSentMs = Number.NEGATIVE_INFINITY;
  }

  #replaceOwn(own: OwnInitiation | undefined): number[] {
    const gone = this.#keepsEarlier ? this.#earlier : this.#own;
    if (this.#keepsEarlier) this.#earlier = this.#own;
    this.#own = own;
    return gone === undefined ? [] : [wipe(gone)];
  }
}
