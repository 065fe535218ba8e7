/** The other end of the tunnel is there, and nothing behind it answers, or nothing inside at all. */
import type { InnerError } from '../../analyze/inner/pair.ts';
import type { Tunnel } from '../../analyze/world.ts';
import { formatIp, formatPrefix, type IpBytes, inPrefix } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { networkText } from '../../base/prefix.ts';
import { secondsOf } from '../data-evidence.ts';
import { tunnelSubject } from '../evidence.ts';
import { type Asked, otherEnd, type TunnelEnd } from '../inner-evidence.ts';
import { closedOneWays, type OneWayBetween, oneWayFrames, oneWaySeconds, receiverName } from '../one-way-evidence.ts';
import { defineRule, type Facts, type Found, type RuledOut } from '../rule.ts';
import { networksBehind, type Unanswered, unansweredOf } from '../unanswered.ts';

const ROS_SNIFF = '/tool sniffer quick interface=wireguard1';
const LISTED = 4;
/** Asked less often, it may be chance. */
const LEAST_REQUESTS = 3;
/** Not opened, repeated questions must be evident, and more than one keepalive show that they arrive. */
const LEAST_ASKING = 5;
const LEAST_TAKEN = 2;
/** A router waits this long for an answer to ARP before it says that a host is unreachable (Linux: three seconds). */
const ARP_MS = 900;

interface UnansweredFacts extends Facts {
  /** `behind` the other end · the other end `itself` · `closed`: the packets could not be opened. */
  readonly kind: 'behind' | 'itself' | 'closed';
  readonly asker: string;
  readonly other: string;
  /** Addresses or, where nothing opens, the networks that the asker’s file sends there. */
  readonly silent: readonly string[];
  readonly requests: number;
  /** An address of the other end that did answer. */
  readonly answers: string | null;
  /** It is but one host: nothing shows that the other end is at fault. */
  readonly alone: boolean;
  /** What an ICMP error inside the tunnel says, and who. */
  readonly says: string | null;
  readonly internet: boolean;
  readonly source: string | null;
  readonly lengthBytes: number | null;
  readonly everySeconds: number | null;
}

export const innerUnanswered = defineRule<'tunnel', UnansweredFacts>({
  name: 'inner-unanswered',
  severity: 'error',
  on: 'tunnel',
  group: 'wire',
  hides: ['dns-unanswered'],
  explain: {
    what: 'the tunnel works and its other end is alive, but what is asked of hosts behind it is never answered',
    why: 'after decryption the packet must be routed on: IP forwarding, the forward chain of the firewall, and a way back (a route to the tunnel’s network, or masquerading) are all needed, and WireGuard provides none of them',
    fix: 'at the end that the networks are behind: switch IP forwarding on, accept forwarding from and to the WireGuard interface, and either masquerade towards the LAN or give its hosts a route back',
  },
  check(tunnel, world) {
    const opened = tunnel.inner.flatMap((view) =>
      ([0, 1] as const).flatMap((by) => {
        const found = unansweredOf(by, view, tunnel, world);
        return found === undefined ? [] : (fromPackets(found, tunnel) ?? []);
      }),
    );
    if (opened.length > 0) return opened;
    for (const each of closedOneWays(tunnel, world)) {
      const found = fromPattern(each, tunnel);
      if (found !== undefined) return found;
    }
    return undefined;
  },
  message(facts) {
    const { kind, asker, other, silent, requests, answers, says, alone } = facts;
    const list = `${silent.slice(0, LISTED).join(', ')}${silent.length > LISTED ? ` and ${silent.length - LISTED} more` : ''}`;
    if (kind === 'closed') return closedMessage(facts, list);
    const asked = `${asker} asked ${list} through the tunnel ${requests} times and got no answer`;
    if (says !== null) return `${asked}: ${says}`;
    if (kind === 'itself') return `${asked}, though ${other} takes part in the tunnel: nothing inside answers`;
    const alive =
      answers === null ? `, though ${other} takes part in the tunnel` : `, while ${answers} at ${other} itself answers`;
    if (alone) return `${asked}${alive}: that host may be off, or ${other} does not pass it on`;
    return `${asked}${alive}: ${other} does not pass it on, or the way back is missing`;
  },
  fix: ({ kind, other, silent, internet, source, alone }) => ({
    linux: alone
      ? [
          `to see whether it is there and how far it gets, on the host of ${other}: ping ${silent[0]}; tcpdump -ni any host ${silent[0]}`,
        ]
      : kind === 'itself' || silent.length === 0
        ? itselfLinux(other, silent)
        : behindLinux(other, silent, internet, source),
    routeros: alone ? [`/ping ${silent[0]}`, ROS_SNIFF] : behindRouterOs(internet, source),
  }),
});

