/**
 * `node bundle.mjs`: the command in one file, for it starts twice as fast then; packages stay outside, the library
 * stays as it is. The programming interface, since the command of rolldown cannot be silent.
 */
import { build } from 'rolldown';

// the second is what the command starts on other threads, found beside it
for (const [input, file] of [
  ['src/cli/main.ts', 'dist/cli/main.js'],
  ['src/io/opener-thread.ts', 'dist/cli/opener-thread.js'],
]) {
  await build({
    input,
    platform: 'node',
    external: (id) => !/^[./]/.test(id),
    output: { file, format: 'esm', sourcemap: true },
  });
}
