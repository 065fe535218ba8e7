/** Keys and configuration files for rule tests: the same ones in every run. */
import { toBase64 } from '../../src/base/base64.ts';
import { privateKey } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';

export interface TestPair {
  readonly secret: string;
  readonly public: string;
}

/** `seed` 1 to 255. */
export function pair(seed: number): TestPair {
  const bytes = new Uint8Array(32).fill(seed);
  return { secret: toBase64(bytes), public: toBase64(nodeCrypto.publicKey(privateKey(bytes))) };
}

export const PSK_A = toBase64(new Uint8Array(32).fill(0xa7));
export const PSK_B = toBase64(new Uint8Array(32).fill(0xb7));

export interface PeerLines {
  readonly key: string;
  readonly psk?: string;
  readonly allowed?: string;
  readonly endpoint?: string;
}

export interface ConfLines {
  readonly secret: string;
  readonly port?: number;
  readonly address?: string;
  readonly peers: readonly PeerLines[];
}

/** Lines: 1 [Interface], 2 PrivateKey, 3 Address, 4 ListenPort, then a blank one and each peer: PublicKey, PSK, Endpoint, AllowedIPs. */
export function conf({ secret, port, address, peers }: ConfLines): string {
  const lines = ['[Interface]', `PrivateKey = ${secret}`];
  if (address !== undefined) lines.push(`Address = ${address}`);
  if (port !== undefined) lines.push(`ListenPort = ${port}`);
  for (const peer of peers) {
    lines.push('', '[Peer]', `PublicKey = ${peer.key}`);
    if (peer.psk !== undefined) lines.push(`PresharedKey = ${peer.psk}`);
    if (peer.endpoint !== undefined) lines.push(`Endpoint = ${peer.endpoint}`);
    if (peer.allowed !== undefined) lines.push(`AllowedIPs = ${peer.allowed}`);
  }
  return `${lines.join('\n')}\n`;
}

export const CLIENT = pair(1);
export const SERVER = pair(2);
export const OTHER = pair(3);
export const FOURTH = pair(4);

/** A client and a server that fit each other; `client` and `server` replace what the client and the server have. */
export function fittingFiles(
  change: {
    client?: Partial<ConfLines>;
    server?: Partial<ConfLines>;
    clientPeer?: Partial<PeerLines>;
    serverPeer?: Partial<PeerLines>;
  } = {},
): Record<string, string> {
  return {
    'client.conf': conf({
      secret: CLIENT.secret,
      address: '10.66.66.2/24',
      port: 51821,
      peers: [{ key: SERVER.public, endpoint: '203.0.113.10:51820', allowed: '10.66.66.0/24', ...change.clientPeer }],
      ...change.client,
    }),
    'server.conf': conf({
      secret: SERVER.secret,
      address: '10.66.66.1/24',
      port: 51820,
      peers: [{ key: CLIENT.public, allowed: '10.66.66.2/32', ...change.serverPeer }],
      ...change.server,
    }),
  };
}
