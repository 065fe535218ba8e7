/** Reads ping with a fixed size, as one finds a path's MTU: Linux `-M do -s`, macOS `-D -s`, Windows `-f -l`. */
import { type IpBytes, parseIp } from '../../base/address.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';

export type PingEvent = { readonly line: number } & (
  | { readonly kind: 'reply'; readonly from?: string; readonly payloadBytes?: number; readonly rttMs?: number }
  | { readonly kind: 'timeout' }
  /** This host would not send it: its own interface is too small. */
  | { readonly kind: 'too-long'; readonly mtu?: number }
  /** A router on the way would have had to fragment it. */
  | { readonly kind: 'fragmentation-needed'; readonly from?: string; readonly mtu?: number }
  | { readonly kind: 'unreachable'; readonly from?: string; readonly what: string }
  /** The kernel's WireGuard has no peer for the address, or no endpoint for the peer. */
  | { readonly kind: 'no-peer' | 'no-endpoint' }
  | { readonly kind: 'not-permitted' }
);

export interface PingRun {
  readonly line: number;
  readonly target: string;
  readonly address?: IpBytes;
  /** ICMP payload: with IPv4 the packet is 28 bytes longer, with IPv6 48. */
  readonly payloadBytes?: number;
  readonly events: readonly PingEvent[];
  readonly sent?: number;
  readonly received?: number;
}

const HEADS: readonly RegExp[] = [
  // PING host (192.0.2.1) 1472(1500) bytes of data., with `from … eth0:` in between
  /^PING (?<target>\S+?) ?\((?<ip>[0-9a-fA-F.:]+)(?:%\S+)?\)(?: from .{0,200}?)? (?<size>\d{1,5})\(\d+\) (?:data )?bytes/,
  // PING 2001:db8::1(2001:db8::1) 56 data bytes, PING host (192.0.2.1): 56 data bytes
  /^PING6?(?:\([^)]{0,100}\))? (?<target>[^\s(]+) ?(?:\((?<ip>[0-9a-fA-F.:]+)(?:%\S+)?\))?:? (?:from .{0,200}? )?(?<size>\d{1,5}) data bytes/,
  // PING6(1500=40+8+1452 bytes) 2001:db8::9 --> 2001:db8::1 of macOS
  /^PING6\(\d+=40\+8\+(?<size>\d{1,5}) bytes\) \S+ --> (?<target>\S+)/,
  // Pinging host [192.0.2.1] with 1472 bytes of data:
  /^Pinging (?<target>\S+)(?: \[(?<ip>[0-9a-fA-F.:]+)\])? with (?<size>\d{1,5}) bytes of data/,
];

function headOf(line: number, text: string): PingRun | undefined {
  for (const head of HEADS) {
    const groups = head.exec(text)?.groups;
    if (groups === undefined) continue;
    const { target = '', ip, size } = groups;
    return given({
      line,
      target,
      address: parseIp(ip ?? target),
      payloadBytes: size === undefined ? undefined : Number(size),
      events: [],
    });
  }
  return undefined;
}

const SENDER = /^(?:Reply from|From) ([0-9a-fA-F.:]+[0-9a-fA-F])/i;

function eventOf(line: number, text: string, payloadBytes: number | undefined): PingEvent | undefined {
  const from = SENDER.exec(text)?.[1];
  const mtu = /mtu ?= ?(\d{2,5})/i.exec(text)?.[1];
  const reported = mtu === undefined ? undefined : Number(mtu);
  const reply = /^(\d{1,5}) bytes from (\S+?)[:,]? .*?(?:time[=<] ?([\d.]+) ?ms)?$/.exec(text);
  const windows = /^Reply from (\S+?): (?:bytes=(\d{1,5}) )?time[=<](\d+)ms/i.exec(text);
  if (reply !== null) {
    const [, size, sender, rtt] = reply;
    const payload = size === undefined ? undefined : Number(size) - 8;
    return given({
      line,
      kind: 'reply' as const,
      from: sender,
      payloadBytes: payload ?? payloadBytes,
      rttMs: rtt === undefined ? undefined : Number(rtt),
    });
  }
  if (windows !== null) {
    const [, sender, size, rtt] = windows;
    return given({
      line,
      kind: 'reply' as const,
      from: sender,
      payloadBytes: size === undefined ? payloadBytes : Number(size),
      rttMs: Number(rtt),
    });
  }
  if (/^(Request timed out|Request timeout for|no answer yet for)/i.test(text)) return { line, kind: 'timeout' };
  if (
    /frag(mentation)? needed|Packet too big/i.test(text) ||
    (from !== undefined && /needs to be fragmented/i.test(text))
  )
    return given({ line, kind: 'fragmentation-needed' as const, from, mtu: reported });
  if (/message too long|needs to be fragmented but DF set/i.test(text))
    return given({ line, kind: 'too-long' as const, mtu: reported });
  if (/Required key not available/i.test(text)) return { line, kind: 'no-peer' };
  if (/Destination address required/i.test(text)) return { line, kind: 'no-endpoint' };
  if (/Operation not permitted/i.test(text)) return { line, kind: 'not-permitted' };
  const unreachable =
    /(Destination (?:host|net|port|protocol)? ?unreachable|Network is unreachable|No route to host|Packet filtered|Communication prohibited|Time to live exceeded|TTL expired in transit|General failure)/i.exec(
      text,
    );
  return unreachable === null
    ? undefined
    : given({ line, kind: 'unreachable' as const, from, what: (unreachable[1] ?? '').toLowerCase() });
}

/** Every run in the text. Never throws. */
export function parsePing(text: Pasted): readonly PingRun[] {
  const runs: (PingRun & { readonly events: PingEvent[] })[] = [];
  for (const { number, text: line } of pastedLines(text)) {
    const body = line.trim();
    const head = headOf(number, body);
    if (head !== undefined) {
      runs.push({ ...head, events: [] });
      continue;
    }
    const run = runs.at(-1);
    if (run === undefined) continue;
    const linux = /^(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(body);
    const windows = /Sent = (\d+), Received = (\d+)/.exec(body);
    const counts = linux ?? windows;
    const event = counts === null ? eventOf(number, body, run.payloadBytes) : undefined;
    if (counts !== null) runs[runs.length - 1] = { ...run, sent: Number(counts[1]), received: Number(counts[2]) };
    else if (event !== undefined) run.events.push(event);
  }
  return runs;
}
