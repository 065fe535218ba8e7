/** The cases for Node, which has node:crypto and WebAssembly. */
import { noble } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { wasmCrypto } from '../../src/crypto/wasm/index.ts';
import { run } from './cases.ts';

run(
  {
    noble: () => noble,
    node: () => nodeCrypto,
    'wasm-scalar': () => wasmCrypto('scalar', nodeCrypto),
    'wasm-scalar on noble': () => wasmCrypto('scalar', noble),
  },
  process.argv.slice(2),
);
