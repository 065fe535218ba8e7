/**
 * The kernel's timer rules as an observer sees them (reference/protocol.md §2): holds what one host does about one peer
 * against its own account of what it must do by when, what it may do, and under which session. Policy `linux`.
 */
import { u32le, u64le } from '../../src/base/bytes.ts';
import type { PeerStatus } from '../../src/wg/status.ts';
import type { DeviceEvent, Effect, Input, Step } from '../../src/wg/step.ts';

/** The paper's numbers, written here once more: a slip in the engine's own must show. */
const REKEY_TIMEOUT = 5000;
const JITTER = 333;
const KEEPALIVE = 10_000;
const REKEY_AFTER = 120_000;
const REJECT_AFTER = 180_000;
const LAST_MINUTE = 165_000;
const ZERO_AFTER = 540_000;
const ATTEMPTS = 20;

/** To happen from `loMs` to `hiMs`; `must` is false where two things in one step leave their order open. */
interface Due {
  readonly loMs: number;
  readonly hiMs: number;
  readonly must: boolean;
}

interface Known {
  readonly role: 'initiator' | 'responder';
  readonly local: number;
  readonly remote: number;
  readonly atMs: number;
  sent: bigint;
}

type Send = Extract<Effect, { kind: 'send' }>;

const INNER_REFUSALS = new Set(['inner-too-short', 'inner-version', 'inner-length', 'source-not-allowed']);

/** What was received, if it was authentic: then timers take notice even of a packet that is refused for what is inside. */
function authentic({ verdict }: Step): string | undefined {
  if (verdict.kind === 'refused') return INNER_REFUSALS.has(verdict.drop.kind) ? 'data' : undefined;
  return verdict.kind === 'accepted' && verdict.message !== 'cookie-reply' ? verdict.message : undefined;
}

export class RuleBook {
  readonly #fault: (text: string) => void;
  #persistentMs: number;
  #nowMs = 0;
  #previous: Known | undefined;
  #current: Known | undefined;
  #next: Known | undefined;
  #handshakeSentMs = Number.NEGATIVE_INFINITY;
  #retransmit: Due | undefined;
  #keepalive: Due | undefined;
  #anotherKeepalive: 'no' | 'maybe' | 'yes' = 'no';
  #silence: Due | undefined;
  #persistent: Due | undefined;
  #zero: Due | undefined;
  #lastMinuteUsed = false;
  /** When something other than a retry last asked for a handshake; undefined where that is not sure. */
  #wantedMs: number | undefined;
  /** What a keepalive that fires in this step leaves to be done after it. */
  #rearm: 'no' | 'maybe' | 'yes' = 'no';
  /** Completed ones. */
  handshakes = 0;

  constructor(persistentKeepalive: number, fault: (text: string) => void) {
    this.#persistentMs = persistentKeepalive * 1000;
    this.#fault = fault;
  }

  /** Before an input: nothing may be overdue. */
  before(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#retransmit = this.#notLate(this.#retransmit, 'retransmit-handshake');
    this.#keepalive = this.#notLate(this.#keepalive, 'send-keepalive');
    this.#silence = this.#notLate(this.#silence, 'new-handshake');
    this.#persistent = this.#notLate(this.#persistent, 'persistent-keepalive');
    this.#zero = this.#notLate(this.#zero, 'zero-keys');
  }

