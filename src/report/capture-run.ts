/** One capture from its first batch to its timeline: packet decoder, tracker, observer, and the events on the way. */

import type { KeySet } from '../analyze/key-set.ts';
import { indexText } from '../analyze/merge.ts';
import type { Observer } from '../analyze/observe.ts';
import type { InitiationSight, ResponseSight, Verdict } from '../analyze/sight.ts';
import type { FrameId, Seen, Timeline } from '../analyze/timeline.ts';
import { CaptureTracker, type TrackerHooks } from '../analyze/tracker.ts';
import { toBase64 } from '../base/base64.ts';
import { toHex } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { formatTime, type Time } from '../base/time.ts';
import type { CaptureDamage, CaptureFormat, CaptureItem, CaptureReader } from '../capture/frame.ts';
import { SECRETS_WIREGUARD } from '../capture/pcapng-blocks.ts';
import { parseKeyLog } from '../config/key-log.ts';
import { decodeText } from '../config/text.ts';
import { Decoder } from '../packet/decode.ts';
import type { WgwhyEvent } from './event.ts';
import type { FrameRef } from './model.ts';

export interface CaptureRunOptions {
  readonly id: string;
  readonly name: string;
  readonly format: CaptureFormat;
  readonly keys: KeySet;
  readonly observer: Observer;
  problem(problem: Problem): void;
  event?: ((event: WgwhyEvent) => void) | undefined;
  progress?: ((frames: number) => void) | undefined;
}

export class CaptureRun {
  readonly id: string;
  readonly #options: CaptureRunOptions;
  readonly #tracker: CaptureTracker;
  readonly #decoder = new Decoder();
  readonly #damage: CaptureDamage[] = [];
  #frames = 0;

  constructor(options: CaptureRunOptions) {
    const { id, observer, event } = options;
    this.id = id;
    this.#options = options;
    this.#tracker = new CaptureTracker(id, observer, event === undefined ? {} : eventHooks(event));
  }

  take(batch: readonly CaptureItem[]): void {
    for (const item of batch) {
      if (item.kind === 'frame') {
        this.#frames++;
        this.#tracker.frame(item.frame);
        for (const decoded of this.#decoder.decode(item.frame)) this.#tracker.add(decoded);
      } else if (item.kind === 'damage') this.#damage.push(item.damage);
      else if (item.secretsType === SECRETS_WIREGUARD) addSecrets(this.#options, item.data);
    }
    this.#options.progress?.(this.#frames);
  }

  /** Nothing more comes: what waited for the rest of its packet is told. */
  end(): void {
    for (const decoded of this.#decoder.flush()) this.#tracker.add(decoded);
  }

  /** As if it ended now; reading may go on. `until`: a moment that it is known to have lasted to. */
  timeline(until?: Time): Timeline {
    const { name, format } = this.#options;
    return this.#tracker.timeline({ name, format, damage: [...this.#damage] }, until);
  }
}

/** To its end. */
export async function runCapture(reader: CaptureReader, run: CaptureRun): Promise<Timeline> {
  for await (const batch of reader.batches()) run.take(batch);
  run.end();
  return run.timeline();
}

function addSecrets(run: CaptureRunOptions, data: Uint8Array): void {
  const { text, problems } = decodeText(data);
  const parsed = parseKeyLog(text);
  run.keys.addKeyLog(`${run.name} (secrets block)`, parsed.keyLog);
  for (const problem of [...problems, ...parsed.problems]) run.problem(problem);
}

export function frameRef({ capture, frame, time }: FrameId): FrameRef {
  return { input: capture, frame, time: time.sec === 0 && time.nsec === 0 ? '' : formatTime(time) };
}

function eventHooks(emit: (event: WgwhyEvent) => void): TrackerHooks {
  const schema = 'wgwhy/event/1';
  return {
    message(seen, { sight, exchange, opened }) {
      const at = frameRef(seen.at);
      const responded = exchange?.responses.at(-1);
      const response = responded?.seen === seen ? responded.sight : undefined;
      const cookied = exchange?.cookies.at(-1);
      emit({
        schema,
        event: 'message',
        at,
        message: seen.kind,
        from: seen.from.text,
        to: seen.to.text,
        length: seen.length,
        ...indices(seen),
        ...(sight === undefined ? {} : initiationFields(sight)),
        ...(response === undefined ? {} : responseFields(response)),
        ...(opened?.innerLength === undefined ? {} : { innerLength: opened.innerLength }),
      });
      const verdict =
        sight?.verdict ?? response?.verdict ?? (cookied?.seen === seen ? cookied.sight.verdict : undefined);
      if (verdict !== undefined) emit({ schema, event: 'verdict', at, ...verdictFields(verdict) });
      else if (opened !== undefined) {
        emit({
          schema,
          event: 'verdict',
          at,
          verdict: opened.verdict,
          ...(opened.drop === undefined ? {} : { drop: opened.drop }),
        });
      }
    },
    skipped: (at, skip) =>
      emit({ schema, event: 'frame-skipped', at: frameRef(at), reason: skip.reason, detail: skip.detail }),
    session: (exchange, seen) =>
      emit({
        schema,
        event: 'session',
        at: frameRef(seen.at),
        initiator: exchange.initiator.text,
        responder: exchange.responder.text,
        indices: `${indexText(exchange.initiatorIndex)}/${indexText(seen.receiver)}`,
        state: 'established',
      }),
  };
}

function indices(seen: Seen): { sender?: string; receiver?: string; counter?: string } {
  if (seen.kind === 'initiation') return { sender: indexText(seen.sender) };
  if (seen.kind === 'response') return { sender: indexText(seen.sender), receiver: indexText(seen.receiver) };
  if (seen.kind === 'cookie-reply') return { receiver: indexText(seen.receiver) };
  return { receiver: indexText(seen.receiver), counter: String(BigInt(seen.counter)) };
}

function ownerField(mac1: InitiationSight['mac1']): { mac1Owner?: string | null } {
  if (mac1.kind === 'untried') return {};
  return { mac1Owner: mac1.kind === 'known' ? mac1.key.text : null };
}

function initiationFields(sight: InitiationSight) {
  return {
    ...ownerField(sight.mac1),
    ...(sight.identity === undefined ? {} : { initiator: toBase64(sight.identity) }),
    ...(sight.timestamp === undefined ? {} : { tai64n: toHex(sight.timestamp) }),
  };
}

function responseFields(sight: ResponseSight) {
  return {
    ...ownerField(sight.mac1),
    ...(sight.handshakeOk === undefined ? {} : { handshakeOk: sight.handshakeOk }),
    ...(sight.opensWith === undefined || sight.opensWith.bound ? {} : { opensWith: sight.opensWith.where }),
  };
}

function verdictFields(verdict: Verdict) {
  if (verdict.kind === 'accepted') return { verdict: verdict.kind };
  if (verdict.kind === 'refused') return { verdict: verdict.kind, drop: verdict.drop.kind };
  return { verdict: verdict.kind, missing: verdict.missing };
}
