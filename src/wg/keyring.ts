/** The sessions of one peer and how they follow each other: previous, current, next (wp §6.3, kernel noise.c). */
import type { Session } from './session.ts';

/** Each transition returns the sessions that fell out: the owner frees their indices and wipes them. */
export class Keyring {
  #previous: Session | undefined;
  #current: Session | undefined;
  #next: Session | undefined;

  get previous(): Session | undefined {
    return this.#previous;
  }

  /** The one to send with. */
  get current(): Session | undefined {
    return this.#current;
  }

  /** A responder's, until the first data under it proves that the initiator has it as well. */
  get next(): Session | undefined {
    return this.#next;
  }

  /** Just derived. An initiator's is used at once; a responder's waits, and what was previous is forgotten. */
  add(session: Session): readonly Session[] {
    const [previous, current, next] = [this.#previous, this.#current, this.#next];
    if (session.role === 'responder') {
      this.#next = session;
      this.#previous = undefined;
      return present(previous, next);
    }
    this.#current = session;
    this.#next = undefined;
    this.#previous = next ?? current;
    return next === undefined ? present(previous) : present(previous, current);
  }

  /** Something authentic came under `session`: undefined unless that confirms it, and so moves all up. */
  confirm(session: Session): readonly Session[] | undefined {
    if (session !== this.#next) return undefined;
    const fallen = present(this.#previous);
    this.#previous = this.#current;
    this.#current = session;
    this.#next = undefined;
    return fallen;
  }

  /** After a new private key: what is there may still receive (kernel noise.c, expire_current_peer_keypairs). */
  stopSending(): void {
    this.#current?.stopSending();
    this.#next?.stopSending();
  }

  clear(): readonly Session[] {
    const all = this.sessions();
    this.#previous = undefined;
    this.#current = undefined;
    this.#next = undefined;
    return all;
  }

  sessions(): readonly Session[] {
    return present(this.#previous, this.#current, this.#next);
  }
}

function present(...sessions: readonly (Session | undefined)[]): readonly Session[] {
  return sessions.filter((session) => session !== undefined);
}
