#!/usr/bin/env node
/** The executable: hands the process over to `run`. */
import { run } from './run.ts';

// Whoever reads our output may stop reading (`| head`): that is no fault, and nothing is left to say. Other errors
// (a full disk) are. Waiting for one turn lets a run that has finished keep its own exit code.
process.stderr.on('error', () => {});
process.stdout.once('error', (error: NodeJS.ErrnoException) => {
  process.stdout.on('error', () => {});
  if (error.code !== 'EPIPE') process.stderr.write(`wgwhy: cannot write the output (${error.code ?? error.message})\n`);
  setImmediate(() => process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 2) : 2));
});

/** Whoever writes very much waits until it is taken: otherwise it would gather in memory. */
const writeBytes = (bytes: Uint8Array): Promise<void> =>
  new Promise((taken) => process.stdout.write(bytes, () => taken()));

process.exitCode = await run(process.argv.slice(2), {
  stdout: { write: (text) => process.stdout.write(text), writeBytes },
  stderr: process.stderr,
  stdin: () => process.stdin,
  isTTY: {
    stdin: process.stdin.isTTY ?? false,
    stdout: process.stdout.isTTY ?? false,
    stderr: process.stderr.isTTY ?? false,
  },
  columns: process.stdout.columns,
  env: process.env,
});
