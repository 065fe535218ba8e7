/** Names are asked for through the tunnel, and the name server says nothing, or only that it will not. */
import type { DnsServer } from '../../analyze/inner/dns.ts';
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { InnerView, Tunnel, World } from '../../analyze/world.ts';
import { formatIp } from '../../base/address.ts';
import { placeOf } from '../config-evidence.ts';
import { tunnelSubject } from '../evidence.ts';
import { capturedAfter, endNamed, isUnicast, readsBothWays } from '../inner-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** Resolvers ask again after one to five seconds. */
const ANSWER_MS = 5000;
const LEAST_QUERIES = 2;
/** Of the questions: less is the loss of a bad path. */
const LARGE_PART = 0.5;
const FRAMES = 12;

interface DnsFacts extends Facts {
  readonly server: string;
  readonly asker: string;
  readonly queries: number;
  readonly unanswered: number;
  readonly failures: number;
  /** Where the asker's file names this server. */
  readonly place: string | null;
}

export const dnsUnanswered = defineRule<'tunnel', DnsFacts>({
  name: 'dns-unanswered',
  severity: 'warning',
  on: 'tunnel',
  group: 'wire',
  spec: 'RFC 1035 §4.2.1',
  explain: {
    what: 'questions to a name server go through the tunnel and are not answered, or only with “refused” or “server failure”',
    why: 'addresses can be reached and names cannot: browsers and most programs behave as if the tunnel were down; the server does not listen on its tunnel address, does not serve the tunnel’s network, or cannot reach its own servers',
    fix: 'let the name server listen on the tunnel’s address and answer the tunnel’s network, or name another one in DNS= that can be reached through the tunnel',
  },
  check(tunnel, world) {
    return tunnel.inner.flatMap((view) => view.inner.dns.flatMap((server) => found(server, view, tunnel, world) ?? []));
  },
  message({ server, asker, queries, unanswered, failures }) {
    const asked = `${asker} asked ${server} for names ${queries} times through the tunnel`;
    if (unanswered === 0) return `${asked}, and each answer is “refused” or “server failure” (${failures})`;
    const all = unanswered === queries;
    return `${asked}, and ${all ? 'no answer came' : `${unanswered} of the questions stayed unanswered`}`;
  },
  fix: ({ server, place }) => ({
    linux: [
      `dig +time=2 example.com @${server}   (through the tunnel); dig +tcp example.com @${server}   (if only this answers, UDP port 53 is filtered)`,
      `on the host of ${server}: ss -ulnp 'sport = :53'   (does it listen on that address?); its firewall on the WireGuard interface; allow-query, access-control or interface lines of the server`,
      `or another server${place === null ? '' : ` at ${place}`}: DNS = 1.1.1.1`,
    ],
    routeros: [
      '/ip dns print   (allow-remote-requests must be yes); /ip dns set allow-remote-requests=yes',
      '/ip firewall filter print where chain=input   (accept in-interface=wireguard1 protocol=udp dst-port=53 before the last drop)',
    ],
  }),
});

function found(server: DnsServer, view: InnerView, tunnel: Tunnel, world: World): Found<DnsFacts> | undefined {
  const { by, queries, answers, failures } = server;
  const { timeline } = view;
  if (!isUnicast(server.server) || queries < LEAST_QUERIES || !readsBothWays(by, view)) return undefined;
  const late = [...server.outstanding.values()].filter(({ first }) => capturedAfter(first, timeline) >= ANSWER_MS);
  const unanswered = late.length + server.more;
  const refuses = answers > 0 && failures === answers && failures >= LEAST_QUERIES;
  if (!refuses && (late.length < LEAST_QUERIES || unanswered < queries * LARGE_PART)) return undefined;
  const asker = endNamed(view.inner.ends[by].name, timeline, tunnel, world);
  const text = formatIp(server.server);
  const frames: FrameId[] = late.flatMap(({ first, last }) => (first === last ? [first] : [first, last]));
  if (server.lastAnswer !== undefined) frames.push(server.lastAnswer);
  return {
    facts: {
      server: text,
      asker: asker.entry?.name ?? view.inner.ends[by].name,
      queries,
      unanswered: refuses && late.length === 0 ? 0 : unanswered,
      failures,
      place: asker.entry === undefined ? null : placeInFile(asker.entry, text),
    },
    certainty: 'proven',
    frames: frames.slice(0, FRAMES),
    subject: tunnelSubject(tunnel),
    notes: [
      ...(refuses ? ['the server itself is reached: it does not serve who asks, or cannot reach its own servers'] : []),
      ...(answers > failures ? [`${answers - failures} questions were answered`] : []),
    ],
  };
}

function placeInFile(entry: ConfEntry, server: string): string | null {
  const line = entry.conf.interface.dns.find(({ value }) => formatIp(value) === server)?.line;
  return line === undefined ? null : placeOf(entry, line);
}
