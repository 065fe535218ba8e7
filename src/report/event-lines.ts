/** Events as bytes of NDJSON, gathered in one buffer: of data messages there may be millions, and a line costs little. */

import type { Opened } from '../analyze/observe.ts';
import type { Seen } from '../analyze/timeline.ts';
import type { TrackerHooks } from '../analyze/tracker-hooks.ts';
import type { Endpoint } from '../base/address.ts';
import { type Bytes, EMPTY, utf8 } from '../base/bytes.ts';
import { formatTime, type Time } from '../base/time.ts';
import type { WgwhyEvent } from './event.ts';
import { messageEvent, otherHooks } from './frame-events.ts';
import { InnerEndsReader } from './inner-ends.ts';
import { eventLine } from './json.ts';

const ROOM = 1 << 18;
/** Of all that is fixed in a line of data, with the digits of its numbers. */
const LINE_BYTES = 512;
const ZERO = 0x30;
const LETTER = 0x61 - 10;

const TIME = utf8(',"time":"');
const FROM = utf8('Z"},"message":"data","from":"');
const UNTIMED = utf8('"},"message":"data","from":"');
const TO = utf8('","to":"');
const LENGTH = utf8('","length":');
const RECEIVER = utf8(',"receiver":"0x');
const COUNTER = utf8('","counter":"');
const QUOTE = utf8('"');
const INNER_LENGTH = utf8(',"innerLength":');
const ACCEPTED = utf8(',"verdict":"accepted"');
const END = utf8('}\n');

export class EventLines {
  #buffer = new Uint8Array(ROOM);
  #used = 0;
  readonly #head: Bytes;
  readonly #inner = new InnerEndsReader();
  readonly #encoder = new TextEncoder();
  /** Endpoints are the same objects again and again. */
  readonly #endpoints = new WeakMap<Endpoint, Bytes>();
  #second = Number.NaN;
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
    this.#put(TIME);
    this.#time(seen.at.time);
    this.#put(this.#textOf(seen.from));
    this.#put(TO);
    this.#put(this.#textOf(seen.to));
    this.#put(LENGTH);
    this.#whole(seen.length);
    this.#put(RECEIVER);
    this.#index(seen.receiver);
    this.#put(COUNTER);
    this.#whole(seen.counter);
    this.#put(QUOTE);
    if (opened !== undefined) this.#opened(opened);
    this.#put(END);
  }

  #opened({ innerLength, plaintext, verdict, drop }: Opened): void {
    if (innerLength !== undefined) {
      this.#put(INNER_LENGTH);
      this.#whole(innerLength);
    }
    const inner = plaintext === undefined ? undefined : this.#inner.read(plaintext);
    if (inner !== undefined) this.#put(inner.json);
    if (verdict === 'accepted' && drop === undefined) this.#put(ACCEPTED);
    else this.#put(utf8(`,"verdict":"${verdict}"${drop === undefined ? '' : `,"drop":${JSON.stringify(drop)}`}`));
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
      this.#secondText = text.endsWith('Z') ? utf8(text.slice(0, -10)) : EMPTY;
    }
    if (this.#secondText.length === 0) {
      this.#put(utf8(formatTime(time)));
      this.#put(UNTIMED);
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
    this.#put(FROM);
  }

  #textOf(endpoint: Endpoint): Bytes {
    let text = this.#endpoints.get(endpoint);
    if (text === undefined) {
      text = utf8(endpoint.text);
      this.#endpoints.set(endpoint, text);
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

  #index(value: number): void {
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = (value >>> shift) & 15;
      this.#buffer[this.#used++] = digit < 10 ? ZERO + digit : LETTER + digit;
    }
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    const more = new Uint8Array(2 * (this.#used + bytes));
    more.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = more;
  }
}
