/** The machine's part of a tunnel, for `wgwhy up`: it comes up, or not, and happens as a test has it. */
import { publicKey } from '../../src/base/keys.ts';
import { noble } from '../../src/crypto/noble.ts';
import type { UpOptions } from '../../src/io/up/up.ts';
import type { PeerStatus } from '../../src/wg/status.ts';
import { VirtualClock, VirtualNetwork } from '../io/virtual.ts';
import { chance, net } from '../wg/harness.ts';
import { cli, type Ran } from './harness.ts';

/** One of which nothing is known yet; `fill` makes its key. */
export const peer = (id: string, fill: number, change: Partial<PeerStatus> = {}): PeerStatus => ({
  id,
  publicKey: publicKey(new Uint8Array(32).fill(fill)),
  hasPresharedKey: false,
  endpoint: undefined,
  allowedIps: [net('10.0.0.2/32')],
  latestHandshake: undefined,
  receivedBytes: 0,
  sentBytes: 0,
  persistentKeepalive: 0,
  sessions: [],
  staged: 0,
  timers: {},
  ...change,
});

export class Machine {
  readonly clock = new VirtualClock();
  readonly asked: UpOptions[] = [];
  peers: PeerStatus[];
  closed = 0;
  interrupt: (signal: string) => void = () => {};
  readonly #signal = new Promise<string>((resolve) => {
    this.interrupt = resolve;
  });
  /** Where it cannot be had. */
  fault: Error | undefined;
  /** What happens while it comes up. */
  meanwhile: (options: UpOptions) => void | Promise<void> = () => {};

  constructor(peers: PeerStatus[]) {
    this.peers = peers;
  }

  /** `story` begins when the tunnel is up, and ends with its end. */
  async run(argv: readonly string[], story: (options: UpOptions) => void = () => {}): Promise<Ran> {
    let begun: (options: UpOptions) => void = () => {};
    const up = new Promise<UpOptions>((resolve) => {
      begun = resolve;
    });
    const ran = cli(['up', ...argv], {
      live: {
        crypto: noble,
        random: chance(3),
        clock: this.clock,
        network: new VirtualNetwork(this.clock, {}),
        lookUp: async () => [],
        untilSignal: () => this.#signal,
        bringUp: async (options) => {
          this.asked.push(options);
          await this.meanwhile(options);
          if (this.fault !== undefined) throw this.fault;
          // The command has to say that it is up before anything else happens.
          setImmediate(() => begun(options));
          return {
            name: options.name,
            port: 51_820,
            mtu: 1420,
            status: () => this.peers,
            close: async () => {
              this.closed++;
            },
          };
        },
      },
    });
    const told = await Promise.race([up, ran]);
    if ('conf' in told) {
      story(told);
      this.interrupt('SIGTERM');
    }
    return ran;
  }
}
