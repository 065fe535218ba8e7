/** The fastest backend on Node, made when it is first asked for: compiling and trying it takes milliseconds. */
import { fastest } from '../crypto/fastest.ts';
import { nodeCrypto } from '../crypto/node.ts';
import type { Crypto } from '../crypto/port.ts';

/** From here on OpenSSL’s speed outweighs what a call of it costs (bench/aead.ts). */
const NODE_WINS_BYTES = 8000;

let made: Crypto | undefined;

export function fastestOnNode(): Crypto {
  made ??= fastest(nodeCrypto, NODE_WINS_BYTES);
  return made;
}
