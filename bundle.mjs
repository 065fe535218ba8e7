/**
 * `node bundle.mjs`: the command in one file with the packages it needs, small: it starts in two thirds of the time then.
 * The library stays as it is, and with it the packages as dependencies. The programming interface, since the command of
 * rolldown cannot be silent.
 */
import { build } from 'rolldown';

/** What is there or not is found out when it is needed. */
const OPTIONAL = ['koffi', 'hyparquet-writer', 'pcap-parser'];

/** The packages are installed beside it as well, each with its licence. */
const LICENCES = '/*! with commander (MIT), pako (MIT AND Zlib), @noble/ciphers, @noble/curves, @noble/hashes (MIT) */';

// the second is what the command starts on other threads, found beside it
for (const [input, file] of [
  ['src/cli/main.ts', 'dist/cli/main.js'],
  ['src/io/opener-thread.ts', 'dist/cli/opener-thread.js'],
]) {
  await build({
    input,
    platform: 'node',
    external: [/^node:/, ...OPTIONAL],
    output: { file, format: 'esm', sourcemap: true, minify: true, comments: { legal: true }, postBanner: LICENCES },
  });
}
