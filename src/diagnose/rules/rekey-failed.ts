/** The tunnel worked, the next handshake fails, and with the old session the traffic dies. */

import type { View } from '../../analyze/merge.ts';
import { endNames, placesOf } from '../../analyze/session-pairs.ts';
import type { Attempt } from '../../analyze/world.ts';
import { addNs, compareTime, msBetween, type Time } from '../../base/time.ts';
import { REJECT_AFTER_TIME_MS } from '../../wg/constants.ts';
import { answeredBefore, secondsOf } from '../data-evidence.ts';
import { attemptFrames, attemptSeconds, dateText, hasIcmp, hasReply, spanText, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const rekeyFailed = defineRule({
  name: 'rekey-failed',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  spec: 'wp §6.1, §6.2',
  hides: ['no-response'],
  explain: {
    what: 'a session of this tunnel worked; the initiations for the next one go unanswered, and the traffic dies',
    why: 'a session is renewed after 120 seconds and used for 180 at most: what stops the handshake stops the tunnel a little later, although keys and endpoints are right',
    fix: 'look at what changed at that moment: the path, a firewall or a rate limit for new packets on the way, the other host; capture on the other end as well',
  },
  check(attempt) {
    // an end that only ever began itself may simply be off: peer-went-away
    if (!answeredBefore(attempt) || hasReply(attempt) || hasIcmp(attempt)) return undefined;
    const view = attempt.exchanges[0]?.views.find(({ exchange }) => exchange.initiation !== undefined);
    const first = view?.exchange.initiation;
    const last = lastInitiation(attempt, view);
    if (view === undefined || first === undefined || last === undefined || !view.timeline.timed) return undefined;
    const heard = lastHeard(attempt, view);
    if (heard === undefined || compareTime(heard, last) >= 0) return undefined;
    const begun = sessionBegun(attempt, view);
    const expires = begun === undefined ? undefined : addNs(begun, BigInt(REJECT_AFTER_TIME_MS) * 1_000_000n);
    const ended = expires !== undefined && compareTime(expires, view.timeline.until ?? last) <= 0;
    return {
      facts: {
        to: first.to.text,
        from: first.from.text,
        initiations: attempt.exchanges.length,
        seconds: attemptSeconds(attempt),
        sessionBegan: begun === undefined ? null : dateText(begun),
        ageSeconds: begun === undefined ? null : secondsOf(msBetween(begun, first.at.time)),
        sessionExpires: expires === undefined ? null : dateText(expires),
        expired: ended,
        lastHeard: dateText(heard),
        port: first.to.port,
      },
      certainty: 'deduced',
      frames: attemptFrames(attempt, 'initiations'),
      subject: subjectOf(attempt),
      notes: [
        ...(begun === undefined
          ? []
          : [
              `the last session began at ${dateText(begun)}, ${spanText(msBetween(begun, first.at.time))} before the first unanswered initiation`,
            ]),
        ...(expires === undefined
          ? []
          : [
              `it ${ended ? 'reached' : 'reaches'} REJECT_AFTER_TIME (180 s) at ${dateText(expires)}: after that neither end uses it`,
            ]),
        `the last packet from ${first.to.text} came at ${dateText(heard)}`,
      ],
      ruledOut: [
        { rule: 'wrong-responder-key', because: 'the same end answered initiations before' },
        { rule: 'icmp-unreachable', because: 'no ICMP error quotes these initiations' },
      ],
      missing: [{ key: 'a capture on the other end at the same time', wouldSettle: 'whether the initiations arrive' }],
    };
  },
  message: ({ initiations, to, seconds, sessionBegan, lastHeard }) =>
    `the tunnel worked${sessionBegan === null ? '' : ` (last session from ${sessionBegan})`}, then ${initiations} initiation${initiations === 1 ? '' : 's'} to ${to} within ${seconds} s got no answer; nothing came from there after ${lastHeard}`,
  fix: ({ to, port }) => ({
    linux: [
      `on the other end: tcpdump -ni any udp port ${port}; nft list ruleset | grep -n ${port}; wg show`,
      `from here: mtr --udp --port ${port} ${String(to).replace(/:\d+$/, '')}`,
    ],
    routeros: [
      `/ip firewall filter print stats where dst-port=${port}`,
      `/tool torch interface=ether1 port=${port}; /ip firewall connection print where dst-port=${port}`,
    ],
  }),
});

function lastInitiation(attempt: Attempt, of: View | undefined): Time | undefined {
  for (const { views } of attempt.exchanges.toReversed()) {
    const seen = views.find(({ timeline }) => timeline === of?.timeline)?.exchange.initiation;
    if (seen !== undefined) return seen.at.time;
  }
  return undefined;
}

/** The last packet of the end that is asked, in the capture that holds the initiation. */
function lastHeard(attempt: Attempt, { exchange, timeline }: View): Time | undefined {
  let latest: Time | undefined;
  const take = (time: Time): void => {
    if (latest === undefined || compareTime(latest, time) < 0) latest = time;
  };
  for (const view of attempt.tunnel.sessions) {
    if (view.timeline !== timeline) continue;
    for (const place of placesOf(view))
      if (endNames(place).sender === exchange.responderName) take(place.half.last.time);
    const response = view.session.exchange?.responses[0]?.seen;
    if (response !== undefined && view.session.exchange?.responderName === exchange.responderName)
      take(response.at.time);
  }
  return latest;
}

function sessionBegun(attempt: Attempt, { timeline }: View): Time | undefined {
  const before = attempt.before?.views.find((view) => view.timeline === timeline)?.exchange;
  return before?.responses[0]?.seen.at.time ?? before?.confirmed?.at.time;
}
