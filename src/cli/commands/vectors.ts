/** `wgwhy vectors`: a fresh handshake with every intermediate value, for the tests of any implementation. */
import type { Command } from 'commander';
import { toHex } from '../../base/bytes.ts';
import { nodeCrypto } from '../../crypto/node.ts';
import { makeVectors } from '../../report/make-vectors.ts';
import { type Environment, EXIT, type ExitCode } from '../environment.ts';

const HELP = `
Writes JSON in the layout of the drop corpus: keys, both handshake messages and a data message, and after each token the
chaining key, hash and key (wp §5.4), with a PSK, with another, and without. The same seed gives the same bytes; without one a
seed is drawn and stands in the output. The keys are for tests: they protect nothing.

Examples:
  wgwhy vectors --seed 7 > handshake.json
  wgwhy trace --vector handshake.json`;

const SEED_BYTES = 8;

export function addVectorsCommand(
  program: Command,
  { stdout, live }: Environment,
  tool: string,
  done: (code: ExitCode) => void,
): void {
  program
    .command('vectors')
    .description('write test vectors of a fresh handshake')
    .option('--seed <S>', 'any text: what all keys are made of')
    .addHelpText('after', HELP)
    .action(({ seed }: { readonly seed?: string }) => {
      const drawn = new Uint8Array(SEED_BYTES);
      if (seed === undefined) live.random(drawn, 'ephemeral');
      stdout.write(`${JSON.stringify(makeVectors(nodeCrypto, seed ?? toHex(drawn), tool), undefined, 2)}\n`);
      done(EXIT.fine);
    });
}
