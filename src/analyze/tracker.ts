/** One capture, message by message: exchanges, sessions, silences, in memory that does not grow with the capture. */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, copy, EMPTY, equal, u32le } from '../base/bytes.ts';
import { compareTime, type Time } from '../base/time.ts';
import type { CaptureDamage, CaptureFormat, Frame } from '../capture/frame.ts';
import type { Datagram, Decoded, IcmpError, Skip } from '../packet/datagram.ts';
import type { MessageKind } from '../wg/drop.ts';
import { Census } from './census.ts';
import { type Shape, segmentOffsets, shapeOf, WHOLE, WIRE_SIZE } from './classify.ts';
import { isAgain, RecentSightings } from './duplicates.ts';
import { ExchangeTable } from './exchange-table.ts';
import { InnerCensus } from './inner/census.ts';
import { EndpointNames, Liveness, pairId } from './liveness.ts';
import { isOpened, type Observer, type Opened } from './observe.ts';
import { OneWays } from './one-way.ts';
import { Sessions } from './sessions.ts';
import type { CookieSight, InitiationSight } from './sight.ts';
import { icmpSighting, type Sighting, sighting } from './sighting.ts';
import type { Exchange, FrameId, IcmpSeen, PairId, Seen, Timeline, WireForm } from './timeline.ts';
import type { TrackerHooks } from './tracker-hooks.ts';
import { OVER_TCP, OVER_TCP_WIRE } from './unwrap/over-tcp.ts';

const LIST_LIMIT = 1000;
const EVIDENCE = 12;
/** Copies of one message kept. */
const COPIES = 16;
const EPOCH: Time = { sec: 0, nsec: 0 };

export class CaptureTracker {
  private readonly capture: string;
  private readonly observer: Observer;
  private readonly hooks: TrackerHooks;
  private readonly names = new EndpointNames();
  private readonly live = new Liveness();
  private readonly oneWays = new OneWays();
  private readonly sessions = new Sessions(this.names);
  private readonly inner: InnerCensus;
  private readonly recent: RecentSightings;
  private readonly exchanges = new ExchangeTable();
  private readonly icmp: IcmpSeen[] = [];
  private readonly census = new Census(this.names);
  private readonly messages = { initiation: 0, response: 0, 'cookie-reply': 0, data: 0 };
  private readonly verdicts = { accepted: 0, refused: 0, undecided: 0 };
  private readonly duplicates = { count: 0, frames: [] as FrameId[] };
  private first: FrameId | undefined;
  private last: FrameId | undefined;
  private lengths = 0;
  private timed = true;
  private frames = 0;
  private datagrams = 0;

  constructor(capture: string, observer: Observer, hooks: TrackerHooks = {}) {
    this.capture = capture;
    this.observer = observer;
    this.hooks = hooks;
    this.recent = new RecentSightings(hooks.copied !== undefined);
    this.inner = new InnerCensus((exchange, toResponder) => observer.receiver(exchange, toResponder));
  }

  /** Every frame passes here, whatever is in it: the capture's extent decides what silence means. */
  frame(frame: Frame): void {
    this.frames++;
    this.lengths = Math.imul(this.lengths ^ frame.wireLength, 0x0100_0193) >>> 0;
    if (frame.time === undefined) this.timed = false;
    const at = this.frameId(frame);
    this.first ??= at;
    this.last = at;
  }

  add(decoded: Decoded): void {
    if (decoded.kind === 'datagram') this.datagram(decoded);
    else if (decoded.kind === 'icmp-error') this.icmpError(decoded);
    else this.skip(decoded);
  }