  /** `effects` are those of this peer, `mine` is whether the input is to or from it. */
  after(input: Input, step: Step, effects: readonly Effect[], mine: boolean): void {
    const sends = effects.filter((effect) => effect.kind === 'send');
    const drops = effects.flatMap((effect) => (effect.kind === 'drop' ? [effect.drop.kind] : []));
    const events = effects.flatMap((effect) => (effect.kind === 'event' ? [effect.event] : []));
    const tried =
      sends.some(({ message }) => message === 'initiation') ||
      drops.includes('handshake-suppressed') ||
      drops.includes('no-endpoint');
    const causes = this.#causes(input, mine, events);
    const hadSession = this.#usable(this.#current);
    if (input.kind === 'tick') this.#fireKeepalives(sends.length > 0 || drops.length > 0, causes, hadSession);

    const received = mine && input.kind === 'datagram' ? authentic(step) : undefined;
    // before what goes out in answer, which this cannot have answered
    if (received !== undefined) this.#silence = undefined;
    const wasInitiator = this.#current?.role === 'initiator' ? this.#current : undefined;
    for (const effect of effects) {
      if (effect.kind === 'event') this.#event(effect.event);
      else if (effect.kind === 'send') this.#sent(effect, causes, hadSession, input);
      else if (effect.kind === 'drop') this.#dropped(effect);
    }
    if (this.#rearm !== 'no') {
      const atMs = this.#nowMs + KEEPALIVE;
      this.#keepalive = { loMs: atMs, hiMs: atMs, must: this.#rearm === 'yes' && sends.length <= 1 };
      this.#rearm = 'no';
    }
    if (input.kind === 'datagram' && received !== undefined) {
      this.#received(input.bytes, received, sends, causes, wasInitiator, tried);
    }

    if (causes.has('rekey') && !tried) this.#fault('no initiation although the session is due for its successor');
    if (causes.has('packet') && !tried) this.#fault('a packet waits and nobody asks for a handshake');
    const fresh = [...causes].filter((cause) => cause !== 'retry');
    if (tried && fresh.length > 0) this.#wantedMs = causes.has('retry') ? undefined : this.#nowMs;
    const initiations = sends.filter(({ message }) => message === 'initiation').length;
    if (initiations > 1) this.#fault(`${initiations} initiations at once`);
    if (initiations > 0 && causes.size === 0) this.#fault('an initiation that no rule asks for');
  }

