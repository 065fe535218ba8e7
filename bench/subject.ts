/** What a benchmark is made of, the backends they compare, and chance that is the same on every run. */
import { noble } from '../src/crypto/noble.ts';
import { nodeCrypto } from '../src/crypto/node.ts';
import type { Crypto } from '../src/crypto/port.ts';
import { wasmCrypto } from '../src/crypto/wasm/index.ts';

export { must, numbers, randomBytes } from './chance.ts';

/** Something done many times over in this process. */
export interface Task {
  readonly name: string;
  /** Does the operation `ops` times, so that reading the clock does not weigh on short ones. */
  readonly run: () => void;
  readonly ops: number;
  /** Bytes that one operation handles, for a rate in MB/s. */
  readonly bytes?: number;
}

/** A whole process, whose time and greatest memory count. */
export interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** Packets that it handles. */
  readonly ops: number;
  readonly bytes?: number;
}

/** Tasks that do the same thing: ratios are against the first of them, which for backends is noble. */
export interface Group {
  readonly name: string;
  readonly tasks: readonly (Task | Command)[];
}

/** Of one task, over all rounds. Times are nanoseconds for one operation. */
export interface Row {
  readonly group: string;
  readonly task: string;
  readonly hz: number;
  readonly p50: number;
  readonly p99: number;
  readonly bytes?: number;
  readonly peakMiB?: number;
  /** How many times as fast as the first of the group: median of the rounds, least, greatest. */
  readonly ratio: readonly [median: number, least: number, greatest: number];
}

export interface Subject {
  readonly name: string;
  /** Checked before it is timed: throws where an operation does not do what it should. `quick`: as small as can be. */
  readonly groups?: (quick: boolean) => readonly Group[] | Promise<readonly Group[]>;
  /** Instead: what measures itself. */
  readonly rows?: (rounds: number, quick: boolean) => Promise<readonly Row[]>;
  /** What keeps it from running here, if anything. */
  readonly obstacle?: () => string | undefined;
}

/** The first is what ratios are against. */
export const BACKENDS: readonly Crypto[] = [
  noble,
  nodeCrypto,
  wasmCrypto('simd', nodeCrypto),
  wasmCrypto('scalar', nodeCrypto),
];
