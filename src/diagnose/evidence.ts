/** What several rules ask of an attempt: who is meant, who answered where, what was seen of it. */

import type { ConfEntry, KnownKey } from '../analyze/key-set.ts';
import type { MergedExchange, View } from '../analyze/merge.ts';
import type { InitiationSight } from '../analyze/sight.ts';
import type { Exchange, FrameId, Seen, Timeline } from '../analyze/timeline.ts';
import { type Attempt, initiationOf, isAnswered, type Tunnel, type World } from '../analyze/world.ts';
import { formatIp } from '../base/address.ts';
import { shortKey } from '../base/keys.ts';
import { oncePer } from '../base/once-per.ts';
import { formatTime, msBetween } from '../base/time.ts';
import type { DropKind } from '../wg/drop.ts';
import { onlyCrossings } from './crossings.ts';
import { keyPlaces } from './key-places.ts';

/** Frame of every view of every initiation, and of what came back, oldest first within a capture. */
export function attemptFrames(attempt: Attempt, which: 'initiations' | 'all' = 'all'): FrameId[] {
  const out: FrameId[] = [];
  for (const { views } of attempt.exchanges) {
    for (const { exchange } of views) {
      if (exchange.initiation !== undefined) out.push(exchange.initiation.at);
      if (which === 'initiations') continue;
      for (const { seen } of exchange.responses) out.push(seen.at);
      for (const { seen } of exchange.cookies) out.push(seen.at);
      for (const { at } of exchange.icmp) out.push(at);
    }
  }
  return out;
}

export function subjectOf(attempt: Attempt): string {
  return `handshake:${attempt.exchanges[0]?.id ?? 'unknown'}`;
}

/** `tunnel:10.99.1.2:51821 ~ 203.0.113.10:51820`, without the captures that the ends are named from. */
export function tunnelSubject(tunnel: Tunnel): string {
  return `tunnel:${tunnel.id.replace(/(^| ~ )[^|]*\|/g, '$1')}`;
}

/** The first initiation, from which endpoints and times are told. */
export function firstInitiation(attempt: Attempt): Seen | undefined {
  for (const merged of attempt.exchanges) {
    const seen = initiationOf(merged);
    if (seen !== undefined) return seen;
  }
  return undefined;
}

export function unanswered(attempt: Attempt): MergedExchange[] {
  return attempt.exchanges.filter((merged) => !isAnswered(merged));
}

export function hasReply(attempt: Attempt): boolean {
  return attempt.exchanges.some(({ views }) =>
    views.some(({ exchange }) => exchange.responses.length > 0 || exchange.cookies.length > 0),
  );
}

export function hasIcmp(attempt: Attempt): boolean {
  return attempt.exchanges.some(({ views }) => views.some(({ exchange }) => exchange.icmp.length > 0));
}

/** The view nearest to the responder: what it holds is what reached that far. */
export function lastView(merged: MergedExchange): View | undefined {
  return merged.views.at(-1);
}

/** The first initiation of an attempt that nothing at all answered, where that silence is not explained already. */
export function unheard(attempt: Attempt, world: World): Seen | undefined {
  if (hasReply(attempt) || hasIcmp(attempt) || addressLearned(attempt, world) || onlyCrossings(attempt))
    return undefined;
  return firstInitiation(attempt);
}

/** What the keys made of an initiation: as the capture nearest to the responder saw it, if that was whole. */
export function sightAtResponder(merged: MergedExchange): InitiationSight | undefined {
  return merged.views.findLast(({ exchange }) => exchange.initiation !== undefined && !exchange.initiation.cut)
    ?.exchange.sight;
}

/** Unanswered exchanges that a responder with the known keys would have refused for this reason, and the first one's sight. */
export function refusedAs(
  attempt: Attempt,
  kind: DropKind,
): { readonly refused: MergedExchange[]; readonly sight: InitiationSight | undefined } {
  const refused = unanswered(attempt).filter((merged) => {
    const verdict = sightAtResponder(merged)?.verdict;
    return verdict?.kind === 'refused' && verdict.drop.kind === kind;
  });
  return { refused, sight: refused[0] === undefined ? undefined : sightAtResponder(refused[0]) };
}

/** Frames of the initiations, one per capture that saw them. */
export function initiationFrames(exchanges: readonly MergedExchange[]): FrameId[] {
  return exchanges.flatMap(({ views }) =>
    views.flatMap(({ exchange }) => (exchange.initiation === undefined ? [] : [exchange.initiation.at])),
  );
}

export function vantages(attempt: Attempt): Set<string> {
  return new Set(attempt.exchanges.flatMap(({ views }) => views.map((view) => view.vantage)));
}

/** Seconds between the first and the last initiation, one decimal. */
export function attemptSeconds(attempt: Attempt): number {
  const first = firstInitiation(attempt);
  const last = attempt.exchanges.at(-1);
  const seen = last === undefined ? undefined : initiationOf(last);
  if (first === undefined || seen === undefined) return 0;
  return Math.round(msBetween(first.at.time, seen.at.time) / 100) / 10;
}