  /** What the device says of itself must be what follows from what it did. */
  compare(status: PeerStatus): void {
    const slots = [this.#previous, this.#current, this.#next].filter((known) => known !== undefined);
    const mine = slots.map(({ role, local, remote }) => `${role} ${local} ${remote}`).join(', ');
    const its = status.sessions.map(({ role, local, remote }) => `${role} ${local} ${remote}`).join(', ');
    if (mine !== its) this.#fault(`its sessions are [${its}], not [${mine}]`);
    if (status.staged > 128) this.#fault(`${status.staged} packets wait`);
    if (status.staged > 0 && this.#usable(this.#current)) this.#fault('packets wait although there is a session');
    for (const { createdAtMs } of status.sessions) {
      const newest = Math.max(...status.sessions.map((session) => session.createdAtMs));
      if (this.#nowMs - newest > ZERO_AFTER) this.#fault(`a key of ${createdAtMs} outlived its time`);
    }
  }

  #causes(input: Input, mine: boolean, events: readonly DeviceEvent[]): Set<string> {
    const causes = new Set<string>();
    if (mine && input.kind === 'packet' && !this.#usable(this.#current)) causes.add('packet');
    if (mine && input.kind === 'configure') causes.add('configured');
    for (const event of events) {
      if (event.what === 'peer-silent') causes.add('silence');
      if (event.what === 'handshake-retry') causes.add('retry');
    }
    return causes;
  }

  #usable(session: Known | undefined): boolean {
    return session !== undefined && this.#nowMs - session.atMs < REJECT_AFTER;
  }

  #notLate(due: Due | undefined, name: string): Due | undefined {
    if (due === undefined || this.#nowMs <= due.hiMs) return due;
    if (due.must) this.#fault(`${name} was due by ${due.hiMs} and never came`);
    return undefined;
  }

  /** Keepalives have no event: a tick at their time that says anything to or of the peer is theirs. */
  #fireKeepalives(spoke: boolean, causes: Set<string>, hadSession: boolean): void {
    for (const which of ['keepalive', 'persistent'] as const) {
      const due = which === 'keepalive' ? this.#keepalive : this.#persistent;
      if (due === undefined || due.loMs !== this.#nowMs) continue;
      if (!spoke) {
        if (due.must) this.#fault(`${which} is due and nothing was sent`);
        continue;
      }
      causes.add(hadSession ? 'keepalive' : 'keepalive-without-session');
      if (which === 'persistent') this.#persistent = undefined;
      else {
        this.#keepalive = undefined;
        this.#rearm = this.#anotherKeepalive;
        this.#anotherKeepalive = 'no';
      }
    }
  }

  #event(event: DeviceEvent): void {
    const now = this.#nowMs;
    switch (event.what) {
      case 'session-derived': {
        const session = { role: event.role, local: event.local, remote: event.remote, atMs: now, sent: 0n };
        if (event.role === 'initiator') {
          this.#previous = this.#next ?? this.#current;
          this.#current = session;
          this.#next = undefined;
        } else {
          this.#next = session;
          this.#previous = undefined;
        }
        this.#zero = { loMs: now + ZERO_AFTER, hiMs: now + ZERO_AFTER, must: true };
        break;
      }
      case 'handshake-complete':
        this.handshakes++;
        this.#retransmit = undefined;
        this.#lastMinuteUsed = false;
        if (event.role === 'responder') this.#confirm();
        break;
      case 'handshake-retry':
        this.#inTime(this.#retransmit, 'retry');
        this.#retransmit = undefined;
        if (event.retry >= ATTEMPTS) this.#fault(`retry ${event.retry}`);
        if (this.#wantedMs !== undefined && now - this.#wantedMs > (ATTEMPTS - 1) * (REKEY_TIMEOUT + JITTER)) {
          this.#fault('it should have given up');
        }
        break;
      case 'peer-silent':
        this.#inTime(this.#silence, 'handshake after silence');
        this.#silence = undefined;
        break;
      case 'keys-zeroed':
        this.#inTime(this.#zero, 'zeroing');
        this.#zero = undefined;
        this.#previous = undefined;
        this.#current = undefined;
        this.#next = undefined;
        break;
      case 'endpoint-learned':
        break;
    }
  }

  #confirm(): void {
    if (this.#next === undefined) {
      this.#fault('completed as a responder without a session to confirm');
      return;
    }
    this.#previous = this.#current;
    this.#current = this.#next;
    this.#next = undefined;
  }

