/** The shares of one capture back into one timeline, as one reader of all of it would have had it. */
import type { Exchange, ForeignFlow, FrameId, SenderStats, Session, Timeline } from './timeline.ts';

const EVIDENCE = 12;

/** At least one; all of them of the same capture. */
export function mergeShares(shares: readonly Timeline[]): Timeline {
  const [first, ...rest] = shares;
  if (first === undefined) throw new RangeError('no shares to merge');
  if (rest.length === 0) return first;
  const all = <T>(of: (share: Timeline) => readonly T[]): T[] => shares.flatMap(of);
  const sum = (of: (share: Timeline) => number): number => shares.reduce((total, share) => total + of(share), 0);
  const frames = (of: (share: Timeline) => readonly FrameId[]): FrameId[] => all(of).sort(byFrame).slice(0, EVIDENCE);
  const silences = all((share) => share.silences);
  const oneWays = all((share) => share.oneWays);
  return {
    ...first,
    datagrams: sum((share) => share.datagrams),
    skipped: union(
      shares.map((share) => share.skipped),
      (a, b) => ({ ...a, count: a.count + b.count }),
    ),
    messages: {
      initiation: sum(({ messages }) => messages.initiation),
      response: sum(({ messages }) => messages.response),
      'cookie-reply': sum(({ messages }) => messages['cookie-reply']),
      data: sum(({ messages }) => messages.data),
    },
    verdicts: {
      accepted: sum(({ verdicts }) => verdicts.accepted),
      refused: sum(({ verdicts }) => verdicts.refused),
      undecided: sum(({ verdicts }) => verdicts.undecided),
    },
    cut: {
      handshake: frames(({ cut }) => cut.handshake),
      handshakeCount: sum(({ cut }) => cut.handshakeCount),
      data: frames(({ cut }) => cut.data),
      dataCount: sum(({ cut }) => cut.dataCount),
    },
    duplicates: {
      count: sum(({ duplicates }) => duplicates.count),
      frames: frames(({ duplicates }) => duplicates.frames),
      nat: union(
        shares.map((share) => share.duplicates.nat),
        (a) => a,
      ),
    },
    exchanges: all((share) => share.exchanges).sort((a, b) => frameOf(a) - frameOf(b)),
    sessions: all((share) => share.sessions).sort((a, b) => begin(a) - begin(b)),
    // those that ended first, in the order of their ends
    silences: [
      ...silences
        .filter(({ end }) => end !== undefined)
        .sort((a, b) => (a.end?.at.frame ?? 0) - (b.end?.at.frame ?? 0)),
      ...silences.filter(({ end }) => end === undefined).sort((a, b) => a.start.frame - b.start.frame),
    ],
    oneWays: [
      ...oneWays.filter(({ end }) => end !== undefined).sort((a, b) => (a.end?.frame ?? 0) - (b.end?.frame ?? 0)),
      ...oneWays.filter(({ end }) => end === undefined).sort((a, b) => a.first.frame - b.first.frame),
    ],
    icmp: all((share) => share.icmp).sort((a, b) => byFrame(a.at, b.at)),
    malformed: all((share) => share.malformed).sort((a, b) => byFrame(a.at, b.at)),
    foreign: flows(shares.map((share) => share.foreign)),
    variants: flows(shares.map((share) => share.variants)),
    senders: union(
      shares.map((share) => share.senders),
      bothStats,
    ),
    directions: union(
      shares.map((share) => share.directions),
      (a, b) => union([a, b], (x, y) => x + y),
    ),
    inner: union(
      shares.map((share) => share.inner),
      (a) => a,
    ),
    retired: sum((share) => share.retired),
  };
}

const byFrame = (a: FrameId, b: FrameId): number => a.frame - b.frame;

const frameOf = ({ initiation, responses }: Exchange): number => (initiation ?? responses[0]?.seen)?.at.frame ?? 0;

/** The response that opened it, or its first data. */
function begin({ exchange, responderIndex, toResponder, toInitiator }: Session): number {
  const response = exchange?.responses.find(({ seen }) => seen.sender === responderIndex)?.seen.at;
  const data = [toResponder?.first.frame, toInitiator?.first.frame].filter((frame) => frame !== undefined);
  return response?.frame ?? Math.min(...data);
}

function union<K, V>(maps: readonly ReadonlyMap<K, V>[], both: (a: V, b: V) => V): Map<K, V> {
  const out = new Map<K, V>();
  for (const map of maps) {
    for (const [key, value] of map) {
      const known = out.get(key);
      out.set(key, known === undefined ? value : both(known, value));
    }
  }
  return out;
}

function flows<F extends ForeignFlow>(maps: readonly ReadonlyMap<string, F>[]): Map<string, F> {
  const together = union(maps, (a, b) => {
    const last = byFrame(a.last, b.last) < 0 ? b.last : a.last;
    return { ...(byFrame(a.at, b.at) <= 0 ? a : b), count: a.count + b.count, back: a.back + b.back, last };
  });
  return new Map([...together].sort(([, a], [, b]) => byFrame(a.at, b.at)));
}

function bothStats(a: SenderStats, b: SenderStats): SenderStats {
  return {
    endpoint: a.endpoint,
    packets: a.packets + b.packets,
    in: a.in + b.in,
    out: a.out + b.out,
    initialTtl: a.initialTtl + b.initialTtl,
    badChecksum: a.badChecksum + b.badChecksum,
    forwarded: a.forwarded + b.forwarded,
  };
}
