/** Prefixes compared: which lies in which, host bits aside. */
import { formatPrefix, type IpBytes, inPrefix, maskIp, type Prefix } from './address.ts';

/** Host bits masked, as WireGuard and every router take it. */
export function network({ ip, bits }: Prefix): Prefix {
  return { ip: maskIp(ip, bits), bits };
}

export function networkText(prefix: Prefix): string {
  return formatPrefix(network(prefix));
}

export function within(inner: Prefix, outer: Prefix): boolean {
  return inner.bits >= outer.bits && inPrefix(inner.ip, outer);
}

export function sameNetwork(a: Prefix, b: Prefix): boolean {
  return a.bits === b.bits && inPrefix(a.ip, b);
}

export function overlapping(a: Prefix, b: Prefix): boolean {
  return within(a, b) || within(b, a);
}

export interface PrefixIndex<T> {
  /** What contains the address, the longest prefix first; of equal ones the first that was given. */
  covering(ip: IpBytes): T[];
}

/** Work for a look-up: the number of different lengths. */
export function prefixIndex<T extends { readonly prefix: Prefix }>(items: readonly T[]): PrefixIndex<T> {
  const byNetwork = new Map<string, T>();
  const lengths = new Set<number>();
  for (const item of items) {
    const text = networkText(item.prefix);
    if (!byNetwork.has(text)) byNetwork.set(text, item);
    lengths.add(item.prefix.bits);
  }
  const longestFirst = [...lengths].sort((a, b) => b - a);
  return {
    covering: (ip) =>
      longestFirst.flatMap((bits) => (bits > ip.length * 8 ? [] : (byNetwork.get(networkText({ ip, bits })) ?? []))),
  };
}
