/** One file of an entry and all that it reaches, as it stands: nothing is made older than it was written. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The bundler that the tests run on; nothing else here needs one. */
const VITE = resolve('node_modules', 'vite', 'dist', 'node', 'index.js');

interface Vite {
  build(options: object): Promise<unknown>;
}

/** The path of what came of it. */
export async function bundle(entry: string, folder: string, name: string): Promise<string> {
  const { build } = (await import(pathToFileURL(VITE).href)) as Vite;
  await build({
    configFile: false,
    envDir: false,
    logLevel: 'warn',
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'esnext',
      lib: { entry: resolve(entry), formats: ['es'], fileName: () => name },
      rollupOptions: { external: [/^node:/] },
    },
  });
  return resolve(folder, name);
}
