/** Plays whole captures as if they were being taken: frame by frame, all of them by one clock, with a tick each second. */
import { msBetween, type Time } from '../../src/base/time.ts';
import type { CaptureItem, CaptureReader } from '../../src/capture/frame.ts';
import { openCapture } from '../../src/capture/open.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type DiagnoseOptions, type Diagnosis, diagnose, type Source } from '../../src/report/diagnose.ts';
import type { FindingEvent } from '../../src/report/event.ts';
import type { LiveOptions } from '../../src/report/live.ts';
import { bytesSource, type LabCase, labFile } from '../scenarios/lab.ts';

export interface FeedOptions {
  /** `every-frame`: time leaps so that each frame is followed by an evaluation; `real-time`: as the frames' times say. */
  readonly pace: 'every-frame' | 'real-time';
  readonly settleMs?: number;
  /** Evaluates only after every n-th frame, for captures of thousands. */
  readonly stride?: number;
  /** When a frame arrives that was captured at this moment; at once unless given. */
  readonly arrival?: (ms: number) => number;
  /** Before the captures end. */
  readonly after?: (feed: Feed) => void;
}

const LEAP_MS = 1_000_000;

export class Feed {
  readonly #options: FeedOptions;
  readonly #items: { readonly reader: number; readonly item: CaptureItem; readonly time: Time }[] = [];
  readonly #waiting = new Map<number, () => void>();
  #readers = 0;
  #played = 0;
  #nowMs = 0;
  #ticks: (() => void)[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get live(): LiveOptions {
    const { settleMs } = this.#options;
    return {
      monoMs: () => this.#nowMs,
      everySecond: (tick) => {
        this.#ticks.push(tick);
        return () => (this.#ticks = this.#ticks.filter((other) => other !== tick));
      },
      ...(settleMs === undefined ? {} : { settleMs }),
    };
  }

  /** Reads it whole, and hands it out when its time comes. */
  readonly open: NonNullable<DiagnoseOptions['openCapture']> = async (source) => {
    const opened = await openCapture(source);
    if (!opened.ok) return opened;
    const reader = this.#readers++;
    let time: Time = { sec: 0, nsec: 0 };
    for await (const batch of opened.value.batches()) {
      for (const item of batch) {
        if (item.kind === 'frame') time = item.frame.time ?? time;
        const kept =
          item.kind === 'frame' ? { ...item, frame: { ...item.frame, bytes: item.frame.bytes.slice() } } : item;
        this.#items.push({ reader, item: kept, time });
      }
    }
    return { ok: true, value: { ...opened.value, batches: () => this.#play(reader) } satisfies CaptureReader };
  };

  async *#play(reader: number): AsyncGenerator<readonly CaptureItem[]> {
    // all captures are open before the first of them is read
    if (this.#played === 0) this.#items.sort((a, b) => msBetween(b.time, a.time));
    const start = this.#items[0]?.time;
    for (const [i, one] of this.#items.entries()) {
      if (one.reader !== reader || start === undefined) continue;
      if (i > this.#played) await new Promise<void>((resolve) => this.#waiting.set(i, resolve));
      this.#passTo(msBetween(start, one.time));
      yield [one.item];
      this.#played = i + 1;
      this.#waiting.get(this.#played)?.();
    }
    if (this.#played === this.#items.length) this.#options.after?.(this);
  }

  #passTo(ms: number): void {
    const { pace, stride = 1, arrival = (at) => at } = this.#options;
    if (pace === 'every-frame') {
      if (this.#played % stride === 0) this.#nowMs += LEAP_MS;
      return;
    }
    this.pass(arrival(ms) - this.#nowMs);
  }

  /** Time goes by, and nothing comes. */
  pass(ms: number): void {
    const end = this.#nowMs + ms;
    while (this.#nowMs + 1000 < end) {
      this.#nowMs += 1000;
      for (const tick of this.#ticks) tick();
    }
    this.#nowMs = Math.max(this.#nowMs, end);
  }
}

export interface Played extends Diagnosis {
  readonly events: readonly FindingEvent[];
}

export async function play(
  sources: readonly Source[],
  feed: FeedOptions,
  options: DiagnoseOptions = {},
): Promise<Played> {
  const { live, open } = new Feed(feed);
  const events: FindingEvent[] = [];
  const onEvent: DiagnoseOptions['onEvent'] = (event) => {
    if ('finding' in event) events.push(event);
  };
  const diagnosis = await diagnose(sources, { live, openCapture: open, ...options, onEvent });
  return { ...diagnosis, events };
}

export function playLab({ files, at }: LabCase, feed: FeedOptions): Promise<Played> {
  const sources = files.map((file) => bytesSource(file, labFile(file)));
  return play(sources, feed, { crypto: nodeCrypto, ...(at === undefined ? {} : { at }) });
}

/** `+ error no-response`, `- …` where it ceased, `< … (by)` where a sharper one took its place, `= …` where it changed. */
export function told(events: readonly FindingEvent[]): string[] {
  const open = new Map<string, string>();
  return events.map((event) => {
    const { severity, rule, certainty } = event.finding;
    const name = `${severity} ${certainty} ${rule}`;
    if (event.event === 'finding-opened') {
      const sign = open.has(event.id) ? '=' : '+';
      open.set(event.id, rule);
      return `${sign} ${name}`;
    }
    open.delete(event.id);
    return event.event === 'finding-superseded' ? `< ${name} (${open.get(event.by) ?? 'nothing open'})` : `- ${name}`;
  });
}
