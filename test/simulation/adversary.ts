/** Somebody on the path who sends rubbish, old messages, and messages with a bit or their end missing; nothing may come of it. */
import { type Endpoint, endpoint } from '../../src/base/address.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { Chance } from './chance.ts';
import type { Simulation } from './simulation.ts';

interface Overheard {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Bytes;
}

const MAC_BYTES = 16;
const MEMORY = 64;
const MEAN_PAUSE_MS = 4000;

export class Adversary {
  injected = 0;
  readonly #simulation: Simulation;
  readonly #chance: Chance;
  readonly #heard: Overheard[] = [];

  constructor(simulation: Simulation, chance: Chance) {
    this.#simulation = simulation;
    this.#chance = chance;
    simulation.network.tap = (from, to, bytes) => {
      const message = { from, to, bytes };
      if (this.#heard.length < MEMORY) this.#heard.push(message);
      else this.#heard[chance.whole(0, MEMORY - 1)] = message;
    };
    this.#again();
  }

  #again(): void {
    const { queue, plan } = this.#simulation;
    queue.at(queue.nowMs + this.#chance.exponential(MEAN_PAUSE_MS), () => {
      if (queue.nowMs >= plan.calmMs) return;
      this.#act();
      this.#again();
    });
  }

  #act(): void {
    const chance = this.#chance;
    const heard = this.#heard[chance.whole(0, MEMORY - 1)];
    if (heard === undefined) return;
    const { bytes } = heard;
    const changed = bytes.slice();
    // A stranger's address: were anything of it believed, the endpoint would move.
    const from = chance.happens(0.5) ? heard.from : endpoint(Uint8Array.of(203, 0, 113, chance.whole(1, 254)), 4242);
    switch (chance.whole(0, 4)) {
      case 0:
        this.#inject(from, heard.to, chance.bytes(chance.whole(0, 200)), false);
        break;
      case 1:
        this.#inject(from, heard.to, bytes.slice(0, chance.whole(0, bytes.length - 1)), false);
        break;
      case 2: {
        // MAC2 is nobody's business while there is no load: a change there is none.
        const at = chance.whole(0, bytes.length - 1 - MAC_BYTES);
        changed[at] = (changed[at] ?? 0) ^ (1 << chance.whole(0, 7));
        this.#inject(from, heard.to, changed, false);
        break;
      }
      case 3:
        changed.fill(0, 4);
        this.#inject(from, heard.to, changed, false);
        break;
      case 4:
        // Not from elsewhere: if the first copy was lost this one is authentic, and an endpoint may follow it.
        this.#inject(heard.from, heard.to, bytes.slice(), true);
        break;
    }
  }

  #inject(from: Endpoint, to: Endpoint, bytes: Bytes, mayPass: boolean): void {
    this.injected++;
    const { network, queue } = this.#simulation;
    if (mayPass) {
      network.inject(from, to, bytes);
      return;
    }
    queue.at(queue.nowMs + network.conditions.delayMs, () => {
      for (const host of this.#simulation.hosts.values()) {
        if (host.address.text !== to.text || host.nat !== undefined) continue;
        const before = bytes.slice(0, 4).join();
        const { verdict } = host.provoke(from, bytes);
        if (verdict.kind !== 'refused') this.#simulation.fault(`${host.name} took a forged message (${before})`);
      }
    });
  }
}
