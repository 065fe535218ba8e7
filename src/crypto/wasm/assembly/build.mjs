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

/** The one loop that is written out, for the compiler does not: `// ten times` stands above it. */
const TEN_TIMES = /^ *\/\/ ten times.*\n *for .*\{\n([\s\S]*?)^ {4}\}\n/m;

/** @param {string} name */
async function read(name) {
  const text = await readFile(new URL(name, import.meta.url), 'utf8');
  return text.replace(TEN_TIMES, (_, body) => body.repeat(10));
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
