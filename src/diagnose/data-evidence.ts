/** What the rules about running sessions share: learned endpoints, addresses and times in words. */

import type { Silence, Timeline } from '../analyze/timeline.ts';
import { type Attempt, isAnswered, type Tunnel } from '../analyze/world.ts';
import { oncePer } from '../base/once-per.ts';
import { compareTime, type Time } from '../base/time.ts';

const afterAnswers = oncePer<Tunnel, ReadonlySet<Attempt>>(({ attempts }) => {
  const after = new Set<Attempt>();
  const initiators = new Set<string>();
  for (const each of attempts) {
    if (initiators.has(each.initiator)) after.add(each);
    if (each.exchanges.some(isAnswered)) initiators.add(each.initiator);
  }
  return after;
});

/** Did the end that is asked here answer an earlier initiation of the same initiator? */
export function answeredBefore(attempt: Attempt): boolean {
  return afterAnswers(attempt.tunnel).has(attempt);
}

/**
 * The initiator writes to an address that it learned from the other end’s packets: that end began the session before,
 * and has never answered an initiation from here. Nothing says that it can be reached of itself.
 */
export function asksLearnedEndpoint(attempt: Attempt): boolean {
  return attempt.before !== undefined && !answeredBefore(attempt);
}

const answerTimes = oncePer<Timeline, ReadonlyMap<string, Time>>(({ exchanges }) => {
  const times = new Map<string, Time>();
  for (const { pair, initiatorName, responses } of exchanges) {
    const [first] = responses;
    const key = `${pair}|${initiatorName}`;
    if (first !== undefined && !times.has(key)) times.set(key, first.seen.at.time);
  }
  return times;
});

/** The same of a silence: `learned`, `configured` (the target had answered initiations), or nothing in the capture tells. */
export function targetOf(silence: Silence, timeline: Timeline): 'learned' | 'configured' | 'unknown' {
  const times = answerTimes(timeline);
  const before = (name: string): boolean => {
    const time = times.get(`${silence.pair}|${name}`);
    return time !== undefined && compareTime(time, silence.start.time) <= 0;
  };
  if (before(silence.senderName)) return 'configured';
  return before(targetName(silence)) ? 'learned' : 'unknown';
}

export function targetName({ pair, senderName }: Silence): string {
  const [a = '', b = ''] = pair.split(' ~ ');
  return a === senderName ? b : a;
}

/** The address of an endpoint’s text, without brackets. */
export function addressOf(endpoint: string): string {
  const host = endpoint.slice(0, endpoint.lastIndexOf(':'));
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** Seconds with at most one decimal. */
export function secondsOf(ms: number): number {
  return Math.round(ms / 100) / 10;
}
