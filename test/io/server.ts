/** A responder for probes in tests: the engine, and an echo service behind it. */
import type { Endpoint } from '../../src/base/address.ts';
import { type Bytes, copy } from '../../src/base/bytes.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, ZERO_PSK } from '../../src/base/keys.ts';
import type { Policy } from '../../src/wg/policy.ts';
import { at, net, Party } from '../wg/harness.ts';
import type { Host, Line, VirtualClock } from './virtual.ts';

const CLIENT = at('10.99.1.2:40000');

export interface Setup {
  readonly secret: PrivateKey;
  /** The one peer it knows, 10.0.0.2 and fd00::2. */
  readonly client: PublicKey | undefined;
  readonly psk?: PresharedKey;
  readonly policy?: Policy;
  /** Larger outer packets are refused on their way, as an ICMP error tells. */
  readonly pathBytes?: number;
  readonly answersFrom?: Endpoint;
  readonly echoes?: boolean;
}

/** A real responder: the engine, and an echo service behind it. */
export class Server implements Host {
  readonly #clock: VirtualClock;
  readonly #setup: Setup;
  readonly party: Party;
  readonly verdicts: string[] = [];

  constructor(clock: VirtualClock, setup: Setup) {
    this.#clock = clock;
    this.#setup = setup;
    const { secret, client, policy, psk = ZERO_PSK } = setup;
    this.party = new Party({ secret, address: CLIENT, seed: 5, ...(policy === undefined ? {} : { policy }) });
    const allowedIps = [net('10.0.0.2/32'), net('10.66.66.2/32'), net('fd00::2/128')];
    if (client !== undefined) this.party.peer({ publicKey: client, presharedKey: psk, allowedIps });
  }

  receive(bytes: Bytes, line: Line): void {
    const { pathBytes, answersFrom, echoes = true } = this.#setup;
    if (pathBytes !== undefined && bytes.length + 28 > pathBytes) {
      line.error('EMSGSIZE');
      return;
    }
    const step = this.party.datagram(bytes, CLIENT, this.#clock.nowMs);
    this.verdicts.push(step.verdict.kind === 'refused' ? step.verdict.drop.kind : step.verdict.kind);
    for (const effect of step.effects) {
      if (effect.kind === 'send') line.reply(effect.bytes, answersFrom);
      if (effect.kind !== 'deliver' || !echoes) continue;
      for (const back of this.party.packet(echoReply(effect.bytes), this.#clock.nowMs).effects) {
        if (back.kind === 'send') line.reply(back.bytes, answersFrom);
      }
    }
  }
}

/** Swaps the addresses and turns the request into its reply; nobody checks the sum in here. */
function echoReply(request: Bytes): Bytes {
  const reply = copy(request);
  const v4 = (request[0] ?? 0) >>> 4 === 4;
  const [source, size] = v4 ? [12, 4] : [8, 16];
  reply.set(request.subarray(source + size, source + 2 * size), source);
  reply.set(request.subarray(source, source + size), source + size);
  reply[v4 ? 20 : 40] = v4 ? 0 : 129;
  return reply;
}