  /**
   * As if the capture ended now: it changes nothing, and reading may go on. `until` is a moment after the last frame
   * that the capture is known to have lasted to. What is handed out goes on growing with the capture: use it at once.
   */
  timeline(
    about: { name: string; format: CaptureFormat; damage: readonly CaptureDamage[] },
    until?: Time | undefined,
  ): Timeline {
    const end = this.last?.time;
    return {
      capture: this.capture,
      ...about,
      timed: this.timed,
      frames: this.frames,
      lengths: this.lengths,
      datagrams: this.datagrams,
      first: this.first,
      last: this.last,
      until: end !== undefined && until !== undefined && compareTime(end, until) < 0 ? until : end,
      skipped: this.census.skipped,
      messages: this.messages,
      verdicts: this.verdicts,
      cut: this.census.cut,
      duplicates: { ...this.duplicates, nat: this.names.nat },
      exchanges: this.exchanges.all,
      sessions: this.sessions.all,
      silences: this.live.silences,
      oneWays: this.oneWays.all,
      icmp: this.icmp,
      malformed: this.census.malformed,
      foreign: this.census.foreign,
      variants: this.census.variants,
      senders: this.census.senders,
      directions: this.live.directions,
      inner: this.inner.pairs,
      retired: this.exchanges.retired + this.sessions.retired,
    };
  }

  /** The same object for what came in the latest frame. */
  private frameId(frame: Frame): FrameId {
    const { last } = this;
    if (last?.frame === frame.number) return last;
    return { capture: this.capture, frame: frame.number, time: frame.time ?? EPOCH };
  }

  private skip(skip: Skip): void {
    const at = this.frameId(skip.frame);
    this.census.skip(at, skip);
    this.hooks.skipped?.(at, skip);
  }

  private datagram(datagram: Datagram): void {
    this.datagrams++;
    const shape = shapeOf(datagram.bytes, datagram.length);
    if (shape === undefined || !shape.fits || shape.reserved !== 0) {
      this.otherForm(datagram, shape);
      return;
    }
    this.census.sender(datagram);
    let wire: WireForm | undefined;
    if (datagram.path[datagram.path.length - 1] === 'tcp') {
      wire = OVER_TCP_WIRE;
      this.census.variant(datagram, OVER_TCP, this.frameId(datagram.frame), 1);
    }
    const form = wire === undefined ? undefined : OVER_TCP;
    if (shape.kind !== 'data') {
      this.hooks.found?.(datagram, 0, form);
      this.message(sighting(this.frameId(datagram.frame), datagram, shape.kind, datagram.bytes, datagram.length, wire));
      return;
    }
    const whole = sighting(this.frameId(datagram.frame), datagram, 'data', datagram.bytes, datagram.length, wire);
    const before = this.recent.find(whole);
    const again = before !== undefined && isAgain(before, whole);
    // what opens is one message: no need to look whether it may be several
    const opened = again || whole.cut ? undefined : this.observer.data(whole);
    const offsets = again || isOpened(opened) ? WHOLE : segmentOffsets(datagram.bytes);
    if (offsets.length === 1) {
      this.hooks.found?.(datagram, 0, form);
      if (again) this.copy(before, whole);
      else this.fresh(whole, opened);
      return;
    }
    for (const [i, at] of offsets.entries()) {
      const next = offsets[i + 1];
      const end = next ?? datagram.bytes.length;
      const length = next === undefined ? datagram.length - at : next - at;
      this.hooks.found?.(datagram, at, form);
      this.message(
        sighting(this.frameId(datagram.frame), datagram, 'data', datagram.bytes.subarray(at, end), length, wire),
      );
    }
  }

  private otherForm(datagram: Datagram, shape: Shape | undefined): void {
    const at = this.frameId(datagram.frame);
    const unwrapped = this.observer.unwrap?.(datagram);
    if (unwrapped === undefined) {
      this.census.notPlain(datagram, shape, at);
      this.hooks.unread?.(datagram, shape, undefined);
      return;
    }
    const { form, messages } = unwrapped;
    if (messages.length === 0) this.hooks.unread?.(datagram, shape, form);
    this.census.variant(datagram, form, at, new Set(messages.map((message) => message.datagram)).size);
    for (const { datagram: from, kind, at: start, bytes, length, wire } of messages) {
      this.census.sender(from);
      this.hooks.found?.(from, start, form);
      this.message(sighting(this.frameId(from.frame), from, kind, bytes, length, wire));
    }
  }

  /** Takes it over: of data it is done with the bytes when it returns. */
  private message(seen: Sighting): void {
    const before = this.recent.find(seen);
    if (before !== undefined && isAgain(before, seen)) {
      this.copy(before, seen);
      return;
    }
    this.fresh(seen, seen.kind === 'data' && !seen.cut ? this.observer.data(seen) : undefined);
  }

