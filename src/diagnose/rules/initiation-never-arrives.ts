/** A responder that waits for others, and a capture there to which no WireGuard came. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { Timeline } from '../../analyze/timeline.ts';
import { msBetween } from '../../base/time.ts';
import { captureLinux, captureRouterOs } from '../advice.ts';
import { captureSubject, flowLines, listens, messageCount, portOf, unreadLinkTypes } from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

export const initiationNeverArrives = defineRule({
  name: 'initiation-never-arrives',
  severity: 'info',
  on: 'capture',
  group: 'capture',
  hides: ['not-wireguard'],
  explain: {
    what: 'nothing of WireGuard reached the responder’s capture, though a peer is configured',
    why: 'a capture sees packets before the host’s own firewall does: what is not in it was dropped on the way, went to another address or port, or was never sent, as WireGuard is silent until it has data',
    fix: 'send something through the tunnel at the other end (a ping) while capturing at both ends; if it leaves there, look at the provider’s firewall, the port forwarding and the Endpoint',
  },
  check(timeline, world) {
    if (something(timeline)) return undefined;
    const role = world.at.get(timeline.capture);
    const waiting = world.keys.confs.filter(listens);
    if (role === undefined) {
      // without being told, one capture and one waiting end are the least that make this worth saying
      if (world.timelines.length > 1 || waiting.length !== 1) return undefined;
    } else if (role !== 'responder') return undefined;
    if (world.timelines.some(attempted)) return undefined;
    const end = waiting.length === 1 ? waiting[0] : undefined;
    const port = end?.conf.interface.listenPort?.value ?? portOf(timeline, world);
    const notes = [...noteExtent(timeline), 'an end that has nothing to send is silent: this alone is no fault'];
    const others = flowLines([...timeline.foreign.values()]);
    if (others.length > 0) notes.push(`what came instead: ${others.join('; ')}`);
    return {
      facts: {
        told: role === 'responder',
        file: end?.name ?? null,
        port,
        peers: end === undefined ? null : peersWaitedFor(end),
        frames: timeline.frames,
      },
      certainty: role === 'responder' ? 'deduced' : 'suspected',
      frames: [timeline.first ?? [], timeline.last ?? []].flat(),
      subject: captureSubject(timeline),
      notes,
      missing: [
        {
          key: 'a capture at the initiator, of the same time',
          wouldSettle: 'whether initiations leave it at all, and to which address and port',
        },
      ],
    };
  },
  message({ told, file, port, peers }) {
    const condition = told ? '' : `if this was captured on the host of ${file ?? 'the responder'}: `;
    const waits =
      file === null || peers === null
        ? ''
        : `; ${file} waits for ${peers === 1 ? 'one peer' : `${peers} peers`} on port ${port}`;
    return `${condition}no WireGuard message at all reached this capture${waits}`;
  },
  fix: ({ port }) => ({
    linux: [
      `on the other end: ${captureLinux(port)}`,
      'on the other end, while it runs: ping TUNNEL-ADDRESS-OF-THIS-END; wg show INTERFACE endpoints',
      `on this end: ss -ulpn 'sport = :${port}'; and let UDP ${port} in at the provider’s firewall`,
    ],
    routeros: [
      `on the other end: ${captureRouterOs(port)}`,
      '/interface wireguard peers print proplist=interface,endpoint-address,endpoint-port,current-endpoint-address',
      `on the router before this end: /ip firewall nat print where dst-port=${port}`,
    ],
  }),
});

/** Anything that is or could be WireGuard, an ICMP error about it, or frames that could not be read at all. */
function something(timeline: Timeline): boolean {
  const { variants, malformed, icmp, skipped, damage } = timeline;
  if (messageCount(timeline) + variants.size + malformed.length + icmp.length + damage.length > 0) return true;
  return skipped.has('cut') || skipped.has('tzsp') || unreadLinkTypes(timeline).length > 0;
}

/** Then it is the way between them that is asked for, and another finding does. */
function attempted(timeline: Timeline): boolean {
  return timeline.messages.initiation > 0 || timeline.icmp.some(({ quotedKind }) => quotedKind === 'initiation');
}

function peersWaitedFor({ conf }: ConfEntry): number {
  return conf.peers.filter(({ endpoint }) => endpoint === undefined).length;
}

function noteExtent(timeline: Timeline): string[] {
  const { first, last, frames } = timeline;
  if (first === undefined || last === undefined)
    return ['the capture holds no frame at all, so nothing shows how long it ran'];
  const seconds = Math.round(msBetween(first.time, last.time) / 1000);
  return [
    `its ${frames === 1 ? 'one frame covers' : `${frames} frames cover`} ${timeline.timed ? `${seconds} s` : 'an unknown time'}`,
  ];
}
