/** Progress on stderr: only for a person at a terminal, only for long input, and paced by bytes, not by a clock. */
import type { Source } from '../report/diagnose.ts';
import type { Environment } from './environment.ts';

const MIB = 1024 * 1024;
/** Below this it is over before anybody could read it. */
const LONG_BYTES = 32 * MIB;
const STEP_BYTES = 4 * MIB;

export interface Progress {
  watch(source: Source): Source;
  /** Takes the line away. */
  clear(): void;
}

/** `total`: bytes of all sources, undefined where one has no known size. */
export function progress({ isTTY, stderr }: Environment, total: number | undefined): Progress {
  if (!isTTY.stderr || (total !== undefined && total < LONG_BYTES))
    return { watch: (source) => source, clear: () => {} };
  let read = 0;
  let shown = 0;
  const show = (): void => {
    shown = read;
    const whole = total === undefined ? '' : ` of ${Math.ceil(total / MIB)}`;
    stderr.write(`\rreading: ${Math.floor(read / MIB)}${whole} MiB`);
  };
  async function* counted(source: Source): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.open()) {
      read += chunk.length;
      if (read >= LONG_BYTES / 2 && read - shown >= STEP_BYTES) show();
      yield chunk;
    }
  }
  return {
    watch: (source) => ({ name: source.name, open: () => counted(source) }),
    clear: () => {
      if (shown > 0) stderr.write('\r\u001b[K');
    },
  };
}
