/** The file names a server for the tunnel, and names are still asked for outside of it. */
import type { ConfEntry, KnownKey } from '../../analyze/key-set.ts';
import { allowedIpsOf } from '../../analyze/receivers.ts';
import type { ForeignFlow, FrameId, Timeline } from '../../analyze/timeline.ts';
import { isConfirmed, type World } from '../../analyze/world.ts';
import { formatIp, type IpBytes } from '../../base/address.ts';
import { compareTime, type Time } from '../../base/time.ts';
import { captureSubject } from '../capture-evidence.ts';
import { placeOf } from '../config-evidence.ts';
import { endNamed } from '../inner-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const DNS_PORT = 53;
const LISTED = 4;
const FRAMES = 12;
/** Unanswered ones before that is no chance. */
const LEAST_UNANSWERED = 3;

interface OutsideFacts extends Facts {
  readonly place: string;
  /** As the file has them. */
  readonly named: readonly string[];
  readonly asked: readonly string[];
  readonly questions: number;
  readonly unanswered: number;
  /** The server of the file itself is asked outside: AllowedIPs do not lead to it. */
  readonly notRouted: boolean;
}

export const dnsOutsideTunnel = defineRule<'capture', OutsideFacts>({
  name: 'dns-outside-tunnel',
  severity: 'info',
  on: 'capture',
  group: 'wire',
  explain: {
    what: 'the file has DNS = for the tunnel, and while the tunnel is up this host sends questions to port 53 outside of it',
    why: 'who carries them sees every name, and names that only the server of the tunnel knows are not found; a local resolver, a browser of its own mind, or AllowedIPs without the server’s address lead there',
    fix: 'see what the resolver really uses (resolvectl status), and put the server’s address into AllowedIPs; looking up the Endpoint’s own name outside is right',
  },
  check: (timeline, world) => found(timeline, world),
  message({ place, named, asked, questions, unanswered, notRouted }) {
    const list = `${asked.slice(0, LISTED).join(', ')}${asked.length > LISTED ? ` and ${asked.length - LISTED} more` : ''}`;
    const many = `${questions} question${questions === 1 ? '' : 's'} for names went to ${list} outside the tunnel`;
    const fate = unanswered === 0 ? '' : `, ${unanswered} of them without an answer`;
    const why = notRouted
      ? `: AllowedIPs do not lead to the server that ${place} names`
      : `, though ${place} names ${named.join(', ')}`;
    return `${many}${fate}${why}`;
  },
  fix: ({ named, notRouted }) => ({
    linux: [
      'resolvectl status   (which server belongs to which interface?); cat /etc/resolv.conf',
      notRouted
        ? `ip route get ${named[0] ?? 'SERVER'}   (must lead into the tunnel: add ${named[0] ?? 'it'}/32 to AllowedIPs)`
        : 'resolvectl domain wg0 "~."   (all names by way of the tunnel’s server); switch DNS over HTTPS and fixed servers of programs off',
    ],
    routeros: ['/ip dns print   (servers, dynamic-servers); /ip dhcp-client set [find] use-peer-dns=no'],
  }),
});

interface Host {
  readonly entry: ConfEntry;
  readonly peer: KnownKey | undefined;
  readonly ips: readonly string[];
  readonly since: Time;
}

/** The host that the capture was taken on, where its file names servers and its tunnel came up. */
function hostOf(timeline: Timeline, world: World): Host | undefined {
  const vantage = world.vantages.get(timeline.capture);
  for (const tunnel of world.tunnels) {
    for (const merged of tunnel.exchanges) {
      const view = merged.views.find((one) => one.timeline === timeline);
      if (view === undefined || !isConfirmed(merged)) continue;
      const { pair, initiator, responder, initiatorName, responderName, confirmed, replied } = view.exchange;
      const local = vantage?.local(pair).name;
      const since = (confirmed ?? replied)?.at.time;
      if (local === undefined || since === undefined) continue;
      const { entry } = endNamed(local, timeline, tunnel, world);
      if (entry === undefined || entry.conf.interface.dns.length === 0) continue;
      const peer = endNamed(local === initiatorName ? responderName : initiatorName, timeline, tunnel, world).key;
      const { ip } = local === initiatorName ? initiator : responder;
      return { entry, peer, ips: [formatIp(ip)], since };
    }
  }
  return undefined;
}

function found(timeline: Timeline, world: World): Found<OutsideFacts> | undefined {
  const host = timeline.timed ? hostOf(timeline, world) : undefined;
  if (host === undefined) return undefined;
  const flows = [...timeline.foreign.values()].filter((flow) => isOutside(flow, host));
  if (flows.length === 0) return undefined;
  const dns = host.entry.conf.interface.dns;
  const named = dns.map(({ value }) => formatIp(value));
  const asked = [...new Set(flows.map(({ to }) => formatIp(to.ip)))];
  const silent = flows.filter(({ back }) => back === 0);
  const heard = flows.some(({ back }) => back > 0);
  const unanswered = silent.reduce((sum, { count }) => sum + count, 0);
  const damage = !heard && unanswered >= LEAST_UNANSWERED && bothWays(timeline);
  const frames: FrameId[] = flows.map(({ at, last }) => (compareTime(at.time, host.since) > 0 ? at : last));
  return {
    facts: {
      place: placeOf(host.entry, dns[0]?.line),
      named,
      asked,
      questions: flows.reduce((sum, { count, back }) => sum + count - back, 0),
      unanswered: damage ? unanswered : 0,
      notRouted: asked.some((server) => named.includes(server)) && !dns.some(({ value }) => leadsIn(value, host)),
    },
    certainty: 'proven',
    ...(damage ? { severity: 'warning' as const } : {}),
    frames: frames.sort((a, b) => a.frame - b.frame).slice(0, FRAMES),
    subject: captureSubject(timeline),
    notes: host.entry.conf.peers.some(({ endpoint }) => endpoint !== undefined && endpoint.value.ip === undefined)
      ? ['the Endpoint is a name: what looks it up again has to ask outside']
      : [],
  };
}

/** From this host to port 53, at a time when the tunnel was up. */
function isOutside({ name, from, to, last }: ForeignFlow, { ips, since }: Host): boolean {
  return name === 'DNS' && to.port === DNS_PORT && ips.includes(formatIp(from.ip)) && compareTime(last.time, since) > 0;
}

function leadsIn(ip: IpBytes, { entry, peer }: Host): boolean {
  const owner = allowedIpsOf(entry).lookup(ip, 0, ip.length === 4 ? 4 : 16);
  return owner !== undefined && owner === peer?.text;
}

/** Answers would have been seen: something comes in on this host. */
function bothWays({ directions }: Timeline): boolean {
  return [...directions.values()].some((counts) => counts.size > 1);
}
