/**
 * `node bundle.mjs`: the command in one file, for it starts twice as fast then; packages stay outside, the library
 * stays as it is. The programming interface, since the command of rolldown cannot be silent.
 */
import { build } from 'rolldown';

await build({
  input: 'src/cli/main.ts',
  platform: 'node',
  external: (id) => !/^[./]/.test(id),
  output: { file: 'dist/cli/main.js', format: 'esm', sourcemap: true },
});
