/** Compiles the AssemblyScript beside it, for machines with vectors and without, into ../binary.ts: the same bytes every time. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BINARY = fileURLToPath(new URL('../binary.ts', import.meta.url));

const COMMON = ['index.ts', '--outFile', 'out.wasm', '--baseDir', HERE, '--runtime', 'stub', '-O3', '--noAssert'];
/** Its own data stand behind what layout.ts gives a place to; it has none but a few globals. */
const MEMORY = ['--initialMemory', '3', '--memoryBase', '131056', '--use', 'abort='];
const FEATURES = {
  simd: ['--enable', 'simd', '--enable', 'bulk-memory'],
  scalar: ['--disable', 'bulk-memory'],
};

/** The loops that are written out, for the compiler does not: `// ten times` stands above them. */
const TEN_TIMES = /^( *)\/\/ ten times.*\n *for .*\{\n([\s\S]*?)^\1\}\n/m;
/** Which word of the block `word(i)` is in each round (RFC 7693 §2.7). */
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/** @param {string} name */
async function read(name) {
  const text = await readFile(new URL(name, import.meta.url), 'utf8');
  const wordsOf = (body, sigma) => body.replace(/word\((\d+)\)/g, (_, i) => `load<u32>(at, ${4 * sigma[i]})`);
  return text.replace(TEN_TIMES, (_, _indent, body) => SIGMA.map((sigma) => wordsOf(body, sigma)).join(''));
}

/** @param {'simd' | 'scalar'} kind */
export async function compile(kind) {
  /** @type {Uint8Array | undefined} */
  let bytes;
  const { error, stderr } = await asc.main([...COMMON, ...MEMORY, ...FEATURES[kind]], {
    readFile: async (name) => (name.startsWith('~lib') ? null : read(name).catch(() => null)),
    writeFile: (_, contents) => {
      bytes = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || bytes === undefined) throw new Error(`${error?.message ?? 'nothing came of it'}\n${stderr}`);
  return bytes;
}

export async function source() {
  const [simd, scalar] = await Promise.all([compile('simd'), compile('scalar')]);
  const line = (name, bytes) => `export const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`;
  return `/** Written by assembly/build.mjs from the AssemblyScript beside it, base64. */\n\n${line('SIMD', simd)}\n${line('SCALAR', scalar)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(BINARY, await source());
