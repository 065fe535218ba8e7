/** A WireGuard peer without clock, randomness or sockets: what happens goes in, what is to be done comes out. */
import { u8 } from '../base/bytes.ts';
import type { PublicKey } from '../base/keys.ts';
import type { Now } from '../base/time.ts';
import { configure } from './configure.ts';
import { TYPE } from './constants.ts';
import { Core, type DeviceOptions } from './core.ts';
import type { DropKind, PeerId } from './drop.ts';
import { DATA_MIN_BYTES } from './message/data.ts';
import { decodeMessage } from './message/decode.ts';
import { LINUX, type Policy } from './policy.ts';
import { receiveData } from './receive-data.ts';
import { receiveCookieReply, receiveInitiation, receiveResponse } from './receive-handshake.ts';
import { runTimers } from './run-timers.ts';
import { sendPacket } from './send-data.ts';
import { type DeviceSecrets, deviceSecrets, type PeerStatus, peerStatus } from './status.ts';
import type { DatagramInput, Effect, Input, SocketErrorInput, Step, Verdict } from './step.ts';
import type { TimerName } from './timers.ts';

export interface Deadline {
  /** On the monotonic clock; perhaps already past. */
  readonly atMs: number;
  readonly timer: TimerName;
  readonly peer: PeerId;
}

const DONE: Verdict = { kind: 'done' };

/**
 * Same inputs, same bytes out. Whoever drives it does the effects in their order, and gives it a tick when
 * {@link nextDeadline} has come. A refused datagram leaves nothing behind but counters and the load accounts; after
 * authentication the window, endpoint, confirmation and timers stay, even if the inner packet is then refused.
 */
export class Device {
  readonly #core: Core;

  constructor(options: DeviceOptions) {
    this.#core = new Core({ ...options, policy: options.policy ?? LINUX });
  }

  get policy(): Policy {
    return this.#core.policy;
  }

  get publicKey(): PublicKey | undefined {
    return this.#core.identity?.publicKey;
  }

  /** Inputs never throw. `now.monoMs` must not go back; `now.wall` may do as clocks do. */
  handle(input: Input, now: Now): Step {
    const effects: Effect[] = [];
    return { verdict: this.#verdict(input, now, effects), effects };
  }

  /** When the next tick is due, and for what; undefined when nothing is waited for. */
  nextDeadline(): Deadline | undefined {
    const peer = this.#core.deadlines.first;
    const timer = peer?.timers.earliest;
    return peer === undefined || timer === undefined ? undefined : { atMs: peer.earliestMs, timer, peer: peer.id };
  }

  /** In the order in which they were added. */
  peers(): PeerStatus[] {
    return [...this.#core.peers.values()].map((peer) => peerStatus(this.#core, peer));
  }

  /**
   * The private key, clamped, and the preshared keys: copies. For one purpose only, the answer of a control socket of
   * mode 0600 (`wg showconf`, `wg syncconf`); never for a status, a log or a report, which have {@link peers}.
   */
  secrets(): DeviceSecrets {
    return deviceSecrets(this.#core);
  }

  /** How often each kind was refused since the device was made. */
  drops(): ReadonlyMap<DropKind, number> {
    return new Map(this.#core.dropCounts);
  }

  /** Indices in use: at most two handshakes and three sessions for each peer. */
  get indices(): number {
    return this.#core.index.size;
  }

  #verdict(input: Input, now: Now, effects: Effect[]): Verdict {
    switch (input.kind) {
      case 'datagram':
        return this.#receive(input, now, effects);
      case 'packet':
        return sendPacket(this.#core, input, now, effects);
      case 'tick':
        runTimers(this.#core, now, effects);
        return DONE;
      case 'socket-error':
        return this.#socketError(input);
      case 'configure':
        return configure(this.#core, input, now, effects);
    }
  }

  #receive(input: DatagramInput, now: Now, effects: Effect[]): Verdict {
    const core = this.#core;
    const { bytes } = input;
    const { ignoresReserved } = core.policy;
    // The path of nearly every packet makes no message object.
    if (u8(bytes, 0) === TYPE.data && bytes.length >= DATA_MIN_BYTES) {
      if (ignoresReserved || (u8(bytes, 1) | u8(bytes, 2) | u8(bytes, 3)) === 0) {
        return receiveData(core, input, now, effects);
      }
    }
    const decoded = decodeMessage(bytes, { ignoreReserved: ignoresReserved });
    if (!decoded.ok) return core.refuse(decoded.error);
    const message = decoded.value;
    switch (message.kind) {
      case 'initiation':
        return receiveInitiation(core, message, input, now, effects);
      case 'response':
        return receiveResponse(core, message, input, now, effects);
      case 'cookie-reply':
        return receiveCookieReply(core, message, input, now, effects);
      case 'data':
        return receiveData(core, input, now, effects);
    }
  }

  /** The message is lost, and the address it was to leave from may be why (kernel socket.c). */
  #socketError({ peer, to, error }: SocketErrorInput): Verdict {
    const known = peer === undefined ? undefined : this.#core.peers.get(peer);
    if (known !== undefined) known.local = undefined;
    return this.#core.refuse({ kind: 'socket-error', peer, to: to.text, error });
  }
}
