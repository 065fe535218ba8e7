/** Where a command writes what it makes: a file of its own, or standard output for `-`. */
import type { Bytes } from '../base/bytes.ts';
import { checkWritable, ResultFile } from '../io/result-file.ts';
import { type Environment, UsageError } from './environment.ts';

export interface Sink {
  write(bytes: Bytes): void;
  flush(): void;
  close(): void;
}

/** Throws before anything is done where it cannot be written; `inputs` are the files that are read. */
export function openSink(
  { stdout, isTTY }: Environment,
  option: string,
  path: string,
  force: boolean,
  inputs: readonly string[],
): Sink {
  if (path === '-') {
    if (isTTY.stdout) {
      throw new UsageError(
        `${option} - would write a capture to the terminal`,
        'pipe it into a program, e.g. | tcpdump -n -r -, or name a file',
      );
    }
    return { write: (bytes) => void stdout.write(bytes), flush: () => {}, close: () => {} };
  }
  checkWritable(path, force, inputs);
  return new ResultFile(path, force);
}