  #inTime(due: Due | undefined, name: string): void {
    const now = this.#nowMs;
    if (due === undefined) this.#fault(`${name} although nothing armed it`);
    else if (now < due.loMs || now > due.hiMs) this.#fault(`${name} not within ${due.loMs} to ${due.hiMs}`);
  }

  #sent({ message, bytes }: Send, causes: Set<string>, hadSession: boolean, input: Input): void {
    const now = this.#nowMs;
    switch (message) {
      case 'initiation':
        if (now - this.#handshakeSentMs < REKEY_TIMEOUT) {
          this.#fault(`an initiation ${now - this.#handshakeSentMs} ms after a handshake message`);
        }
        this.#handshakeSentMs = now;
        this.#retransmit = { loMs: now + REKEY_TIMEOUT, hiMs: now + REKEY_TIMEOUT + JITTER, must: true };
        break;
      case 'response':
        this.#handshakeSentMs = now;
        break;
      case 'cookie-reply':
        return;
      case 'data':
      case 'keepalive':
        this.#sentUnder(message, bytes, causes);
        if (message === 'keepalive' && input.kind === 'tick' && !causes.has('keepalive') && hadSession) {
          this.#fault('a keepalive that no rule asks for');
        }
        break;
    }
    this.#keepalive = undefined;
    this.#traversed();
  }

  #sentUnder(message: 'data' | 'keepalive', bytes: Uint8Array, causes: Set<string>): void {
    const now = this.#nowMs;
    const session = this.#current;
    const receiver = u32le(bytes, 4);
    if (session?.remote !== receiver) {
      this.#fault(`${message} under ${receiver}, not ${session?.remote}`);
      return;
    }
    const counter = u64le(bytes, 8);
    if (counter !== session.sent) this.#fault(`counter ${counter} after ${session.sent} messages`);
    session.sent = counter + 1n;
    const age = now - session.atMs;
    if (age >= REJECT_AFTER) this.#fault(`${message} under a key of ${age} ms`);
    if (session.role === 'initiator' && age >= REKEY_AFTER) causes.add('rekey');
    if (message === 'keepalive' ? bytes.length !== 32 : bytes.length % 16 !== 0 && bytes.length !== 1420 + 32) {
      this.#fault(`${message} of ${bytes.length} bytes`);
    }
    if (message === 'data' && this.#silence === undefined) {
      const from = now + KEEPALIVE + REKEY_TIMEOUT;
      this.#silence = { loMs: from, hiMs: from + JITTER, must: true };
    }
  }

  #dropped({ drop }: Extract<Effect, { kind: 'drop' }>): void {
    const now = this.#nowMs;
    if (drop.kind === 'handshake-suppressed') {
      if (now - this.#handshakeSentMs >= REKEY_TIMEOUT) this.#fault('an initiation is held back for no reason');
    } else if (drop.kind === 'handshake-gave-up') {
      this.#inTime(this.#retransmit, 'giving up');
      this.#retransmit = undefined;
      this.#keepalive = undefined;
      this.#zero ??= { loMs: now + ZERO_AFTER, hiMs: now + ZERO_AFTER, must: true };
      if (drop.initiations !== ATTEMPTS) this.#fault(`gave up after ${drop.initiations} initiations`);
      if (this.#wantedMs !== undefined && now - this.#wantedMs < (ATTEMPTS - 1) * REKEY_TIMEOUT) {
        this.#fault(`gave up ${now - this.#wantedMs} ms after a handshake was asked for`);
      }
    }
  }

  #received(
    bytes: Uint8Array,
    message: string,
    sends: readonly Send[],
    causes: Set<string>,
    wasInitiator: Known | undefined,
    tried: boolean,
  ): void {
    if (message === 'data' || message === 'keepalive') {
      this.#acceptedUnder(u32le(bytes, 4), message);
      const due = wasInitiator !== undefined && this.#nowMs - wasInitiator.atMs >= LAST_MINUTE;
      if (due && !this.#lastMinuteUsed && this.#current === wasInitiator) {
        this.#lastMinuteUsed = true;
        causes.add('rekey');
        if (!tried) this.#fault('no initiation although data came under a session of 165 s');
      }
    }
    this.#traversed();
    if (message !== 'data') return;
    const now = this.#nowMs;
    const must = sends.length === 0;
    if (this.#keepalive === undefined) this.#keepalive = { loMs: now + KEEPALIVE, hiMs: now + KEEPALIVE, must };
    else this.#anotherKeepalive = this.#keepalive.must && must ? 'yes' : 'maybe';
  }

  #acceptedUnder(local: number, message: string): void {
    const session = [this.#previous, this.#current, this.#next].find((known) => known?.local === local);
    if (session === undefined) {
      this.#fault(`${message} accepted under ${local}, which is no session`);
      return;
    }
    const age = this.#nowMs - session.atMs;
    if (age >= REJECT_AFTER) this.#fault(`${message} accepted under a key of ${age} ms`);
    if (session === this.#next) this.#fault(`${message} accepted under a session that it does not confirm`);
  }

  #traversed(): void {
    if (this.#persistentMs === 0) return;
    const atMs = this.#nowMs + this.#persistentMs;
    this.#persistent = { loMs: atMs, hiMs: atMs, must: true };
  }
}
