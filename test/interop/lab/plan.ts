/** What the two peers of a lab are configured with, and the wg-quick files written from it. */
import { run } from './shell.ts';

/** The two ends inside the tunnel. */
export const TUNNEL = { client: '10.66.66.2', server: '10.66.66.1' } as const;

export interface PeerPlan {
  readonly publicKey: string;
  readonly presharedKey?: string;
  readonly endpoint?: string;
  readonly allowedIps: string;
  readonly keepalive?: number;
}

export interface HostPlan {
  readonly privateKey: string;
  readonly address: string;
  readonly listenPort: number;
  readonly mtu: number;
  readonly peers: readonly PeerPlan[];
}

export interface PairPlan {
  readonly client: HostPlan;
  readonly server: HostPlan;
}

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function newKeyPair(): KeyPair {
  const privateKey = run('wg', ['genkey']).trim();
  return { privateKey, publicKey: run('wg', ['pubkey'], privateKey).trim() };
}

export function newPresharedKey(): string {
  return run('wg', ['genpsk']).trim();
}

export interface Changes {
  readonly clientPeer?: Partial<PeerPlan>;
  readonly serverPeer?: Partial<PeerPlan>;
  readonly client?: Partial<HostPlan>;
  readonly server?: Partial<HostPlan>;
}

/** A pair with fresh keys that works as it stands; `changes` put the fault in. */
export function freshPair(changes: Changes = {}): PairPlan {
  const client = newKeyPair();
  const server = newKeyPair();
  const clientPeer: PeerPlan = {
    publicKey: server.publicKey,
    endpoint: '203.0.113.10:51820',
    allowedIps: '10.66.66.0/24',
    ...changes.clientPeer,
  };
  const serverPeer: PeerPlan = { publicKey: client.publicKey, allowedIps: '10.66.66.2/32', ...changes.serverPeer };
  return {
    client: {
      privateKey: client.privateKey,
      address: '10.66.66.2/24',
      listenPort: 51821,
      mtu: 1420,
      peers: [clientPeer],
      ...changes.client,
    },
    server: {
      privateKey: server.privateKey,
      address: '10.66.66.1/24',
      listenPort: 51820,
      mtu: 1420,
      peers: [serverPeer],
      ...changes.server,
    },
  };
}

/** The file as a user would write it for wg-quick. */
export function formatQuickFile(plan: HostPlan): string {
  const lines = ['[Interface]', `PrivateKey = ${plan.privateKey}`, `Address = ${plan.address}`];
  lines.push(`ListenPort = ${plan.listenPort}`, `MTU = ${plan.mtu}`, ...peerLines(plan));
  return `${lines.join('\n')}\n`;
}

/** The part of it that `wg setconf` takes. */
export function formatSetconf(plan: HostPlan): string {
  const lines = [
    '[Interface]',
    `PrivateKey = ${plan.privateKey}`,
    `ListenPort = ${plan.listenPort}`,
    ...peerLines(plan),
  ];
  return `${lines.join('\n')}\n`;
}

function peerLines(plan: HostPlan): string[] {
  return plan.peers.flatMap((peer) => {
    const lines = ['', '[Peer]', `PublicKey = ${peer.publicKey}`];
    if (peer.presharedKey !== undefined) lines.push(`PresharedKey = ${peer.presharedKey}`);
    if (peer.endpoint !== undefined) lines.push(`Endpoint = ${peer.endpoint}`);
    lines.push(`AllowedIPs = ${peer.allowedIps}`);
    if (peer.keepalive !== undefined) lines.push(`PersistentKeepalive = ${peer.keepalive}`);
    return lines;
  });
}
