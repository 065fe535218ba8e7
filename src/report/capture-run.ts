/** One capture from its first batch to its timeline: packet decoder, tracker, observer, and the events on the way. */

import type { KeySet } from '../analyze/key-set.ts';
import type { Observer } from '../analyze/observe.ts';
import { ShardedTracker, type Share } from '../analyze/sharded-tracker.ts';
import type { InitiationSight } from '../analyze/sight.ts';
import type { Seen, Timeline } from '../analyze/timeline.ts';
import { CaptureTracker } from '../analyze/tracker.ts';
import type { TrackerHooks } from '../analyze/tracker-hooks.ts';
import type { Problem } from '../base/problem.ts';
import type { Time } from '../base/time.ts';
import type { CaptureDamage, CaptureFormat, CaptureItem, CaptureReader } from '../capture/frame.ts';
import { SECRETS_WIREGUARD } from '../capture/pcapng-blocks.ts';
import { parseKeyLog } from '../config/key-log.ts';
import { decodeText } from '../config/text.ts';
import type { OpenAhead } from '../crypto/port.ts';
import type { Decoded } from '../packet/datagram.ts';
import { Decoder } from '../packet/decode.ts';

export interface CaptureRunOptions {
  readonly id: string;
  readonly name: string;
  readonly format: CaptureFormat;
  readonly keys: KeySet;
  readonly observer: Observer;
  problem(problem: Problem): void;
  /** Only this share of its conversations. */
  readonly share?: { readonly of: Share; sightOf(initiation: Seen): InitiationSight } | undefined;
  /** Helpers, of which the observer knows. */
  readonly ahead?: OpenAhead | undefined;
  /** What is found, as the tracker has it. */
  readonly hooks?: TrackerHooks | undefined;
  /** After each batch, and at the end: what it gives is waited for before the next. */
  taken?: ((last: boolean) => void | Promise<void>) | undefined;
  progress?: ((frames: number) => void) | undefined;
}

export class CaptureRun {
  readonly id: string;
  readonly #options: CaptureRunOptions;
  readonly #tracker: Pick<CaptureTracker, 'frame' | 'add' | 'timeline'>;
  readonly #decoder = new Decoder();
  readonly #damage: CaptureDamage[] = [];
  #frames = 0;
  /** Decoded, and in the hands of helpers. Its frames are good until it is tracked: each chunk brings a batch (`readBatches`). */
  #expected: { readonly batch: readonly CaptureItem[]; readonly decoded: readonly (readonly Decoded[])[] } | undefined;

  constructor(options: CaptureRunOptions) {
    const { id, observer, hooks = {}, share } = options;
    this.id = id;
    this.#options = options;
    this.#tracker =
      share === undefined
        ? new CaptureTracker(id, observer, hooks)
        : new ShardedTracker(id, observer, hooks, share.of, (seen) => share.sightOf(seen));
  }

  take(batch: readonly CaptureItem[]): void | Promise<void> {
    const { ahead, taken } = this.#options;
    if (ahead?.begin(batch.length) === true) this.#expect(batch, ahead);
    else {
      this.#trackExpected();
      this.#track(batch);
    }
    return taken?.(false);
  }

  /** Decodes it, so that helpers can open what is in it, and tracks the one before it meanwhile. */
  #expect(batch: readonly CaptureItem[], ahead: OpenAhead): void {
    const { observer } = this.#options;
    const decoded = batch.map((item) => {
      const found = item.kind === 'frame' ? this.#decoder.decode(item.frame) : [];
      for (const one of found) if (one.kind === 'datagram') observer.expect?.(one);
      return found;
    });
    ahead.call();
    if (this.#expected !== undefined) this.#track(this.#expected.batch, this.#expected.decoded);
    this.#expected = { batch, decoded };
    this.#turn();
  }

  /** Where no batch follows that helpers have. */
  #trackExpected(): void {
    if (this.#expected === undefined) return;
    this.#track(this.#expected.batch, this.#expected.decoded);
    this.#expected = undefined;
    this.#turn();
  }

  #turn(): void {
    this.#options.observer.turn?.();
    this.#options.ahead?.turn();
  }

  #track(batch: readonly CaptureItem[], decoded?: readonly (readonly Decoded[])[]): void {
    let i = 0;
    for (const item of batch) this.#item(item, decoded?.[i++]);
    this.#options.progress?.(this.#frames);
  }

  #item(item: CaptureItem, decoded: readonly Decoded[] | undefined): void {
    if (item.kind === 'frame') {
      this.#frames++;
      this.#tracker.frame(item.frame);
      for (const one of decoded ?? this.#decoder.decode(item.frame)) this.#tracker.add(one);
    } else if (item.kind === 'damage') this.#damage.push(item.damage);
    else addSecrets(this.#options, item);
  }

  /** Nothing more comes: what waited for the rest of its packet is told. */
  end(): void | Promise<void> {
    this.#trackExpected();
    for (const decoded of this.#decoder.flush()) this.#tracker.add(decoded);
    return this.#options.taken?.(true);
  }

  /** As if it ended now; reading may go on. `until`: a moment that it is known to have lasted to. */
  timeline(until?: Time): Timeline {
    const { name, format } = this.#options;
    return this.#tracker.timeline({ name, format, damage: [...this.#damage] }, until);
  }
}

/** To its end. */
export async function runCapture(reader: CaptureReader, run: CaptureRun): Promise<Timeline> {
  for await (const batch of reader.batches()) await run.take(batch);
  await run.end();
  return run.timeline();
}

/** A key log that the capture itself holds. */
function addSecrets(
  { keys, name, problem }: Pick<CaptureRunOptions, 'keys' | 'name' | 'problem'>,
  { secretsType, data }: Extract<CaptureItem, { kind: 'secrets' }>,
): void {
  if (secretsType !== SECRETS_WIREGUARD) return;
  const { text, problems } = decodeText(data);
  const parsed = parseKeyLog(text);
  keys.addKeyLog(`${name} (secrets block)`, parsed.keyLog);
  for (const one of [...problems, ...parsed.problems]) problem(one);
}