  /** `opened` of data. */
  private fresh(seen: Sighting, opened: Opened | undefined): void {
    this.messages[seen.kind]++;
    if (seen.kind !== 'data') seen.bytes = copy(seen.bytes);
    this.recent.add(seen);
    if (seen.cut) this.census.cutMessage(seen);
    if (seen.kind === 'initiation') this.initiation(seen);
    else if (seen.kind === 'response') this.response(seen);
    else if (seen.kind === 'cookie-reply') this.cookie(seen);
    else {
      this.data(seen, opened);
      // they are the frame's, which is gone when the next one is read
      seen.bytes = EMPTY;
    }
  }

  private copy(before: Seen, seen: Seen): void {
    this.hooks.copied?.(seen, before);
    const kept = { ...seen, bytes: seen.kind === 'data' ? EMPTY : copy(seen.bytes) };
    // a loop makes thousands of one datagram: the first ones, and the latest, which the next is held against
    if (before.copies.length < COPIES) before.copies.push(kept);
    else before.copies[COPIES - 1] = kept;
    this.duplicates.count++;
    if (this.duplicates.frames.length < EVIDENCE) this.duplicates.frames.push(seen.at);
    // between the two a program turned one form into the other
    if (before.wire?.variant !== seen.wire?.variant) {
      this.names.same(before.from, seen.from, false);
      this.names.same(before.to, seen.to, false);
    }
    // two addresses of one datagram: each side that differs was translated
    this.names.same(before.from, seen.from, true);
    this.names.same(before.to, seen.to, true);
    if (seen.ttl < before.ttl) {
      const stats = this.census.senders.get(seen.from.text);
      if (stats !== undefined) stats.forwarded++;
    }
  }

  private initiation(seen: Seen): void {
    if (seen.wire === undefined) this.census.beforeInitiation(seen);
    const known = this.exchanges.begunBy(seen);
    if (known?.initiation !== undefined && equal(known.initiation.bytes, seen.bytes)) {
      known.replayCount++;
      if (known.replays.length < EVIDENCE) known.replays.push(seen);
      this.hooks.message?.(seen, { exchange: known });
      return;
    }
    const sight = this.observer.initiation(seen);
    const exchange = this.newExchange(seen, seen.sender, sight);
    this.note(sight.verdict.kind);
    this.spoke(seen, 'attempt', exchange.pair);
    this.hooks.message?.(seen, { sight, exchange });
  }

  /** From its initiation, which has a sight, or from a response whose initiation was not captured. */
  private newExchange(seen: Seen, initiatorIndex: number, sight: InitiationSight | undefined): Exchange {
    const [initiator, responder] = sight === undefined ? [seen.to, seen.from] : [seen.from, seen.to];
    const exchange: Exchange = {
      capture: this.capture,
      initiation: sight === undefined ? undefined : seen,
      sight,
      replays: [],
      replayCount: 0,
      responses: [],
      cookies: [],
      icmp: [],
      confirmed: undefined,
      replied: undefined,
      initiator,
      responder,
      initiatorIndex,
      spokeBefore: {
        initiator: this.live.lastOf(this.pairOf(seen), this.names.of(initiator)),
        responder: this.live.lastOf(this.pairOf(seen), this.names.of(responder)),
      },
      ...this.ends(seen, initiator, responder),
    };
    this.exchanges.add(exchange);
    return exchange;
  }

  private ends(
    seen: Seen,
    initiator: Endpoint,
    responder: Endpoint,
  ): Pick<Exchange, 'initiatorName' | 'responderName' | 'pair'> {
    const initiatorName = this.names.of(initiator);
    return { initiatorName, responderName: this.names.of(responder), pair: this.pairOf(seen) };
  }

  private pairOf(seen: Seen): PairId {
    return this.names.pair(seen.from, seen.to).id;
  }

