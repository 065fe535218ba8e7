/** From captures and keys to the packets inside the tunnel, and to the outer frames with the secrets that open them. */
import { KeySet } from '../analyze/key-set.ts';
import { KeyedObserver } from '../analyze/observer.ts';
import type { Placed } from '../analyze/sessions.ts';
import type { Seen } from '../analyze/timeline.ts';
import type { MessageDetails } from '../analyze/tracker-hooks.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { compareTime } from '../base/time.ts';
import type { CaptureItem, CaptureReader } from '../capture/frame.ts';
import { openCapture } from '../capture/open.ts';
import { SECRETS_WIREGUARD } from '../capture/pcapng-blocks.ts';
import { noble } from '../crypto/noble.ts';
import type { Crypto } from '../crypto/port.ts';
import { claimedLength, refuseInner } from '../wg/inner-packet.ts';
import { CaptureRun } from './capture-run.ts';
import type { InputProblem } from './conclude.ts';
import { DecryptTally, whyClosed } from './decrypt-tally.ts';
import { HandshakeSecrets } from './handshake-secrets.ts';
import { type CaptureName, InnerWriter } from './inner-writer.ts';
import { type Input, readInputs, type Source } from './inputs.ts';
import { OuterWriter } from './outer-writer.ts';
import { scrubber } from './scrub.ts';

export interface DecryptOptions {
  readonly crypto?: Crypto;
  /** Public keys given by hand, as `NAME=KEY`. */
  readonly publicKeys?: readonly string[];
  /** Name and version, for the files that are written. */
  readonly tool?: string;
  /** Also copies of one datagram, and what a receiver would refuse for its counter. */
  readonly all?: boolean;
  /** Gets the inner packets as pcapng, block by block. */
  readonly inner?: (bytes: Bytes) => void;
  /** Gets the frames of the captures as pcapng, with secrets. */
  readonly outer?: (bytes: Bytes) => void;
  /** Called before more is waited for: whoever follows a capture that still grows should see what there is. */
  onPause?(): void;
}

export interface DecryptedCapture {
  /** As the comments of its packets call it. */
  readonly label: string;
  readonly tally: DecryptTally;
}

export interface Decryption {
  readonly captures: readonly DecryptedCapture[];
  readonly problems: readonly InputProblem[];
  readonly inner: { readonly packets: number; readonly interfaces: number };
  /** `initiations` and `responses`: those that the secrets open. */
  readonly outer: {
    readonly frames: number;
    readonly blocks: number;
    readonly initiations: number;
    readonly responses: number;
    readonly holdsPrivate: boolean;
  };
}

/**
 * Reads keys first, then the captures, frame by frame in the order of their times. What a source throws while it is read
 * passes through, and so does what `inner` and `outer` throw.
 */
export async function decrypt(sources: readonly Source[], options: DecryptOptions): Promise<Decryption> {
  const crypto = options.crypto ?? noble;
  const keys = new KeySet(crypto);
  const problems: InputProblem[] = [];
  const report = (input: string, problem: Problem): void => {
    problems.push({ input, ...problem });
  };
  const inputs = await readInputs(sources, options.publicKeys ?? [], keys, report);
  const captures = inputs.filter(({ kind }) => kind === 'capture');
  const tool = options.tool ?? 'wgwhy';
  const inner = new InnerWriter(keys, tool, options.inner ?? (() => {}));
  const outer = options.outer === undefined ? undefined : new OuterWriter(tool, options.outer);
  const secrets = new HandshakeSecrets(keys);
  const shared: Shared = { crypto, keys, inner, outer, secrets, all: options.all ?? false };

  const open: Reading[] = [];
  for (const input of captures) {
    if (input.chunks === undefined) continue;
    const opened = await openCapture(input.chunks);
    if (!opened.ok) {
      report(input.name, opened.error);
      continue;
    }
    const problem = (one: Problem): void => report(input.name, one);
    const name = { label: input.label, several: captures.length > 1 };
    open.push(new Reading(opened.value, new Decrypting(input, name, opened.value, shared, problem), options.onPause));
  }
  await readMerged(open);
  if (open.length > 0) {
    inner.end();
    outer?.end();
    options.onPause?.();
  }
  const clean = scrubber(keys);
  return {
    captures: open.map(({ decrypting: { label, tally } }) => ({ label, tally })),
    problems: clean(problems),
    inner: { packets: inner.packets, interfaces: inner.interfaces },
    outer: {
      frames: outer?.frames ?? 0,
      blocks: outer?.secretsBlocks ?? 0,
      initiations: secrets.initiations,
      responses: secrets.responses,
      holdsPrivate: secrets.holdsPrivate,
    },
  };
}

interface Shared {
  readonly crypto: Crypto;
  readonly keys: KeySet;
  readonly inner: InnerWriter;
  readonly outer: OuterWriter | undefined;
  readonly secrets: HandshakeSecrets;
  readonly all: boolean;
}

/** One capture, item by item. */
class Decrypting {
  readonly label: string;
  readonly tally = new DecryptTally();
  readonly #called: CaptureName;
  readonly #shared: Shared;
  readonly #observer: KeyedObserver;
  readonly #run: CaptureRun;
  /** Key log lines that must stand before the frame under way. */
  #lines = '';

  constructor(
    { id, label }: Input,
    called: CaptureName,
    { format }: CaptureReader,
    shared: Shared,
    problem: (problem: Problem) => void,
  ) {
    const { crypto, keys } = shared;
    this.label = label;
    this.#called = called;
    this.#shared = shared;
    this.#observer = new KeyedObserver(crypto, keys);
    const hooks = {
      message: (seen: Seen, details: MessageDetails) => this.#message(seen, details),
      copied: (seen: Seen) => this.#copied(seen),
    };
    this.#run = new CaptureRun({ id, name: label, format, keys, observer: this.#observer, problem, hooks });
  }

