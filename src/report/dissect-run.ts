/** One capture, message by message, as `dissect` tells of it: beside the tracker, which knows what belongs to what. */
import { foreignName, type Shape, WIRE_SIZE } from '../analyze/classify.ts';
import type { KeySet } from '../analyze/key-set.ts';
import type { KeyedObserver } from '../analyze/observer.ts';
import type { InitiationSight } from '../analyze/sight.ts';
import { sighting } from '../analyze/sighting.ts';
import type { Exchange, FrameId, Seen } from '../analyze/timeline.ts';
import type { MessageDetails, TrackerHooks } from '../analyze/tracker-hooks.ts';
import type { VariantForm } from '../analyze/unwrap/unwrapped.ts';
import { namesVariant } from '../analyze/variants.ts';
import type { Bytes } from '../base/bytes.ts';
import { nsBetween, type Time } from '../base/time.ts';
import type { Datagram } from '../packet/datagram.ts';
import { DATA } from '../wg/message/data.ts';
import { decodeMessage } from '../wg/message/decode.ts';
import { type DataFacts, dataFields, Positions } from './dissect-data.ts';
import { type DissectFilter, type Filtered, letsThrough } from './dissect-filter.ts';
import { cookieFields, initiationFields, responseFields } from './dissect-handshake.ts';
import { InnerFields } from './dissect-inner.ts';
import { KeyWords } from './dissect-keys.ts';
import { malformedFields, variantFields } from './dissect-malformed.ts';
import { type Carrier, DISSECT_SCHEMA, type Dissected, type DissectedField } from './dissect-model.ts';
import { cookieSummary, dataSummary, initiationSummary, responseSummary } from './dissect-summary.ts';
import { told, WireFields } from './dissect-wire.ts';
import { frameRef } from './frame-events.ts';

export interface DissectRunOptions {
  readonly capture: string;
  readonly keys: KeySet;
  readonly observer: KeyedObserver;
  readonly filter: DissectFilter;
  /** One line each, without fields. */
  readonly linesOnly: boolean;
  /** All bytes of what is sealed, and of the payloads inside. */
  readonly payloads: boolean;
}

interface Found {
  readonly datagram: Datagram;
  readonly at: number;
  readonly form: VariantForm | undefined;
}

type Told = Pick<DissectedPlace, 'summary' | 'fields'>;
type DissectedPlace = Extract<Dissected, { kind: 'message' }>;

export class DissectRun {
  /** What was told and not yet taken. */
  readonly items: Dissected[] = [];
  found = 0;
  shown = 0;
  readonly skipped: Record<string, number> = {};
  readonly #options: DissectRunOptions;
  readonly #words: KeyWords;
  readonly #inner: InnerFields;
  readonly #positions = new Positions();
  /** What was told of a message, for its copies. */
  readonly #details = new WeakMap<Seen, MessageDetails>();
  #start: Time | undefined;
  #last: Found | undefined;

  constructor(options: DissectRunOptions) {
    this.#options = options;
    this.#words = new KeyWords(options.keys);
    this.#inner = new InnerFields(DATA.size, options.payloads);
  }

  /** The time of the first frame that has one. */
  begin(time: Time | undefined): void {
    this.#start ??= time;
  }

  readonly hooks: TrackerHooks = {
    found: (datagram, at, form) => {
      this.#last = { datagram, at, form };
    },
    message: (seen, details) => {
      this.#details.set(seen, details);
      this.#message(seen, details, undefined);
    },
    copied: (seen, before) => this.#message(seen, this.#details.get(before) ?? {}, before),
    unread: (datagram, shape, form) => this.#unread(datagram, shape, form),
    skipped: (_, { reason }) => {
      this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
    },
  };

