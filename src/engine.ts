/** `wgwhy/engine`: the deterministic peer, and the backend that runs everywhere. `wgwhy/node` has a faster one. */
export { fastest } from './crypto/fastest.ts';
export { noble } from './crypto/noble.ts';
export * from './wg/index.ts';
