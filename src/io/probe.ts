/** One real handshake as a client would make it, and what came of it: the answer that no port scan gives. */
import type { Endpoint, IpBytes, Prefix } from '../base/address.ts';
import { type Bytes, copy } from '../base/bytes.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, privateKey } from '../base/keys.ts';
import type { Crypto } from '../crypto/port.ts';
import { REKEY_TIMEOUT_MS } from '../wg/constants.ts';
import { Device } from '../wg/device.ts';
import type { Drop, DropKind } from '../wg/drop.ts';
import { LINUX, type Policy } from '../wg/policy.ts';
import type { Random } from '../wg/random.ts';
import type { Verdict } from '../wg/step.ts';
import type { Clock } from './clock.ts';
import { measurePathMtu, type PathMtu } from './path-mtu.ts';
import { type PingListener, type PingResult, ping } from './ping.ts';
import type { ProbeNetwork, ProbeSocket } from './probe-network.ts';
import { fittingPsk, type PskCandidate } from './psk-trial.ts';
import { DeviceDriver, type SendEffect } from './run-device.ts';
import type { IcmpReport } from './udp.ts';

export interface ProbePorts {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly clock: Clock;
  readonly network: ProbeNetwork;
}

export interface ProbeTarget {
  readonly secret: PrivateKey;
  readonly publicKey: PublicKey;
  /** The zero PSK is none. */
  readonly psk: PresharedKey;
  readonly allowedIps: readonly Prefix[];
  /** Tried in turn. */
  readonly endpoints: readonly Endpoint[];
  /** Of the inner interface, bytes. */
  readonly mtu: number;
}

export interface ProbeOptions {
  readonly target: ProbeTarget;
  /** Preshared keys to try on a response that does not open, the zero one too if it is to be. */
  readonly candidates: readonly PskCandidate[];
  /** Initiations to each address; a cookie earns one more. */
  readonly tries: number;
  /** Echoes through the tunnel once there is one. */
  readonly ping?: { readonly from: IpBytes; readonly to: IpBytes; readonly count: number; readonly pathMtu: boolean };
  readonly onProgress?: (progress: ProbeProgress) => void;
}

export type ProbeProgress =
  | { readonly kind: 'sent'; readonly to: Endpoint; readonly initiation: number }
  | { readonly kind: 'cookie'; readonly from: Endpoint };

export interface Attempt {
  readonly endpoint: Endpoint;
  readonly initiations: number;
  readonly cookies: number;
  /** What came and was refused, by kind. */
  readonly refused: Readonly<Partial<Record<DropKind, number>>>;
  readonly outcome:
    | { readonly kind: 'answered'; readonly afterMs: number; readonly from: Endpoint; readonly withMac2: boolean }
    /** A response came and does not open: nothing but the PSK is left to be wrong (wp §5.4.3). */
    | { readonly kind: 'unopened'; readonly fits: string | undefined; readonly tried: number }
    /** What the socket said: ECONNREFUSED and the like; and by whom, where it can tell. */
    | { readonly kind: 'error'; readonly code: string; readonly icmp?: IcmpReport }
    | { readonly kind: 'silent' }
    /** Another address was answered first, or the device itself refused to try. */
    | { readonly kind: 'untried'; readonly drop?: Drop };
}

export interface ProbeResult {
  readonly attempts: readonly Attempt[];
  readonly ping?: PingResult;
  readonly pathMtu?: PathMtu;
}

/** An answer that comes later than the next initiation leaves is not taken any more. */
const ANSWER_WAIT_MS = REKEY_TIMEOUT_MS - 100;

/** The probe ends by its own count. The +10 s base of TAI64N is the kernel's: a client of any kind gets in after it. */
const POLICY: Policy = { ...LINUX, giveUp: { by: 'retries', retries: Number.POSITIVE_INFINITY } };

interface Draft {
  readonly endpoint: Endpoint;
  initiations: number;
  cookies: number;
  refused: Partial<Record<DropKind, number>>;
  outcome: Attempt['outcome'] | undefined;
}

