/** Events as bytes of NDJSON, gathered in one buffer: of data messages there may be millions, and a line costs little. */

import type { Opened } from '../analyze/observe.ts';
import type { Seen } from '../analyze/timeline.ts';
import type { TrackerHooks } from '../analyze/tracker-hooks.ts';
import type { Endpoint } from '../base/address.ts';
import { type Bytes, EMPTY, utf8 } from '../base/bytes.ts';
import { formatTime, type Time } from '../base/time.ts';
import type { WgwhyEvent } from './event.ts';
import { exactCounter, messageEvent, otherHooks } from './frame-events.ts';
import { ACCEPTED_END, InnerEndsReader } from './inner-ends.ts';
import { eventLine } from './json.ts';

const ROOM = 1 << 18;
/** Of all that is fixed in a line of data, with the digits of its numbers. */
const LINE_BYTES = 512;
const ZERO = 0x30;

/** Receiver indices whose pieces are kept. */
const INDICES = 4096;

const TIME = ',"time":"';
const UNTIMED = utf8(TIME);
const ZULU = 0x5a;
const QUOTE = utf8('"');
const INNER_LENGTH = utf8('","innerLength":');
const ACCEPTED = utf8(ACCEPTED_END);
const END = utf8('}\n');

export class EventLines {
  #buffer = new Uint8Array(ROOM);
  #used = 0;
  readonly #head: Bytes;
  readonly #inner = new InnerEndsReader();
  readonly #encoder = new TextEncoder();
  /** What stands between the time and the length, by both ends: endpoints are the same objects again and again. */
  readonly #ends = new WeakMap<Endpoint, WeakMap<Endpoint, Bytes>>();
  /** What stands between the length and the counter. */
  readonly #indices = new Map<number, Bytes>();
  #second = Number.NaN;
  /** What stands before the fraction of a second; empty for a year of more than four digits. */
  #secondText: Bytes = EMPTY;

  readonly #clean: <T>(value: T) => T;

  /** Of one capture. `clean` hides what must not be shown of keys; there are none in a line of data. */
  constructor(capture: string, clean: <T>(value: T) => T) {
    this.#clean = clean;
    const head = JSON.stringify({ schema: 'wgwhy/event/1', event: 'message', at: { input: capture } });
    this.#head = utf8(`${head.slice(0, -2)},"frame":`);
  }

  /** Gathered and not yet taken. */
  get used(): number {
    return this.#used;
  }

  /** Until the next event comes. */
  take(): Bytes {
    const taken = this.#buffer.subarray(0, this.#used);
    this.#used = 0;
    return taken;
  }

  event(event: WgwhyEvent): void {
    const line = eventLine(this.#clean(event));
    this.#reserve(line.length * 3);
    this.#used += this.#encoder.encodeInto(line, this.#buffer.subarray(this.#used)).written;
  }

  hooks(): TrackerHooks {
    return {
      ...otherHooks((event) => this.event(event)),
      message: (seen, details) => {
        if (seen.kind === 'data') this.#data(seen, details.opened);
        else this.event(messageEvent(seen, details, this.#inner));
      },
    };
  }

  /** The line that `messageEvent` would give. */
  #data(seen: Seen, opened: Opened | undefined): void {
    this.#reserve(LINE_BYTES);
    this.#put(this.#head);
    this.#whole(seen.at.frame);
    this.#time(seen.at.time);
    this.#put(this.#endsOf(seen));
    this.#whole(seen.length);
    this.#put(this.#indexOf(seen.receiver));
    if (seen.counter < Number.MAX_SAFE_INTEGER) this.#whole(seen.counter);
    else this.#put(utf8(exactCounter(seen).toString()));
    if (opened === undefined) {
      this.#put(QUOTE);
      this.#put(END);
    } else this.#opened(opened);
  }

  #opened({ innerLength, plaintext, verdict, drop }: Opened): void {
    if (innerLength === undefined) this.#put(QUOTE);
    else {
      this.#put(INNER_LENGTH);
      this.#whole(innerLength);
    }
    const inner = plaintext === undefined ? undefined : this.#inner.read(plaintext);
    const accepted = verdict === 'accepted' && drop === undefined;
    if (inner !== undefined) this.#put(accepted ? inner.jsonAccepted : inner.json);
    else if (accepted) this.#put(ACCEPTED);
    if (!accepted)
      this.#put(utf8(`,"verdict":"${verdict}"${drop === undefined ? '' : `,"drop":${JSON.stringify(drop)}`}}\n`));
  }

  #time(time: Time): void {
    const { sec, nsec } = time;
    if (sec === 0 && nsec === 0) {
      this.#put(UNTIMED);
      return;
    }
    if (sec !== this.#second) {
      const text = formatTime({ sec, nsec: 0 });
      this.#second = sec;
      // a year of four digits, or seconds behind an @
      this.#secondText = text.endsWith('Z') ? utf8(TIME + text.slice(0, -10)) : EMPTY;
    }
    if (this.#secondText.length === 0) {
      this.#put(utf8(TIME + formatTime(time)));
      return;
    }
    this.#put(this.#secondText);
    const out = this.#buffer;
    let rest = nsec;
    for (let at = this.#used + 8; at >= this.#used; at--) {
      const more = (rest / 10) | 0;
      out[at] = ZERO + rest - more * 10;
      rest = more;
    }
    this.#used += 9;
    out[this.#used++] = ZULU;
  }

  #endsOf({ from, to }: Seen): Bytes {
    let known = this.#ends.get(from);
    if (known === undefined) {
      known = new WeakMap();
      this.#ends.set(from, known);
    }
    let text = known.get(to);
    if (text === undefined) {
      text = utf8(`"},"message":"data","from":"${from.text}","to":"${to.text}","length":`);
      known.set(to, text);
    }
    return text;
  }

  #indexOf(receiver: number): Bytes {
    let text = this.#indices.get(receiver);
    if (text === undefined) {
      if (this.#indices.size === INDICES) this.#indices.clear();
      text = utf8(`,"receiver":"0x${receiver.toString(16).padStart(8, '0')}","counter":"`);
      this.#indices.set(receiver, text);
    }
    return text;
  }

  #put(bytes: Bytes): void {
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #whole(value: number): void {
    if (value > 0x7fff_ffff) {
      this.#put(utf8(String(BigInt(value))));
      return;
    }
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    let rest = value | 0;
    for (let at = this.#used + digits - 1; at >= this.#used; at--) {
      const more = (rest / 10) | 0;
      this.#buffer[at] = ZERO + rest - more * 10;
      rest = more;
    }
    this.#used += digits;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    const more = new Uint8Array(2 * (this.#used + bytes));
    more.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = more;
  }
}
