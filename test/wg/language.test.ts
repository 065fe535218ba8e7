/** `wgwhy/engine` where there is little: no newer language than Node 18 has, the last one for 32-bit MIPS, and no API beside it. */
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Context, createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import type * as Engine from '../../src/engine.ts';

const ENTRY = fileURLToPath(new URL('../../src/engine.ts', import.meta.url));
/** The bundler that the tests themselves run on; the project does not depend on it yet. */
const VITE = fileURLToPath(new URL('../../node_modules/vite/dist/node/index.js', import.meta.url));

interface Vite {
  build(options: object): Promise<unknown>;
  transformWithOxc(code: string, file: string, options: object): Promise<{ readonly code: string }>;
}

/** What V8 10.2 does not have yet, by the object that has it. */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  globalThis: ['Iterator', 'Float16Array', 'SuppressedError', 'DisposableStack', 'AsyncDisposableStack', 'Temporal'],
  Array: ['fromAsync'],
  'Array.prototype': ['toReversed', 'toSorted', 'toSpliced', 'with'],
  'Uint8Array.prototype.__proto__': ['toReversed', 'toSorted', 'with'],
  Uint8Array: ['fromBase64', 'fromHex'],
  'Uint8Array.prototype': ['toBase64', 'toHex', 'setFromBase64', 'setFromHex'],
  'ArrayBuffer.prototype': ['resize', 'resizable', 'maxByteLength', 'transfer', 'transferToFixedLength', 'detached'],
  'DataView.prototype': ['getFloat16', 'setFloat16'],
  Object: ['groupBy'],
  Map: ['groupBy'],
  'Map.prototype': ['getOrInsert', 'getOrInsertComputed'],
  'Set.prototype': [
    'union',
    'intersection',
    'difference',
    'symmetricDifference',
    'isSubsetOf',
    'isSupersetOf',
    'isDisjointFrom',
  ],
  Promise: ['withResolvers', 'try'],
  'String.prototype': ['isWellFormed', 'toWellFormed'],
  RegExp: ['escape'],
  Math: ['f16round', 'sumPrecise'],
  Error: ['isError'],
  '[][Symbol.iterator]().__proto__.__proto__': ['map', 'filter', 'take', 'drop', 'toArray', 'some', 'every', 'find'],
};

/** A world that has the language alone, as QuickJS has, and of that what Node 18 has. */
function oldWorld(): Context {
  const world = createContext({});
  for (const [owner, names] of Object.entries(NEWER))
    runInContext(`for (const name of ${JSON.stringify(names)}) delete (${owner})[name]`, world);
  return world;
}

/** Two devices, a handshake and a packet; it is told to that world as text, so it stands by itself. */
function talk({ Device, fastest, noble }: typeof Engine): string {
  const crypto = fastest(noble);
  const now = { monoMs: 1000, wall: { sec: 1_700_000_000, nsec: 0 } };
  let state = 1;
  const side = (n: number) => {
    const privateKey = new Uint8Array(32).fill(n) as Parameters<typeof crypto.publicKey>[0];
    const ip = Uint8Array.of(192, 0, 2, n);
    const device = new Device({ crypto, random: (out) => void out.fill(state++) });
    device.handle({ kind: 'configure', change: 'private-key', privateKey }, now);
    return {
      device,
      publicKey: crypto.publicKey(privateKey),
      address: { ip, port: 51820, text: `192.0.2.${n}:51820` },
    };
  };
  const [a, b] = [side(1), side(2)];
  const allowedIps = [{ ip: Uint8Array.of(10, 0, 0, 0), bits: 8 }];
  for (const [own, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const { publicKey, address } = other;
    own.device.handle({ kind: 'configure', change: 'peer', publicKey, endpoint: address, allowedIps }, now);
  }
  const packet = new Uint8Array(60);
  packet.set([0x45, 0, 0, 60]);
  packet.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  const delivered: number[] = [];
  const into = (to: typeof a, from: typeof a, effects: ReturnType<typeof a.device.handle>['effects']): void => {
    for (const effect of effects) {
      if (effect.kind === 'deliver') delivered.push(effect.bytes.length);
      if (effect.kind !== 'send') continue;
      const datagram = { kind: 'datagram', bytes: effect.bytes, from: from.address, queueDepth: 0 } as const;
      into(from, to, to.device.handle(datagram, now).effects);
    }
  };
  into(b, a, a.device.handle({ kind: 'packet', bytes: packet }, now).effects);
  return delivered.join();
}

describe.skipIf(!existsSync(VITE))('the engine in one file, as it was written', () => {
  let code = '';
  let vite: Vite;

  beforeAll(async () => {
    vite = (await import(/* @vite-ignore */ pathToFileURL(VITE).href)) as Vite;
    const outcome = await vite.build({
      configFile: false,
      envDir: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: false,
        target: 'esnext',
        lib: { entry: ENTRY, formats: ['iife'], name: 'engine', fileName: () => 'engine.js' },
      },
    });
    const [{ output }] = outcome as [{ readonly output: readonly { readonly code: string }[] }];
    code = output[0]?.code ?? '';
  }, 60_000);

  const to = async (target: string, text: string): Promise<string> =>
    (await vite.transformWithOxc(text, 'engine.js', { target })).code;

  test('has no syntax that would have to be made older', async () => {
    expect(await to('es2022', code)).toBe(await to('esnext', code));
    const newer = 'export function f() { using x = g(); return x; }';
    expect(await to('es2022', newer)).not.toBe(await to('esnext', newer));
  });

  test('does a handshake and delivers a packet with the language of Node 18 alone', () => {
    const world = oldWorld();
    expect(runInContext('typeof TextEncoder + typeof atob + typeof [].toSorted + typeof [].at', world)).toBe(
      'undefinedundefinedundefinedfunction',
    );
    runInContext(code, world);
    expect(runInContext(`(${talk})(engine)`, world)).toBe('60');
  });
});
