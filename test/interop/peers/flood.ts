/** A crowd of strangers that never come back: whoever gets their initiations all at once is under load. */
import type { Endpoint } from '../../../src/base/address.ts';
import type { Bytes } from '../../../src/base/bytes.ts';
import type { PublicKey } from '../../../src/base/keys.ts';
import { emptyInitiation, Stranger } from './stranger.ts';

const STRANGERS = 4;
/** Sent before the event loop gets its turn: a receiver in this process needs one. */
const AT_ONCE = 32;

export class Flood {
  readonly #strangers: readonly Stranger[];
  readonly #messages: readonly Bytes[];

  private constructor(strangers: readonly Stranger[], messages: readonly Bytes[]) {
    this.#strangers = strangers;
    this.#messages = messages;
  }

  /** `from`: an address of ours. */
  static async prepare(from: string, to: Endpoint, responder: PublicKey, count: number): Promise<Flood> {
    const messages = Array.from({ length: count }, () => emptyInitiation(responder));
    const strangers = Array.from({ length: STRANGERS }, () => Stranger.at(from, to, responder));
    return new Flood(await Promise.all(strangers), messages);
  }

  /** All of it, as fast as it goes; `amid` happens when a fifth is gone, so that most of it waits behind that. */
  async burst(amid: () => Promise<void> = async () => {}): Promise<void> {
    const first = Math.floor(this.#messages.length / 5);
    await this.#send(this.#messages.slice(0, first));
    await amid();
    await this.#send(this.#messages.slice(first));
  }

  async #send(messages: readonly Bytes[]): Promise<void> {
    for (let at = 0; at < messages.length; at += AT_ONCE) {
      const portion = messages.slice(at, at + AT_ONCE);
      await Promise.all(portion.map((message, i) => this.#strangers[i % STRANGERS]?.send(message)));
    }
  }

  close(): void {
    for (const stranger of this.#strangers) stranger.close();
  }
}
