/** Drives a device for real: datagrams and packets in, effects done in their order, ticks when they are due. */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, u8 } from '../base/bytes.ts';
import { TYPE } from '../wg/constants.ts';
import type { Device } from '../wg/device.ts';
import type { Drop, PeerId } from '../wg/drop.ts';
import type { Change, DeviceEvent, Effect, Input, Verdict } from '../wg/step.ts';
import type { Clock } from './clock.ts';

export type SendEffect = Extract<Effect, { readonly kind: 'send' }>;

/** What the driver tells. They are called one after the other, never while the device is at work. */
export interface DeviceHooks {
  /** Puts a datagram on its way, from `local` and with `tos` where the socket can. */
  send(message: SendEffect): void;
  onPacket?(packet: Bytes, peer: PeerId): void;
  onEvent?(event: DeviceEvent, peer: PeerId): void;
  /** Everything refused, whether it came in or was to go out; `from` of what came in. */
  onDrop?(drop: Drop, from?: Endpoint): void;
  /** The verdict on each datagram, after its effects. */
  onDatagram?(verdict: Verdict, from: Endpoint, bytes: Bytes): void;
}

interface Waiting {
  readonly bytes: Bytes;
  readonly from: Endpoint;
  readonly local: Endpoint | undefined;
}

/** Handshakes judged before the event loop gets its turn: each costs a few DHs, and data must not wait for a flood. */
const HANDSHAKES_A_TURN = 8;
/** Where a policy knows no queue, memory still needs a bound. */
const MOST_WAITING = 4096;

/**
 * Handshake messages wait in a queue as they do in the kernel, so that load is seen (wp §5.3); data goes straight in.
 * Nothing happens any more after {@link close}.
 */
export class DeviceDriver {
  readonly device: Device;
  readonly #clock: Clock;
  readonly #hooks: DeviceHooks;
  readonly #handshakes: Waiting[] = [];
  #draining = false;
  #closed = false;
  #armedForMs: number | undefined;
  #disarm: (() => void) | undefined;

  constructor(device: Device, clock: Clock, hooks: DeviceHooks) {
    this.device = device;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** A UDP payload, which becomes the driver's: data is opened in its place. `local` is where it was sent to. */
  datagram(bytes: Bytes, from: Endpoint, local?: Endpoint): void {
    if (this.#closed) return;
    const arrived = { bytes, from, local };
    if (u8(bytes, 0) === TYPE.data) this.#receive(arrived, 0);
    else if (this.#handshakes.length >= MOST_WAITING) this.#receive(arrived, this.#handshakes.length);
    else {
      this.#handshakes.push(arrived);
      this.#drainSoon();
    }
  }

  /** An inner IP packet to send. Refusals are told here, and not to `onDrop`. */
  packet(bytes: Bytes): Verdict {
    return this.#handle({ kind: 'packet', bytes });
  }

  configure(change: Change): Verdict {
    return this.#handle({ kind: 'configure', ...change });
  }

  /** What became of an earlier `send`; `error` is a code such as ECONNREFUSED. */
  socketError(peer: PeerId | undefined, to: Endpoint, error: string): void {
    if (this.#closed) return;
    const verdict = this.#handle({ kind: 'socket-error', peer, to, error });
    if (verdict.kind === 'refused') this.#hooks.onDrop?.(verdict.drop);
  }

  /** Ends timers and forgets the private key, every peer and every session. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handshakes.length = 0;
    this.#disarm?.();
    const now = this.#clock.now();
    for (const { publicKey } of this.device.peers()) {
      this.device.handle({ kind: 'configure', change: 'remove-peer', publicKey }, now);
    }
    this.device.handle({ kind: 'configure', change: 'private-key', privateKey: undefined }, now);
  }

  #drainSoon(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#clock.soon(() => {
      this.#draining = false;
      for (const next of this.#handshakes.splice(0, HANDSHAKES_A_TURN)) this.#receive(next, this.#handshakes.length);
      if (this.#handshakes.length > 0) this.#drainSoon();
    });
  }

  #receive({ bytes, from, local }: Waiting, queueDepth: number): void {
    const where = local === undefined ? {} : { local };
    const verdict = this.#handle({ kind: 'datagram', from, bytes, queueDepth, out: bytes, ...where });
    if (verdict.kind === 'refused') this.#hooks.onDrop?.(verdict.drop, from);
    this.#hooks.onDatagram?.(verdict, from, bytes);
  }

  #handle(input: Input): Verdict {
    if (this.#closed) throw new TypeError('the device was closed');
    const { verdict, effects } = this.device.handle(input, this.#clock.now());
    this.#arm();
    for (const effect of effects) this.#do(effect);
    return verdict;
  }

  #do(effect: Effect): void {
    const { send, onPacket, onEvent, onDrop } = this.#hooks;
    if (effect.kind === 'send') send(effect);
    else if (effect.kind === 'deliver') onPacket?.(effect.bytes, effect.peer);
    else if (effect.kind === 'event') onEvent?.(effect.event, effect.peer);
    else onDrop?.(effect.drop);
  }

  /** A timer that was put off is left to fire for nothing: nearly every packet puts one off. */
  #arm(): void {
    const atMs = this.device.nextDeadline()?.atMs;
    if (atMs === undefined || (this.#armedForMs !== undefined && this.#armedForMs <= atMs)) return;
    this.#disarm?.();
    this.#armedForMs = atMs;
    this.#disarm = this.#clock.at(atMs, () => {
      this.#armedForMs = undefined;
      this.#disarm = undefined;
      if (!this.#closed) this.#handle({ kind: 'tick' });
    });
  }
}