export function keyName(world: World, key: Parameters<typeof shortKey>[0]): string {
  const known = world.keys.find(key);
  return known === undefined ? shortKey(key) : keyLabel(known);
}

/** `server.conf [Interface] (c6XXmb…5B8=)` */
export function keyLabel(known: KnownKey): string {
  return `${known.sources[0] ?? 'a known key'} (${shortKey(known.key)})`;
}

export interface ResponderGuess {
  readonly entry: ConfEntry;
  readonly key: KnownKey;
  readonly because: string;
  /** The files bind the two ends to each other, not only the port. */
  readonly paired: boolean;
}

/**
 * Whose configuration the addressed responder runs on: one that names the initiator's own file as its peer and listens
 * on the port, or else the only one that listens on it, where nothing speaks against that. Ports alone prove nothing
 * about which host it is.
 */
export function responderOf(attempt: Attempt, world: World): ResponderGuess | undefined {
  const seen = firstInitiation(attempt);
  if (seen === undefined) return undefined;
  const answered = previousResponder(attempt);
  if (answered !== undefined) {
    const entry = world.keys.confOf(answered);
    if (entry !== undefined)
      return { entry, key: answered, because: 'it answered at this address before', paired: true };
  }
  const writers = world.keys.confs.filter((entry) =>
    entry.conf.peers.some(
      (peer) => peer.endpoint?.value.ip !== undefined && endpointText(peer.endpoint.value) === seen.to.text,
    ),
  );
  const listening = world.keys.listeningOn(seen.to.port).filter((entry) => !writers.includes(entry));
  for (const entry of listening) {
    const writer = writers.find((w) => w.own !== undefined && entry.peers.has(w.own.text));
    if (writer !== undefined && entry.own !== undefined) {
      const because = `${writer.name} writes to ${seen.to.text}, ${entry.name} listens on port ${seen.to.port} and has ${writer.name} as its peer`;
      return { entry, key: entry.own, because, paired: true };
    }
  }
  const [only] = listening;
  if (listening.length !== 1 || only?.own === undefined || runsElsewhere(attempt, only, only.own)) return undefined;
  return { entry: only, key: only.own, because: `${only.name} listens on port ${seen.to.port}`, paired: false };
}

/**
 * Against a guess from the port alone: the key shows at another end or another key at this one, or the file's own end is
 * what asks, or may be, as it does where MAC1 is for a peer of that file. An end is never its own responder.
 */
function runsElsewhere(attempt: Attempt, { conf, peers }: ConfEntry, own: KnownKey): boolean {
  return attempt.exchanges.some(({ views }) =>
    views.some(({ exchange, timeline }) => {
      const { initiation, sight, initiatorName, responderName } = exchange;
      const { at, shown } = keyPlaces(timeline);
      const asked = at.get(responderName);
      if (asked !== undefined) return !asked.has(own.text);
      if (shown.has(own.text)) return true;
      const peer = sight?.mac1.kind === 'known' ? peers.get(sight.mac1.key.text) : undefined;
      if (initiation === undefined || peer === undefined || at.has(initiatorName)) return false;
      return peer.endpoint !== undefined || initiation.from.port === conf.interface.listenPort?.value;
    }),
  );
}

function endpointText(value: { ip?: Uint8Array; port: number }): string {
  if (value.ip === undefined) return '';
  return value.ip.length === 4 ? `${formatIp(value.ip)}:${value.port}` : `[${formatIp(value.ip)}]:${value.port}`;
}

/** The key whose owner answered at this end before, or after. */
function previousResponder(attempt: Attempt): KnownKey | undefined {
  const asked = attempt.exchanges[0]?.views[0]?.exchange.responderName;
  for (const merged of [attempt.before, attempt.established]) {
    if (merged === undefined || attempt.exchanges.includes(merged)) continue;
    for (const { exchange } of merged.views) {
      if (exchange.responderName === asked && exchange.sight?.mac1.kind === 'known') return exchange.sight.mac1.key;
    }
  }
  return undefined;
}

/** How long before it the tunnel last came up, ms: preshared keys were the same then, and the path was open. */
export function workedBefore(attempt: Attempt): number | undefined {
  const [now, before] = [firstInitiation(attempt), attempt.before && initiationOf(attempt.before)];
  return now === undefined || before === undefined ? undefined : msBetween(before.at.time, now.at.time);
}

/** Every end that sent anything, by canonical name: worked out once for a world. */
const heardEnds = oncePer<World, ReadonlySet<string>>(
  ({ timelines }) =>
    new Set(timelines.flatMap(({ directions }) => [...directions.values()].flatMap((counts) => [...counts.keys()]))),
);

/** Any packet of the end that is asked, in any capture, or a capture that was taken there. */
export function peerShowsLife(attempt: Attempt, world: World): boolean {
  if (world.timelines.length > 1 || attempt.before !== undefined || vantages(attempt).has('responder')) return true;
  const asked = attempt.exchanges[0]?.views[0]?.exchange.responderName;
  return (asked !== undefined && heardEnds(world).has(asked)) || attempt.exchanges.some(isAnswered);
}