  #message(seen: Seen, details: MessageDetails, before: Seen | undefined): void {
    const found = this.#last;
    if (found === undefined) return;
    this.found++;
    const { exchange, placed } = details;
    // the window moves whether or not this message is shown
    const position =
      placed === undefined || before !== undefined ? undefined : this.#positions.take(placed, seen, details.opened);
    const asked: Filtered = { seen, type: seen.kind, exchange, session: placed?.session, start: this.#start };
    if (!this.#lets(asked)) return;
    const facts: DataFacts = { seen, placed, position, opened: details.opened, inner: undefined };
    const told =
      seen.kind === 'data' ? this.#data(facts, found, before) : this.#handshake(seen, details, found, before);
    this.#tell({
      schema: DISSECT_SCHEMA,
      kind: 'message',
      message: seen.kind,
      ...this.#place(seen, found),
      ...(found.form === undefined ? {} : { variant: found.form.name }),
      ...told,
    });
  }

  #lets(asked: Filtered): boolean {
    const { filter, keys } = this.#options;
    return letsThrough(filter, asked, (key) => keys.find(key));
  }

  #tell(item: Dissected): void {
    this.shown++;
    this.items.push(item);
  }

  #data(facts: DataFacts, found: Found, before: Seen | undefined): Told {
    const { seen, opened } = facts;
    const plain = before === undefined ? opened?.plaintext : this.#lookAgain(seen);
    const inner = plain === undefined || plain.length === 0 ? undefined : this.#inner.read(plain);
    const whole = { ...facts, inner };
    const summary = again(dataSummary(whole), before, undefined);
    if (this.#options.linesOnly) return { summary };
    return {
      summary,
      fields: [
        ...againFields(before, undefined),
        ...variantFields(seen, found),
        ...dataFields(whole, this.#wire(seen, found)),
      ],
    };
  }

  #lookAgain(seen: Seen): Bytes | undefined {
    return seen.cut ? undefined : this.#options.observer.look(seen);
  }

  #handshake(seen: Seen, details: MessageDetails, found: Found, before: Seen | undefined): Told {
    const { exchange } = details;
    const replayed =
      before === undefined && details.sight === undefined && seen.kind === 'initiation'
        ? exchange?.initiation
        : undefined;
    const whole = replayed === undefined ? details : { ...details, ...secondTime(exchange?.sight) };
    const { summary, fields } = this.#opened(seen, whole, found);
    const line = again(summary, before, replayed);
    if (fields === undefined) return { summary: line };
    return { summary: line, fields: [...againFields(before, replayed), ...variantFields(seen, found), ...fields] };
  }

  #opened(seen: Seen, { exchange, sight, response, cookie }: MessageDetails, found: Found): Told {
    const words = this.#words;
    const asked = exchange?.initiation;
    const build = (make: (wire: WireFields) => DissectedField[]) =>
      this.#options.linesOnly ? {} : { fields: make(this.#wire(seen, found)) };
    const first = sight ?? exchange?.sight;
    if (seen.kind === 'initiation' && first !== undefined) {
      return {
        summary: initiationSummary(seen, first, words),
        ...build((wire) => initiationFields(seen, wire, words, first)),
      };
    }
    if (seen.kind === 'response' && response !== undefined) {
      return {
        summary: responseSummary(seen, response, asked, words),
        ...build((wire) => responseFields(seen, wire, words, response, exchange)),
      };
    }
    return {
      summary: cookieSummary(seen, cookie, asked, words),
      ...build((wire) => cookieFields(seen, wire, words, cookie, exchange)),
    };
  }

  #wire(seen: Seen, { datagram, at, form }: Found): WireFields {
    const onWire = form === undefined ? undefined : datagram.bytes.subarray(at, at + seen.length);
    return new WireFields(seen.bytes, onWire, this.#options.payloads);
  }

  #place(seen: Seen, { datagram, at }: Found) {
    const { time } = seen.at;
    const timed = datagram.frame.time !== undefined && this.#start !== undefined;
    return {
      at: frameRef(seen.at),
      ...(timed && this.#start !== undefined ? { sinceStart: secondsText(nsBetween(this.#start, time)) } : {}),
      from: seen.from.text,
      to: seen.to.text,
      length: seen.length,
      captured: seen.bytes.length,
      carrier: carrierOf(datagram, at),
    };
  }

  #unread(datagram: Datagram, shape: Shape | undefined, form: VariantForm | undefined): void {
    const { from, to, bytes, length, frame } = datagram;
    const variant = form?.name ?? namesVariant(datagram, shape);
    if (variant === undefined) {
      // what has a name, or neither type nor reserved bytes of a message, is no message
      if (shape === undefined || shape.reserved !== 0) return;
      if (foreignName(bytes, length, [from.port, to.port]) !== undefined) return;
    }
    this.found++;
    const id: FrameId = {
      capture: this.#options.capture,
      frame: frame.number,
      time: frame.time ?? { sec: 0, nsec: 0 },
    };
    const kind = shape?.kind ?? 'data';
    const seen = sighting(id, datagram, kind, bytes, length, undefined);
    const type = variant === undefined ? 'malformed' : 'unread';
    const exchange: Exchange | undefined = undefined;
    const bare = { ...seen, sender: 0, receiver: 0 };
    if (!this.#lets({ seen: bare, type, exchange, session: undefined, start: this.#start })) return;
    const found = { datagram, at: 0, form: undefined };
    const base = { schema: DISSECT_SCHEMA, ...this.#place(seen, found) } as const;
    const wire = new WireFields(bytes, undefined, this.#options.payloads);
    if (variant !== undefined) {
      const summary = `of ${variant}: nothing that could be read, ${length} bytes`;
      const how = form === undefined ? [] : [told('recognised', { value: form.how })];
      const fields = [wire.field('datagram', { at: 0, length }), ...how];
      this.#tell({ ...base, kind: 'unread', variant, summary, ...(this.#options.linesOnly ? {} : { fields }) });
      return;
    }
    const decoded = decodeMessage(bytes);
    const why = decoded.ok ? `${length} bytes` : this.#words.drop(decoded.error);
    const summary = `claims to be ${kind}, ${length} bytes and not ${WIRE_SIZE[kind]}${kind === 'data' ? ' or more' : ''}`;
    const fields = this.#options.linesOnly ? {} : { fields: malformedFields(wire, kind, length, why) };
    this.#tell({ ...base, kind: 'malformed', message: kind, summary, ...fields });
  }
}

function again(summary: string, before: Seen | undefined, replayed: Seen | undefined): string {
  if (before !== undefined) return `copy of frame ${before.at.frame}: ${summary}`;
  return replayed === undefined ? summary : `frame ${replayed.at.frame} once more: ${summary}`;
}

/** What was taken once has a timestamp that is not greater than the greatest any more (wp §5.1). */
function secondTime(sight: InitiationSight | undefined): Pick<MessageDetails, 'sight'> {
  if (sight === undefined) return {};
  const { identity, timestamp, verdict } = sight;
  if (verdict.kind !== 'accepted') return { sight };
  if (identity === undefined || timestamp === undefined)
    return { sight: { ...sight, verdict: { kind: 'undecided', missing: [] } } };
  const drop = { kind: 'timestamp-replayed', identity, received: timestamp, greatest: timestamp } as const;
  return { sight: { ...sight, verdict: { kind: 'refused', drop } } };
}

function againFields(before: Seen | undefined, replayed: Seen | undefined): DissectedField[] {
  if (before !== undefined) {
    const meaning = 'the same datagram once more: on another interface, a hop further, or on the other side of a NAT';
    return [told('copyOfFrame', { value: before.at.frame, meaning })];
  }
  if (replayed === undefined) return [];
  return [told('sameAsFrame', { value: replayed.at.frame, meaning: 'the same bytes, later' })];
}

function carrierOf(datagram: Datagram, messageAt: number): Carrier {
  const { frame, bytes, path, ttl, tos, ipId, dontFragment, fragments, ipLength, checksum, direction, length } =
    datagram;
  const inFrame = bytes.buffer === frame.bytes.buffer ? bytes.byteOffset - frame.bytes.byteOffset : -1;
  const isView = fragments === 1 && inFrame >= 0 && inFrame + bytes.length <= frame.bytes.length;
  return {
    path,
    ttl,
    tos,
    ipId,
    dontFragment,
    fragments,
    ipLength,
    checksum,
    ...(direction === undefined ? {} : { direction }),
    datagramLength: length,
    messageAt,
    ...(isView ? { frameAt: inFrame + messageAt } : {}),
  };
}

/** `-0.000000001`, with all nine digits. */
function secondsText(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  return `${ns < 0n ? '-' : ''}${size / 1_000_000_000n}.${String(size % 1_000_000_000n).padStart(9, '0')}`;
}