/** One run. Handshakes follow each other as the engine's timers say, whatever address they go to. */
class Probe {
  readonly #ports: ProbePorts;
  readonly #options: ProbeOptions;
  readonly #driver: DeviceDriver;
  readonly #drafts: readonly Draft[];
  readonly #sockets = new Map<string, ProbeSocket>();
  #at = 0;
  #sentAtMs = 0;
  #initiation: Bytes | undefined;
  #ephemeral: PrivateKey | undefined;
  #callOff: (() => void) | undefined;
  #finished: (() => void) | undefined;
  #listener: PingListener = {};

  constructor(ports: ProbePorts, options: ProbeOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#drafts = options.target.endpoints.map((endpoint) => ({
      endpoint,
      initiations: 0,
      cookies: 0,
      refused: {},
      outcome: undefined,
    }));
    const device = new Device({
      crypto: ports.crypto,
      random: (out, purpose) => {
        ports.random(out, purpose);
        if (purpose === 'ephemeral') this.#keepEphemeral(out);
      },
      policy: POLICY,
      mtu: options.target.mtu,
    });
    this.#driver = new DeviceDriver(device, ports.clock, {
      send: (message) => this.#send(message),
      onPacket: (packet) => this.#listener.onPacket?.(packet),
      onDrop: (drop) => this.#dropped(drop),
      onDatagram: (verdict, from, bytes) => this.#arrived(verdict, from, bytes),
    });
  }

  async run(): Promise<ProbeResult> {
    try {
      await this.#openSockets();
      await this.#handshake();
      const answered = this.#drafts.some(({ outcome }) => outcome?.kind === 'answered');
      const extra = answered && this.#options.ping !== undefined ? await this.#through(this.#options.ping) : {};
      return { attempts: this.#drafts.map(done), ...extra };
    } finally {
      this.#callOff?.();
      this.#driver.close();
      this.#ephemeral?.fill(0);
      await Promise.all([...this.#sockets.values()].map((socket) => socket.close()));
    }
  }

  async #openSockets(): Promise<void> {
    for (const draft of this.#drafts) {
      const { endpoint } = draft;
      const opened = await this.#ports.network.open(endpoint, {
        onDatagram: (bytes, from) => this.#driver.datagram(bytes, from),
        onError: (code, _, icmp) => this.#failed(draft, code, icmp),
      });
      if (typeof opened === 'string') draft.outcome ??= { kind: 'error', code: opened };
      else this.#sockets.set(endpoint.text, opened);
    }
  }

  /** Until one address has answered, or none is left. */
  async #handshake(): Promise<void> {
    this.#at = this.#drafts.findIndex(({ outcome }) => outcome === undefined);
    const endpoint = this.#drafts[this.#at]?.endpoint;
    if (endpoint === undefined) return;
    const { secret, publicKey, psk: presharedKey, allowedIps } = this.#options.target;
    await new Promise<void>((resolve) => {
      this.#finished = resolve;
      this.#driver.configure({ change: 'private-key', privateKey: secret });
      // A keepalive that waits for a session is what asks for one, and then confirms it to the responder.
      const peer = { change: 'peer', publicKey, presharedKey, allowedIps, endpoint, persistentKeepalive: 1 } as const;
      const verdict = this.#driver.configure(peer);
      if (verdict.kind === 'refused') this.#end({ kind: 'untried', drop: verdict.drop });
      else this.#driver.configure({ change: 'peer', publicKey, persistentKeepalive: 0 });
    });
    this.#finished = undefined;
  }

  #send({ bytes, to, message }: SendEffect): void {
    const socket = this.#sockets.get(to.text) ?? this.#sockets.get(this.#drafts[this.#at]?.endpoint.text ?? '');
    const draft = this.#drafts[this.#at];
    if (message === 'initiation' && draft !== undefined && this.#finished !== undefined) {
      draft.initiations++;
      this.#initiation = copy(bytes);
      this.#sentAtMs = this.#ports.clock.now().monoMs;
      this.#callOff?.();
      this.#callOff = this.#ports.clock.at(this.#sentAtMs + ANSWER_WAIT_MS, () => this.#waited(draft));
      this.#options.onProgress?.({ kind: 'sent', to, initiation: draft.initiations });
    }
    socket?.send(bytes, to);
  }

  #waited(draft: Draft): void {
    const allowed = this.#options.tries + (draft.cookies > 0 ? 1 : 0);
    if (draft.initiations >= allowed) this.#give(draft, { kind: 'silent' });
  }

  #failed(draft: Draft, code: string, icmp: IcmpReport | undefined): void {
    // Too large for the path: no handshake is, but the echoes that measure it are.
    if (code === 'EMSGSIZE') this.#listener.onTooLarge?.();
    else this.#give(draft, { kind: 'error', code, ...(icmp === undefined ? {} : { icmp }) });
  }

  /** This address is done with: on to the next, to which the next retry goes. */
  #give(draft: Draft, outcome: Attempt['outcome']): void {
    if (this.#finished === undefined || draft.outcome !== undefined) return;
    draft.outcome = outcome;
    if (draft !== this.#drafts[this.#at]) return;
    const next = this.#drafts.findIndex((other) => other.outcome === undefined);
    const endpoint = this.#drafts[next]?.endpoint;
    if (endpoint === undefined) {
      this.#finished();
      return;
    }
    this.#at = next;
    this.#driver.configure({ change: 'peer', publicKey: this.#options.target.publicKey, endpoint });
  }

  #arrived(verdict: Verdict, from: Endpoint, bytes: Bytes): void {
    const draft = this.#drafts[this.#at];
    if (draft === undefined || this.#finished === undefined) return;
    if (verdict.kind === 'accepted' && verdict.message === 'response') {
      const afterMs = this.#ports.clock.now().monoMs - this.#sentAtMs;
      this.#end({ kind: 'answered', afterMs, from, withMac2: draft.cookies > 0 });
    } else if (verdict.kind === 'accepted' && verdict.message === 'cookie-reply') {
      draft.cookies++;
      this.#options.onProgress?.({ kind: 'cookie', from });
    } else if (verdict.kind === 'refused') {
      const { kind } = verdict.drop;
      draft.refused[kind] = (draft.refused[kind] ?? 0) + 1;
      if (kind === 'empty-unsealable') this.#end(this.#tryPsks(bytes));
    }
  }

  #tryPsks(response: Bytes): Attempt['outcome'] {
    const { target, candidates } = this.#options;
    const ephemeral = this.#ephemeral;
    const initiation = this.#initiation;
    if (ephemeral === undefined || initiation === undefined) return { kind: 'unopened', fits: undefined, tried: 0 };
    const trial = { secret: target.secret, responder: target.publicKey, ephemeral, initiation, response };
    const found = fittingPsk(this.#ports.crypto, trial, candidates);
    return { kind: 'unopened', fits: found?.where, tried: candidates.length };
  }

  #end(outcome: Attempt['outcome']): void {
    const draft = this.#drafts[this.#at];
    if (draft !== undefined) draft.outcome = outcome;
    this.#finished?.();
  }

  /** The engine does not say it of a static key that can never work: no initiation will follow. */
  #dropped(drop: Drop): void {
    this.#listener.onDrop?.(drop);
    if (drop.kind === 'weak-shared-secret') this.#end({ kind: 'untried', drop });
  }

  #keepEphemeral(bytes: Bytes): void {
    this.#ephemeral?.fill(0);
    this.#ephemeral = privateKey(copy(bytes));
  }

  async #through(plan: NonNullable<ProbeOptions['ping']>): Promise<Pick<ProbeResult, 'ping' | 'pathMtu'>> {
    const line = {
      clock: this.#ports.clock,
      random: this.#ports.random,
      send: (packet: Bytes) => this.#driver.packet(packet),
      listen: (listener: PingListener) => {
        this.#listener = listener;
      },
    };
    const answer = await ping(line, plan);
    if (!plan.pathMtu || answer.received === 0) return { ping: answer };
    const outer = this.#drafts[this.#at]?.endpoint.ip.length === 4 ? 4 : 6;
    return { ping: answer, pathMtu: await measurePathMtu(line, plan, this.#options.target.mtu, outer) };
  }
}

function done({ endpoint, initiations, cookies, refused, outcome }: Draft): Attempt {
  return { endpoint, initiations, cookies, refused, outcome: outcome ?? { kind: 'untried' } };
}

/** Never rejects for what the network does. Takes up to tries × 5.4 s for each address that is silent. */
export function probe(ports: ProbePorts, options: ProbeOptions): Promise<ProbeResult> {
  return new Probe(ports, options).run();
}