  private response(seen: Seen): void {
    let exchange = this.exchanges.withIndex(this.names.of(seen.to), seen.receiver);
    if (exchange === undefined) exchange = this.newExchange(seen, seen.receiver, undefined);
    else this.names.same(exchange.responder, seen.from, false);
    const { sight, keys } = this.observer.response(seen, exchange);
    if (exchange.responses.length < EVIDENCE) exchange.responses.push({ seen, sight });
    this.note(sight.verdict.kind);
    const asked = exchange.sight;
    if (asked !== undefined) this.verdicts[asked.verdict.kind]--;
    this.observer.answered(exchange);
    if (asked !== undefined) this.note(asked.verdict.kind);
    if (keys !== undefined) this.observer.session(keys, exchange.initiatorIndex, seen.sender);
    this.sessions.open(exchange, seen.sender, seen);
    this.spoke(seen, 'other', exchange.pair);
    this.hooks.message?.(seen, { exchange, response: sight });
  }

  private cookie(seen: Seen): void {
    const exchange = this.exchanges.withIndex(this.names.of(seen.to), seen.receiver);
    let sight: CookieSight | undefined;
    if (exchange !== undefined && exchange.cookies.length < EVIDENCE) {
      sight = this.observer.cookie(seen, exchange);
      exchange.cookies.push({ seen, sight });
    }
    this.note(sight?.verdict.kind ?? 'undecided');
    this.spoke(seen, 'other');
    this.hooks.message?.(seen, {
      ...(exchange === undefined ? {} : { exchange }),
      ...(sight === undefined ? {} : { cookie: sight }),
    });
  }

  private data(seen: Seen, atFirst: Opened | undefined): void {
    const placed = this.sessions.place(seen);
    const { session, half, by } = placed;
    const exchange = session.exchange;
    if (by === 'initiator' && exchange !== undefined && exchange.confirmed === undefined) {
      exchange.confirmed = seen;
      this.hooks.session?.(exchange, seen);
    }
    if (by === 'responder' && exchange !== undefined) exchange.replied ??= seen;
    let opened = atFirst;
    if (opened !== undefined) {
      if (opened.verdict !== 'refused') half.opened++;
      else if (opened.drop === 'data-unsealable') {
        half.unsealableCount++;
        if (half.unsealable.length < EVIDENCE) half.unsealable.push(seen.at);
      }
    }
    if (opened !== undefined) opened = this.inner.judge(placed, seen, opened);
    this.note(opened?.verdict ?? 'undecided');
    this.spoke(seen, seen.length > WIRE_SIZE.data ? 'asks' : 'other');
    this.hooks.message?.(seen, exchange === undefined ? { opened, placed } : { opened, placed, exchange });
  }

  /** `as` where its exchange gave the pair its name before names were folded. */
  private spoke(seen: Seen, what: 'asks' | 'attempt' | 'other', as?: PairId): void {
    const { id, fromName, toName } = this.names.pair(seen.from, seen.to);
    this.live.packet(as ?? id, fromName, toName, seen, what);
    this.oneWays.packet(as ?? id, fromName, toName, seen);
  }

  private note(verdict: 'accepted' | 'refused' | 'undecided'): void {
    this.verdicts[verdict]++;
  }

  private icmpError(error: IcmpError): void {
    const { quoted } = error;
    const seen = icmpSighting(this.frameId(error.frame), error);
    if (this.icmp.length < LIST_LIMIT) this.icmp.push(seen);
    const sender = this.names.of(quoted.from);
    this.live.icmp(pairId(sender, this.names.of(quoted.to)), sender, seen);
    const exchange = this.census.isUnwrapped(quoted.from, quoted.to)
      ? this.exchanges.latestOf(sender)
      : this.quotedExchange(quoted.bytes, seen.quotedKind, sender);
    if (exchange !== undefined && exchange.icmp.length < EVIDENCE) exchange.icmp.push(seen);
  }

  /** The quote is often eight bytes long: just enough for the sender's index. Without it the latest attempt of the flow. */
  private quotedExchange(bytes: Bytes, kind: MessageKind | undefined, sender: string): Exchange | undefined {
    if (kind === 'initiation' && bytes.length >= 8) return this.exchanges.withIndex(sender, u32le(bytes, 4));
    return bytes.length >= 8 ? undefined : this.exchanges.latestOf(sender);
  }
}