function closedMessage({ asker, other, requests, lengthBytes, everySeconds }: UnansweredFacts, list: string): string {
  const what = `${asker} sent ${requests} data messages of ${lengthBytes} bytes, one every ${everySeconds} s, and ${other} took them and never answered`;
  return list === '' ? what : `${what}: it may not pass on what goes to ${list}, or the way back is missing`;
}

function behindLinux(other: string, silent: readonly string[], internet: boolean, source: string | null): string[] {
  const from = source ?? 'TUNNEL_NETWORK';
  const [target = 'DESTINATION'] = silent;
  const what = target.includes('/') ? 'net' : 'host';
  return [
    `on the host of ${other}: sysctl net.ipv4.ip_forward   (must be 1; IPv6: net.ipv6.conf.all.forwarding); to set it: sysctl -w net.ipv4.ip_forward=1`,
    'iptables -S FORWARD   (both directions must pass): iptables -A FORWARD -i wg0 -j ACCEPT; iptables -A FORWARD -o wg0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    internet
      ? `iptables -t nat -A POSTROUTING -s ${from} -o OUTER_INTERFACE -j MASQUERADE`
      : `the way back: on the router of that network a route to ${from} by way of this host, or here: iptables -t nat -A POSTROUTING -s ${from} -o LAN_INTERFACE -j MASQUERADE`,
    `to see how far it gets: tcpdump -ni any ${what} ${target}   (in on wg0, out on the LAN, an answer back?)`,
  ];
}

function itselfLinux(other: string, silent: readonly string[]): string[] {
  return [
    `on the host of ${other}: ip addr show wg0   (does it have ${silent[0] ?? 'that address'}?); wg show wg0 allowed-ips   (is the asker’s address with the asker’s peer?)`,
    'iptables -S INPUT; nft list ruleset   (does it accept what comes in on wg0?)',
    'tcpdump -ni wg0   (only what passed AllowedIPs shows there)',
  ];
}

function behindRouterOs(internet: boolean, source: string | null): string[] {
  return [
    '/ip firewall filter print where chain=forward   (accept in-interface=wireguard1 and out-interface=wireguard1 before the last drop)',
    internet
      ? `/ip firewall nat add chain=srcnat src-address=${source ?? 'TUNNEL_NETWORK'} out-interface-list=WAN action=masquerade`
      : `/ip route print; the hosts there need a route to ${source ?? 'the tunnel’s network'} by way of this router`,
    ROS_SNIFF,
  ];
}

/** The network of the tunnel, as far as the file has it: what the way back has to lead to. */
function networkOf({ entry }: TunnelEnd, ip: IpBytes): string {
  const own = entry?.conf.interface.addresses.find(({ value }) => inPrefix(ip, value));
  return own === undefined ? formatIp(ip) : networkText(own.value);
}

function ownNetwork({ entry }: TunnelEnd): string | null {
  const own = entry?.conf.interface.addresses[0];
  return own === undefined ? null : networkText(own.value);
}

const label = (end: TunnelEnd, name: string): string => end.entry?.name ?? name;

function fromPackets(found: Unanswered, tunnel: Tunnel): Found<UnansweredFacts> | undefined {
  const { behind, own, itself, errors, asker, other, source } = found;
  const nothing = behind.length === 0;
  // a host that refuses to answer pings, where others inside do answer
  if (nothing && itself !== undefined) return undefined;
  const silent = nothing ? own : behind;
  const requests = silent.reduce((sum, one) => sum + one.requests, 0);
  if (requests < LEAST_REQUESTS) return undefined;
  const [said] = errors;
  const sure = said !== undefined || (itself !== undefined && silent.length > 1);
  // one host may be off, or never have been there
  const alone = !nothing && said === undefined && silent.length === 1;
  const host = said?.error === 'host-unreachable' && (said.firstAfterMs ?? 0) >= ARP_MS;
  return {
    facts: {
      kind: nothing ? 'itself' : 'behind',
      asker: label(asker, found.askerName),
      other: label(other, found.otherName),
      silent: silent.map(({ text }) => text),
      requests,
      answers: itself?.text ?? null,
      says: said === undefined ? null : words(said),
      alone,
      internet: silent.some(({ ip }) => scopeOf(ip) === 'global'),
      source: source === undefined ? null : networkOf(asker, source),
      lengthBytes: null,
      everySeconds: null,
    },
    certainty: said !== undefined ? 'proven' : sure ? 'deduced' : 'suspected',
    ...(alone ? { severity: 'info' as const } : nothing || host ? { severity: 'warning' as const } : {}),
    frames: [...silent.flatMap(({ frames }) => frames), ...errors.flatMap(({ frames }) => frames)],
    subject: tunnelSubject(tunnel),
    notes: notesOf(found, silent, host),
    ruledOut: ruledOut(found, tunnel),
  };
}