  take(item: CaptureItem): void {
    const { outer } = this.#shared;
    if (item.kind === 'frame') {
      this.tally.frames++;
      if (item.frame.time === undefined) this.tally.untimed = true;
    }
    this.#run.take([item]);
    if (outer === undefined) return;
    if (this.#lines !== '') outer.keyLog(this.#lines);
    this.#lines = '';
    if (item.kind === 'frame') outer.frame(item.frame, this.#called);
    // ours are written where they are needed; those of other protocols go on with the frames
    else if (item.kind === 'secrets' && item.secretsType !== SECRETS_WIREGUARD) {
      outer.secrets(item.secretsType, item.data);
    }
  }

  end(): void {
    this.#run.end();
    this.tally.damage = this.#run.timeline().damage;
  }

  #message(seen: Seen, details: MessageDetails): void {
    const { sight, response, exchange } = details;
    if (seen.kind === 'data') this.#data(seen, details);
    else if (this.#shared.outer === undefined) return;
    else if (sight !== undefined) this.#lines += this.#shared.secrets.initiation(seen, sight);
    else if (response !== undefined && exchange !== undefined) {
      this.#lines += this.#shared.secrets.response(seen, exchange, response);
    }
  }

  #data(seen: Seen, { opened, exchange, placed }: MessageDetails): void {
    const { tally } = this;
    tally.messages++;
    if (seen.cut) tally.closed('the capture cut them: tcpdump -s 0 keeps them whole', seen, exchange);
    else if (opened === undefined) tally.closed(whyClosed(exchange), seen, exchange);
    else if (opened.plaintext === undefined) {
      tally.closed(
        'the key of their session does not open them: they were altered on the way, or are of another session',
        seen,
        exchange,
      );
    } else if (opened.drop !== undefined && COUNTER_DROPS.has(opened.drop) && !this.#shared.all) {
      tally.note(tally.leftOut, opened.drop, seen);
    } else this.#write(seen, placed, opened.plaintext, opened.drop);
  }

  #copied(seen: Seen): void {
    if (seen.kind !== 'data') return;
    const plaintext = this.#shared.all && !seen.cut ? this.#observer.look(seen) : undefined;
    if (plaintext === undefined) this.tally.note(this.tally.leftOut, 'copy', seen);
    else this.#write(seen, undefined, plaintext, 'copy');
  }

  #write(seen: Seen, placed: Placed | undefined, plaintext: Bytes, refused: string | undefined): void {
    const { tally } = this;
    if (plaintext.length === 0) {
      tally.keepalives++;
      return;
    }
    const drop = refuseInner(plaintext, plaintext.length, '', true);
    if (drop !== undefined) {
      tally.note(tally.leftOut, drop.kind, seen);
      return;
    }
    // the sender pads to 16 bytes (wp §5.4.6): the packet's own length tells where it ends
    const bytes = plaintext.subarray(0, claimedLength(plaintext));
    if (refused !== undefined) tally.note(tally.refused, refused, seen);
    tally.written++;
    tally.writtenBytes += bytes.length;
    const note = refused === undefined ? undefined : (NOTES[refused] ?? `its receiver refuses it: ${refused}`);
    this.#shared.inner.packet({ seen, placed, bytes, note }, this.#called);
  }
}

const COUNTER_DROPS: ReadonlySet<string> = new Set(['counter-replayed', 'counter-too-old', 'counter-exhausted']);
const NOTES: Readonly<Record<string, string>> = { copy: 'the same datagram once more' };

/** A capture, and the item of it that comes next. */
class Reading {
  readonly decrypting: Decrypting;
  readonly #batches: AsyncIterator<readonly CaptureItem[]>;
  readonly #onPause: (() => void) | undefined;
  #batch: readonly CaptureItem[] = [];
  #at = 0;

  constructor(reader: CaptureReader, decrypting: Decrypting, onPause: (() => void) | undefined) {
    this.decrypting = decrypting;
    this.#batches = reader.batches()[Symbol.asyncIterator]();
    this.#onPause = onPause;
  }

  get next(): CaptureItem | undefined {
    return this.#batch[this.#at];
  }

  /** False at the end. What was handed out before is gone then. */
  async fill(): Promise<boolean> {
    while (this.#at >= this.#batch.length) {
      this.#onPause?.();
      const step = await this.#batches.next();
      if (step.done === true) {
        this.decrypting.end();
        return false;
      }
      this.#batch = step.value;
      this.#at = 0;
    }
    return true;
  }

  take(): void {
    const item = this.next;
    this.#at++;
    if (item !== undefined) this.decrypting.take(item);
  }
}

/** Always the earliest frame of all; what has no time goes first, so that it stays where it stands in its file. */
async function readMerged(captures: readonly Reading[]): Promise<void> {
  let open: readonly Reading[] = captures;
  for (;;) {
    const going: Reading[] = [];
    for (const reading of open) if (reading.next !== undefined || (await reading.fill())) going.push(reading);
    const [first] = going;
    if (first === undefined) return;
    open = going;
    let earliest = first;
    for (const reading of going) if (comesBefore(reading.next, earliest.next)) earliest = reading;
    // until its batch is used up: none of the others has to be asked again
    do earliest.take();
    while (earliest.next !== undefined && going.every((other) => !comesBefore(other.next, earliest.next)));
  }
}

function comesBefore(a: CaptureItem | undefined, b: CaptureItem | undefined): boolean {
  const [left, right] = [timeOf(a), timeOf(b)];
  if (right === undefined) return false;
  return left === undefined || compareTime(left, right) < 0;
}

const timeOf = (item: CaptureItem | undefined) => (item?.kind === 'frame' ? item.frame.time : undefined);
