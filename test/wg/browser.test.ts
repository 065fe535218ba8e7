/** `wgwhy/engine` for a browser: whatever it reaches is JavaScript that needs no Node, and a bundler takes it as it is. */
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';

const ENTRY = new URL('../../src/engine.ts', import.meta.url);
const IMPORT = /(?:^|[;\n}])\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]/g;
const DYNAMIC = /\bimport\s*\(|\brequire\s*\(/;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const NODE_GLOBAL = /(?<![.\w])(?:process\s*\.|Buffer\s*[.(]|__dirname|global\s*\.)/;

interface Graph {
  readonly files: ReadonlySet<string>;
  readonly faults: readonly string[];
}

/** Every file that the entry's code reaches, types left out as a compiler leaves them out. */
function reach(entry: URL): Graph {
  const files = new Set<string>();
  const faults: string[] = [];
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const path = fileURLToPath(file);
    if (files.has(path)) continue;
    files.add(path);
    const text = readFileSync(path, 'utf8').replace(COMMENT, '');
    if (DYNAMIC.test(text)) faults.push(`${path} loads something at run time`);
    if (NODE_GLOBAL.test(text)) faults.push(`${path} uses ${NODE_GLOBAL.exec(text)?.[0]}`);
    for (const [, type, specifier = ''] of text.matchAll(IMPORT)) {
      if (type !== undefined) continue;
      if (specifier.startsWith('node:') || builtinModules.includes(specifier))
        faults.push(`${path} imports ${specifier}`);
      else waiting.push(resolve(specifier, file));
    }
  }
  return { files, faults };
}

/** Relative, or of a package by its `exports`, which for these are the same in Node and in a browser. */
function resolve(specifier: string, from: URL): URL {
  if (specifier.startsWith('.')) return new URL(specifier, from);
  const [scope = '', name = '', ...rest] = specifier.split('/');
  const root = new URL(`../../node_modules/${scope}/${name}/`, import.meta.url);
  const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    readonly exports: Readonly<Record<string, string>>;
  };
  const target = exports[`./${rest.join('/')}`];
  if (target === undefined) throw new Error(`${specifier} has no entry of its own`);
  return new URL(target, root);
}

test('nothing that the engine reaches needs Node', () => {
  const { files, faults } = reach(ENTRY);
  expect(faults).toEqual([]);
  expect(files.size).toBeGreaterThan(30);
  expect([...files].some((path) => path.endsWith('chacha.js'))).toBe(true);
});

test('the walk notices what does need Node', () => {
  const { faults } = reach(new URL('../../src/crypto/node.ts', import.meta.url));
  expect(faults.join('\n')).toContain('imports node:crypto');
});

/** The bundler that the tests themselves run on; the project does not depend on it yet. */
const VITE = fileURLToPath(new URL('../../node_modules/vite/dist/node/index.js', import.meta.url));

interface Vite {
  build(options: object): Promise<unknown>;
}

describe.skipIf(!existsSync(VITE))('a bundler', () => {
  test('makes one file of it without shims', { timeout: 60_000 }, async () => {
    const { build } = (await import(/* @vite-ignore */ pathToFileURL(VITE).href)) as Vite;
    const warnings: string[] = [];
    const outcome = await build({
      configFile: false,
      envFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        lib: { entry: fileURLToPath(ENTRY), formats: ['es'], fileName: 'engine' },
        rollupOptions: { onwarn: ({ message }: { readonly message: string }) => warnings.push(message) },
      },
    });
    expect(warnings).toEqual([]);
    const [{ output }] = outcome as [
      { readonly output: readonly { readonly code: string; readonly imports: string[] }[] },
    ];
    expect(output).toHaveLength(1);
    expect(output[0]?.imports).toEqual([]);
    expect(output[0]?.code).not.toMatch(/browser-external|node:/);
    const bundle = (await import(
      /* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(output[0]?.code ?? '').toString('base64')}`
    )) as { readonly Device: new (options: object) => { readonly indices: number }; readonly noble: object };
    const device = new bundle.Device({ crypto: bundle.noble, random: () => undefined });
    expect(device.indices).toBe(0);
  });
});
