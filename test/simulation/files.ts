/** The files an operator would hand over after a run: configurations as wg-quick reads them, captures as tcpdump writes them. */
import { formatIp } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { type Bytes, utf8 } from '../../src/base/bytes.ts';
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { Report } from '../../src/report/model.ts';
import { bytesSource } from '../scenarios/lab.ts';
import type { HostPlan } from './host.ts';
import type { Outcome, Plan } from './simulation.ts';

export interface SimFile {
  readonly name: string;
  readonly bytes: Bytes;
}

export type View = 'client' | 'server' | 'both';

/** What stands in a file need not be what ran: `plan` is what the file says. */
export function confText(plan: HostPlan): string {
  const lines = ['[Interface]', `PrivateKey = ${toBase64(plan.secret)}`];
  lines.push(`Address = ${plan.inner.map((ip) => `${formatIp(ip)}/${ip.length === 4 ? 24 : 64}`).join(', ')}`);
  lines.push(`ListenPort = ${plan.address.port}`);
  for (const { publicKey, psk, endpoint, keepalive, allowedIps } of plan.peers) {
    lines.push('', '[Peer]', `PublicKey = ${toBase64(publicKey)}`);
    if (psk !== undefined) lines.push(`PresharedKey = ${toBase64(psk)}`);
    if (endpoint !== undefined) lines.push(`Endpoint = ${endpoint.text}`);
    lines.push(`AllowedIPs = ${allowedIps.join(', ')}`);
    if (keepalive > 0) lines.push(`PersistentKeepalive = ${keepalive}`);
  }
  return `${lines.join('\n')}\n`;
}

function keyLogOf({ hosts }: Outcome, name: string): string {
  const lines = hosts.find((host) => host.name === name)?.keyLog ?? [];
  return `${lines.join('\n')}\n`;
}

/** Of the server and its first client; with `keys` also what opens their data. */
export function filesOf(plan: Plan, outcome: Outcome, view: View, keys = false): SimFile[] {
  const [server, client] = plan.hosts;
  const hosts = [view === 'server' ? undefined : client, view === 'client' ? undefined : server];
  return hosts.flatMap((host) => {
    const recorder = host === undefined ? undefined : outcome.recorders.get(host.name);
    if (host === undefined || recorder === undefined) return [];
    const name = host === server ? 'server' : 'client';
    return [
      { name: `${name}.conf`, bytes: utf8(confText(host)) },
      { name: `${name}.pcap`, bytes: recorder.pcap() },
      ...(keys ? [{ name: `${name}.keys`, bytes: utf8(keyLogOf(outcome, host.name)) }] : []),
    ];
  });
}

/** As an operator would ask who knows on which end each capture was taken. */
export async function reportOf(files: readonly SimFile[], view: View): Promise<Report> {
  const at = { client: 'initiator', server: 'responder', both: undefined } as const;
  const where = at[view];
  const sources = files.map(({ name, bytes }) => bytesSource(name, bytes));
  const { report } = await diagnose(sources, {
    crypto: fastestOnNode(),
    ...(where === undefined ? {} : { at: where }),
  });
  return report;
}