function words({ from, error, quotedTo }: InnerError): string {
  return `${formatIp(from)} says “${error.replace(/-/g, ' ')}” about ${formatIp(quotedTo)}`;
}

/** In the network of its tunnel, and none of its peers may have it. */
function isNobodys(ip: IpBytes, { entry }: TunnelEnd): boolean {
  if (entry === undefined) return false;
  const peers = entry.conf.peers.flatMap(({ allowedIps }) => allowedIps);
  return (
    entry.conf.interface.addresses.some(({ value }) => inPrefix(ip, value)) &&
    !peers.some(({ value }) => inPrefix(ip, value))
  );
}

function notesOf({ itself, errors, other }: Unanswered, silent: readonly Asked[], host: boolean): string[] {
  if (host)
    return ['the error came after a pause, as when nobody answers ARP: that host may be off, or not on that network'];
  if (errors.length > 0) return ['whoever says so did get the packet, so the tunnel and its AllowedIPs let it through'];
  const notes: string[] = [];
  if (silent.length === 1)
    notes.push(`${silent[0]?.text} alone was asked: a host that is off, or whose firewall is silent, looks the same`);
  for (const { ip, text } of silent)
    if (isNobodys(ip, other))
      notes.push(
        `nobody may have ${text}: it lies in the network of the tunnel at ${other.entry?.name}, in the AllowedIPs of no peer there`,
      );
  if (itself === undefined && other.entry === undefined)
    notes.push(
      'AllowedIPs at the other end that do not hold the asker’s address look the same: its configuration would tell',
    );
  return notes;
}

function ruledOut({ by, other }: Unanswered, tunnel: Tunnel): RuledOut[] {
  const out: RuledOut[] = [];
  const last = tunnel.inner.map(({ inner }) => inner.ends[otherEnd(by)].last).find((frame) => frame !== undefined);
  if (last !== undefined)
    out.push({ rule: 'peer-went-away', because: 'the other end sends data of its own', frames: [last] });
  if (other.entry !== undefined)
    out.push({ rule: 'source-not-allowed', because: `${other.entry.name} allows the source of these packets` });
  return out;
}

/** By what the file sends there, and by the shape of what is sent: somebody asks again and again. */
function fromPattern({ oneWay, sender, receiver }: OneWayBetween, tunnel: Tunnel): Found<UnansweredFacts> | undefined {
  const { asking, askingLength, askingMs, taken } = oneWay;
  if (asking < LEAST_ASKING || taken.length < LEAST_TAKEN) return undefined;
  const peer = receiver.key === undefined ? undefined : sender.entry?.peers.get(receiver.key.text);
  const behind = peer === undefined ? [] : networksBehind(sender, peer);
  const before = oneWay.answersBefore > 0;
  return {
    facts: {
      kind: 'closed',
      asker: label(sender, oneWay.senderName),
      other: label(receiver, receiverName(oneWay)),
      silent: before ? behind.map(formatPrefix) : [],
      requests: oneWay.packets,
      answers: null,
      says: null,
      alone: false,
      internet: behind.some(({ bits }) => bits === 0),
      source: ownNetwork(sender),
      lengthBytes: askingLength,
      everySeconds: secondsOf(askingMs),
    },
    certainty: 'suspected',
    severity: before && behind.length > 0 ? 'warning' : 'info',
    frames: oneWayFrames(oneWay),
    subject: tunnelSubject(tunnel),
    notes: [
      `within ${oneWaySeconds(oneWay)} s the other end sent nothing but keepalives, 10 s after data: it opened that data and had nothing to send (wp §6.5)`,
      before
        ? `${oneWay.answersBefore} data messages came back before, so the tunnel itself carries both ways`
        : 'AllowedIPs at the other end that do not hold the sender’s address, and its firewall, look the same',
      'data that wants no answer (logs, streams, heartbeats) looks the same too',
    ],
    missing: [
      { key: 'an ephemeral private key of either end (a key log)', wouldSettle: 'what was asked of whom' },
      ...(receiver.entry === undefined
        ? [
            {
              key: 'the configuration of the other end',
              wouldSettle: 'whether its AllowedIPs hold the sender’s address',
            },
          ]
        : []),
    ],
  };
}
