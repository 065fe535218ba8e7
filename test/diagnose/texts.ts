/** Configurations, exports and outputs for rule tests, as short as they can be written; every line is where it is put. */

/** Lines: 1 [Interface], 2 PrivateKey, then those given; `[Peer] KEY` makes two, after a blank one. */
export function quick(secret: string, ...lines: readonly string[]): string {
  const out = ['[Interface]', `PrivateKey = ${secret}`];
  for (const line of lines) {
    const peer = /^\[Peer\] (.+)$/.exec(line);
    if (peer === null) out.push(line);
    else out.push('', '[Peer]', `PublicKey = ${peer[1]}`);
  }
  return `${out.join('\n')}\n`;
}

/** Line 1 is the header of an export, then those given. */
export function ros(...lines: readonly string[]): string {
  return `# 2026-11-21 09:21:55 by RouterOS 7.16.2\n${lines.join('\n')}\n`;
}

export interface ShownPeer {
  readonly key: string;
  readonly endpoint?: string;
  readonly allowed?: string;
  readonly psk?: true;
  /** `12 seconds ago` */
  readonly handshake?: string;
  /** `444 B received, 276 B sent`; without it both are 0. */
  readonly transfer?: string;
  readonly keepalive?: string;
}

/** `wg show`: line 1 interface, 2 public key, 3 private key, 4 listening port, then a blank one and each peer. */
export function show(publicKey: string, port: number, ...peers: readonly ShownPeer[]): string {
  const out = ['interface: wg0', `  public key: ${publicKey}`, '  private key: (hidden)', `  listening port: ${port}`];
  for (const { key, endpoint, allowed, psk, handshake, transfer, keepalive } of peers) {
    out.push('', `peer: ${key}`);
    if (psk) out.push('  preshared key: (hidden)');
    if (endpoint !== undefined) out.push(`  endpoint: ${endpoint}`);
    out.push(`  allowed ips: ${allowed ?? '(none)'}`);
    if (handshake !== undefined) out.push(`  latest handshake: ${handshake}`);
    if (transfer !== undefined) out.push(`  transfer: ${transfer}`);
    if (keepalive !== undefined) out.push(`  persistent keepalive: ${keepalive}`);
  }
  return `${out.join('\n')}\n`;
}

export interface DumpedPeer {
  readonly key: string;
  readonly psk?: string;
  readonly endpoint?: string;
  readonly allowed?: string;
  /** Seconds since 1970; 0: never. */
  readonly handshake?: number;
  readonly rx: number;
  readonly tx: number;
}

/** `wg show wg0 dump`: the end on line 1, each peer on one of its own. */
export function dump(
  end: { readonly secret: string; readonly public: string },
  port: number,
  ...peers: DumpedPeer[]
): string {
  const lines = peers.map(({ key, psk, endpoint, allowed, handshake, rx, tx }) =>
    [key, psk ?? '(none)', endpoint ?? '(none)', allowed ?? '(none)', handshake ?? 0, rx, tx, 'off'].join('\t'),
  );
  return `${[[end.secret, end.public, port, 'off'].join('\t'), ...lines].join('\n')}\n`;
}
