/** Where captures for benchmarks are made, once for a run, and what has to be there for comparisons. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeCrypto } from '../src/crypto/node.ts';
import { wasmCrypto } from '../src/crypto/wasm/index.ts';
import { type Made, type Mix, makeCapture } from './made-capture.ts';

let folder: string | undefined;

/** Gone when the process ends. */
export function workshop(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'wgwhy-bench-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

export interface MadeFiles extends Made {
  readonly pcap: string;
  readonly keys: string;
}

const known = new Map<string, MadeFiles>();

export function captureOf(packets: number, mix: Mix): MadeFiles {
  const name = `${packets}-${mix}`;
  let files = known.get(name);
  if (files === undefined) {
    const [pcap, keys] = [join(workshop(), `${name}.pcap`), join(workshop(), `${name}.keys`)];
    files = { ...makeCapture(wasmCrypto('simd', nodeCrypto), packets, mix, pcap, keys), pcap, keys };
    known.set(name, files);
  }
  return files;
}

/** The command as it is built beside this. */
export const WGWHY = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export function lacking(...programs: readonly string[]): string | undefined {
  if (!existsSync(WGWHY)) return 'npm run build first';
  const missing = programs.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  return missing.length === 0 ? undefined : missing.join(', ');
}
