/** Destinations that were asked through the tunnel in vain: behind its other end, or that end itself. */
import { flowsOf, type InnerError, type InnerPair } from '../analyze/inner/pair.ts';
import type { InnerView, Tunnel, World } from '../analyze/world.ts';
import { formatIp, type IpBytes, inPrefix, type Prefix } from '../base/address.ts';
import { scopeOf } from '../base/address-scope.ts';
import { network, within } from '../base/prefix.ts';
import type { WgPeer } from '../config/wg-conf.ts';
import {
  type Asked,
  askedBy,
  capturedAfter,
  endNamed,
  isTunnelAddress,
  isUnicast,
  otherEnd,
  readsBothWays,
  type TunnelEnd,
} from './inner-evidence.ts';

/** A host that lives answers within a moment; only where one was waited for this long, milliseconds, silence means anything. */
const ANSWER_MS = 6000;
/** Further ones then count, too. */
const FURTHER_MS = 2000;

export interface Unanswered {
  readonly by: 0 | 1;
  readonly asker: TunnelEnd;
  readonly other: TunnelEnd;
  readonly askerName: string;
  readonly otherName: string;
  /** Asked, and nothing came. */
  readonly behind: readonly Asked[];
  readonly own: readonly Asked[];
  /** An answer of the other end itself, by any of its addresses. */
  readonly itself: Asked | undefined;
  /** Errors inside the tunnel about those behind. */
  readonly errors: readonly InnerError[];
  /** Where most of what was asked came from. */
  readonly source: IpBytes | undefined;
}

/** Undefined where answers could not be read, or something behind the other end did answer. */
export function unansweredOf(by: 0 | 1, view: InnerView, tunnel: Tunnel, world: World): Unanswered | undefined {
  const { inner, timeline } = view;
  if (!readsBothWays(by, view)) return undefined;
  const otherName = inner.ends[otherEnd(by)].name;
  const asker = endNamed(inner.ends[by].name, timeline, tunnel, world);
  const other = endNamed(otherName, timeline, tunnel, world);
  const source = mainSource(by, inner);
  const beside = (ip: IpBytes): boolean =>
    isTunnelAddress(ip, other, asker) || (other.entry === undefined && isBeside(ip, source));
  const asked = [...askedBy(by, inner).values()].filter(({ ip }) => isUnicast(ip));
  const errors = inner.errors.filter((error) => error.by !== by && error.error !== 'fragmentation-needed');
  const speaks = ({ text }: Asked): boolean => errors.some(({ from }) => formatIp(from) === text);
  const answered = asked.filter((one) => one.answered || speaks(one));
  const beyond = answered.filter(({ ip }) => !beside(ip));
  // a proxy answers for every host as if it were itself
  if (beyond.length > 1 || beyond.some(({ ip, itself }) => !itself || scopeOf(ip) === 'global')) return undefined;
  const waited = ({ first }: Asked): number => (first === undefined ? 0 : capturedAfter(first, timeline));
  const silent = asked.filter((one) => !answered.includes(one) && one.requests > 0 && waited(one) >= FURTHER_MS);
  if (!silent.some((one) => waited(one) >= ANSWER_MS)) return undefined;
  const behind = silent.filter(({ ip }) => !beside(ip));
  return {
    by,
    asker,
    other,
    askerName: inner.ends[by].name,
    otherName,
    behind,
    own: silent.filter(({ ip }) => beside(ip)),
    itself: answered.find((one) => one.itself) ?? answered[0],
    errors: errors.filter(({ quotedTo }) => behind.some(({ text }) => text === formatIp(quotedTo))),
    source,
  };
}

/** The usual networks of tunnels are no larger: /24 and /64. */
function isBeside(ip: IpBytes, source: IpBytes | undefined): boolean {
  return (
    source !== undefined && source.length === ip.length && inPrefix(ip, { ip: source, bits: ip.length === 4 ? 24 : 64 })
  );
}

function mainSource(by: 0 | 1, inner: InnerPair): IpBytes | undefined {
  let most = 0;
  let ip: IpBytes | undefined;
  for (const flow of flowsOf(inner)) {
    if (flow.by !== by || flow.there.packets <= most || !isUnicast(flow.from)) continue;
    most = flow.there.packets;
    ip = flow.from;
  }
  return ip ?? [...inner.ends[by].sources.values()].sort((a, b) => b.packets - a.packets)[0]?.ip;
}

/** What its file sends to the peer that is not in the network of the tunnel itself. */
export function networksBehind({ entry }: TunnelEnd, peer: WgPeer): Prefix[] {
  const own = (entry?.conf.interface.addresses ?? []).map(({ value }) => value);
  return peer.allowedIps
    .map(({ value }) => network(value))
    .filter((prefix) => !own.some((address) => isTunnels(prefix, address)));
}

/** The network of the address, or part of it; a network that holds the address, unless it is as wide as the world. */
function isTunnels(prefix: Prefix, address: Prefix): boolean {
  if (within(prefix, network(address))) return true;
  return prefix.bits >= prefix.ip.length * 4 && inPrefix(address.ip, prefix);
}