/** Captures that hold anything of a tunnel: worked out once for it. */
const timelinesOf = oncePer<Tunnel, ReadonlySet<Timeline>>(
  ({ exchanges, sessions }) =>
    new Set([
      ...exchanges.flatMap(({ views }) => views.map((view) => view.timeline)),
      ...sessions.map(({ timeline }) => timeline),
    ]),
);

/** Captures of this path that have no view of the exchange. */
export function capturesWithout(merged: MergedExchange, attempt: Attempt, world: World): Timeline[] {
  if (world.timelines.length === 1) return [];
  const tunnel = timelinesOf(attempt.tunnel);
  return world.timelines.filter((timeline) => {
    if (merged.views.some((view) => view.timeline === timeline)) return false;
    return (
      tunnel.has(timeline) || timeline.frames === 0 || sharesEnd(timeline, attempt, world) || speaksNothing(timeline)
    );
  });
}

/** No WireGuard at all in it: taken elsewhere, or nothing came. */
function speaksNothing(timeline: Timeline): boolean {
  return Object.values(timeline.messages).every((count) => count === 0);
}

/** It holds packets of the initiator, or it was taken at the responder: another peer's capture proves nothing here. */
function sharesEnd(timeline: Timeline, attempt: Attempt, world: World): boolean {
  const seen = firstInitiation(attempt);
  if (seen === undefined) return false;
  if (timeline.senders.has(seen.from.text)) return true;
  const vantage = world.vantages.get(timeline.capture);
  return [...timeline.directions.keys()].some((pair) => vantage?.local(pair).name === seen.to.text);
}

/** `2001-01-01 00:00:12 UTC`, or `@seconds` where there is no such year */
export function dateText(time: { sec: number; nsec: number }): string {
  const [whole = ''] = formatTime(time).split('.');
  return whole.startsWith('@') ? whole : `${whole.replace('T', ' ')} UTC`;
}

/** `7 s`, `3 min 20 s`, `25 years 320 days` */
export function spanText(ms: number): string {
  const s = Math.round(Math.abs(ms) / 1000);
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  const days = Math.floor(s / 86_400);
  return days < 730 ? `${days} days` : `${Math.floor(days / 365.25)} years ${Math.floor(days % 365.25)} days`;
}

/** Cookie replies to the initiations of an attempt, once each: as the capture nearest to the initiator saw them. */
export function cookiesOf(attempt: Attempt): Exchange['cookies'] {
  return attempt.exchanges.flatMap(
    ({ views }) => views.find(({ exchange }) => exchange.cookies.length > 0)?.exchange.cookies ?? [],
  );
}

export interface RetryAfterCookie {
  readonly merged: MergedExchange;
  readonly view: View;
  /** Since the latest cookie that its sender could use, milliseconds. */
  readonly ageMs: number;
}

/**
 * Initiations that followed a cookie that opens: as the initiator's own capture saw both, or the last one on the way
 * did. A cookie that came only after the next initiation is none: its MAC1 is no longer the last one (wp §5.4.7).
 */
export function retriesAfterCookie(attempt: Attempt, where: 'initiator' | 'any'): RetryAfterCookie[] {
  const out: RetryAfterCookie[] = [];
  let usable: Seen | undefined;
  for (const [i, merged] of attempt.exchanges.entries()) {
    const view = merged.views.findLast(
      ({ exchange, vantage }) => exchange.initiation !== undefined && (where === 'any' || vantage === 'initiator'),
    );
    const initiation = view?.exchange.initiation;
    if (view === undefined || initiation === undefined) continue;
    const asked = attempt.exchanges[i - 1]?.views.find(({ timeline }) => timeline === view.timeline);
    for (const { seen, sight } of asked?.exchange.cookies ?? [])
      if (sight.opened === true && msBetween(seen.at.time, initiation.at.time) > 0) usable = seen;
    if (usable !== undefined) out.push({ merged, view, ageMs: msBetween(usable.at.time, initiation.at.time) });
  }
  return out;
}

/**
 * The asked end's address was only learned from its own packets: the asker's file gives it no Endpoint, or, without a
 * file, it began the session before. Such an end may have gone away without any fault.
 */
export function addressLearned(attempt: Attempt, world: World): boolean {
  const now = attempt.exchanges[0]?.views[0]?.exchange;
  if (now === undefined) return false;
  const asked = now.sight?.mac1.kind === 'known' ? now.sight.mac1.key.text : undefined;
  const askers = world.keys.confs.filter(
    // a status also shows the address that was learned
    ({ own, peers, origin }) =>
      origin.kind !== 'wg-show' && asked !== undefined && own?.text !== asked && peers.has(asked),
  );
  const [asker] = askers;
  if (asked !== undefined && asker !== undefined && askers.length === 1)
    return asker.peers.get(asked)?.endpoint === undefined;
  const before = attempt.before?.views[0]?.exchange;
  if (before === undefined || before.initiatorName === now.initiatorName) return false;
  return !attempt.tunnel.attempts.some(
    (other) => other !== attempt && other.initiator === attempt.initiator && other.outcome === 'established',
  );
}
