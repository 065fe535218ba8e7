/** One fault, or none, between real peers, and what can honestly be said of its captures. */
import type { Lab } from './network.ts';
import type { Truth } from './truth.ts';

export interface Scenario {
  readonly id: string;
  readonly story: string;
  readonly truth: Truth;
  /** Leaves the captures running: some seconds of silence follow, so that absence can be judged. */
  run(lab: Lab): Promise<void>;
}
