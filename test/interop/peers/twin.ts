/** Our engine in the other implementation's place: the same keys, peers and policy, so that it can be asked for its verdict. */
import { type Endpoint, parseEndpoint, parsePrefix } from '../../../src/base/address.ts';
import { decodeKeyText } from '../../../src/base/base64.ts';
import type { Bytes } from '../../../src/base/bytes.ts';
import { type PrivateKey, presharedKey, privateKey, publicKey } from '../../../src/base/keys.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { systemRandom } from '../../../src/io/random.ts';
import { Device } from '../../../src/wg/device.ts';
import { POLICIES } from '../../../src/wg/policy.ts';
import type { Input, Step } from '../../../src/wg/step.ts';
import type { RemoteKind } from './lines.ts';
import type { DevicePlan } from './remote.ts';

function key(text: string): PrivateKey {
  const bytes = decodeKeyText(text);
  if (!(bytes instanceof Uint8Array)) throw new Error('not a key');
  return privateKey(bytes);
}

const LONG_GAP_MS = 25;
const WALL_SEC = 1_800_000_000;

export class Twin {
  readonly device: Device;
  #monoMs = 0;

  constructor(kind: RemoteKind) {
    this.device = new Device({ crypto: nodeCrypto, random: systemRandom, policy: POLICIES[kind] });
  }

  /** As `wg setconf`: nothing of what was is remembered. What a new peer is sent at once comes back. */
  configure({ privateKey: secret, peers }: DevicePlan): Step['effects'] {
    for (const peer of this.device.peers()) {
      this.handle({ kind: 'configure', change: 'remove-peer', publicKey: peer.publicKey });
    }
    this.handle({ kind: 'configure', change: 'private-key', privateKey: key(secret) });
    return peers.flatMap((peer) => {
      const endpoint = peer.endpoint === undefined ? undefined : parseEndpoint(peer.endpoint);
      const allowedIps = peer.allowedIps
        .split(/, */)
        .map(parsePrefix)
        .filter((prefix) => prefix !== undefined);
      const { effects } = this.handle({
        kind: 'configure',
        change: 'peer',
        publicKey: publicKey(key(peer.publicKey)),
        allowedIps,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(peer.presharedKey === undefined ? {} : { presharedKey: presharedKey(key(peer.presharedKey)) }),
        ...(peer.keepalive === undefined ? {} : { persistentKeepalive: peer.keepalive }),
      });
      return effects;
    });
  }

  /** Its clock goes on from one thing to the next, by more than the least gap between initiations unless told. */
  handle(input: Input, gapMs = LONG_GAP_MS): Step {
    this.#monoMs += gapMs;
    return this.device.handle(input, {
      monoMs: this.#monoMs,
      wall: { sec: WALL_SEC + Math.floor(this.#monoMs / 1000), nsec: 0 },
    });
  }

  /** The bytes stay the caller's. */
  receive(bytes: Bytes, from: Endpoint, gapMs?: number): Step {
    return this.handle({ kind: 'datagram', bytes: bytes.slice(), from }, gapMs);
  }
}
