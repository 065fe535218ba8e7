/** What of a capture opens, handshake by handshake, and which keys are missing for the rest of it. */
import { indexText } from '../analyze/merge.ts';
import type { Exchange, Half, Session, Timeline } from '../analyze/timeline.ts';
import { type Lacking, lackingFor } from './decrypt-tally.ts';
import type { KeysCapture, KeysHandshake, KeysMissing, KeysOrphan } from './keys-model.ts';

type Data = KeysHandshake['data'];
type Counts = { -readonly [K in keyof Data]: Data[K] };

const FRAMES_KEPT = 5;

export function captureKeys(timeline: Timeline): KeysCapture {
  const byExchange = new Map<Exchange, Counts>();
  const orphans: KeysOrphan[] = [];
  const total: Counts = { messages: 0, opened: 0, cut: 0 };
  for (const session of timeline.sessions) {
    const data = dataOf(session);
    add(total, data);
    if (session.exchange === undefined) orphans.push(...orphansOf(session));
    else {
      const before = byExchange.get(session.exchange);
      if (before === undefined) byExchange.set(session.exchange, data);
      else add(before, data);
    }
  }
  const handshakes = timeline.exchanges.map((exchange) => handshakeOf(exchange, byExchange.get(exchange)));
  return { input: timeline.capture, handshakes, orphans, data: total };
}

function add(to: Counts, { messages, opened, cut }: Data): void {
  to.messages += messages;
  to.opened += opened;
  to.cut += cut;
}

function dataOf({ toInitiator, toResponder }: Session): Counts {
  const counts = { messages: 0, opened: 0, cut: 0 };
  for (const half of [toInitiator, toResponder]) if (half !== undefined) add(counts, ofHalf(half));
  return counts;
}

const ofHalf = ({ packets, opened, cut }: Half): Data => ({ messages: packets, opened, cut });

function orphansOf({ toInitiator, toResponder }: Session): KeysOrphan[] {
  return [toInitiator, toResponder].flatMap((half) => {
    if (half === undefined) return [];
    const { index, sender, owner, first } = half;
    return [{ index: indexText(index), from: sender.text, to: owner.text, frame: first.frame, data: ofHalf(half) }];
  });
}

const NO_DATA: Data = { messages: 0, opened: 0, cut: 0 };

function handshakeOf(exchange: Exchange, data: Data = NO_DATA): KeysHandshake {
  const { initiation, sight, responses, initiatorIndex, initiator, responder } = exchange;
  const response = responses.findLast((one) => one.sight.opensWith !== undefined) ?? responses.at(-1);
  const opensWith = response?.sight.opensWith;
  const read = sight?.timestamp !== undefined;
  return {
    indices: [indexText(initiatorIndex), response === undefined ? null : indexText(response.seen.sender)],
    initiator: initiator.text,
    responder: responder.text,
    frames: { initiation: initiation?.at.frame ?? null, response: response?.seen.at.frame ?? null },
    initiation: initiation === undefined ? 'absent' : read ? 'opens' : 'closed',
    response: response === undefined ? 'absent' : opensWith === undefined ? 'closed' : 'opens',
    psk: opensWith?.where ?? null,
    data,
    missing: missingFor(exchange, read, opensWith !== undefined),
  };
}

function missingFor(exchange: Exchange, read: boolean, answered: boolean): Lacking | null {
  const { initiation, sight, responses } = exchange;
  if (responses.length > 0) return answered ? null : lackingFor(exchange);
  if (initiation === undefined || sight === undefined || read || sight.verdict.kind !== 'undecided') return null;
  return { key: sight.verdict.missing.join(', ') };
}

interface Counted extends Lacking {
  handshakes: number;
  data: number;
  readonly at: { readonly input: string; readonly frame: number }[];
}

/** The same key missing for several handshakes is one thing to look for. */
export function missingOf(captures: readonly KeysCapture[]): KeysMissing[] {
  const found = new Map<string, Counted>();
  const note = (lacking: Lacking, handshakes: number, data: Data, input: string, frame: number | null): void => {
    const key = `${lacking.key}; ${lacking.because}`;
    const entry = found.get(key) ?? { ...lacking, handshakes: 0, data: 0, at: [] };
    entry.handshakes += handshakes;
    entry.data += data.messages - data.opened - data.cut;
    if (frame !== null && entry.at.length < FRAMES_KEPT) entry.at.push({ input, frame });
    found.set(key, entry);
  };
  for (const { input, handshakes, orphans } of captures) {
    for (const { missing, data, frames } of handshakes) {
      if (missing === null || (data.opened > 0 && data.opened === data.messages)) continue;
      note(missing, 1, data, input, frames.response ?? frames.initiation);
    }
    for (const { data, frame } of orphans) {
      if (data.opened + data.cut < data.messages) note(lackingFor(undefined), 0, data, input, frame);
    }
  }
  return [...found.values()];
}
