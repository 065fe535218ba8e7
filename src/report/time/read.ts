/** The timestamps of a capture by sender, as far as the keys open them; and who else began handshakes. */
import { KeySet } from '../../analyze/key-set.ts';
import { KeyedObserver } from '../../analyze/observer.ts';
import type { InitiationSight } from '../../analyze/sight.ts';
import type { Seen } from '../../analyze/timeline.ts';
import { CaptureTracker } from '../../analyze/tracker.ts';
import { toBase64 } from '../../base/base64.ts';
import { type PublicKey, shortKey } from '../../base/keys.ts';
import type { Problem } from '../../base/problem.ts';
import { openCapture } from '../../capture/open.ts';
import { SECRETS_WIREGUARD } from '../../capture/pcapng-blocks.ts';
import { parseKeyLog } from '../../config/key-log.ts';
import { decodeText } from '../../config/text.ts';
import { noble } from '../../crypto/noble.ts';
import type { Crypto } from '../../crypto/port.ts';
import { Decoder } from '../../packet/decode.ts';
import { type Input, readInputs, type Source } from '../inputs.ts';
import { type Clock, type ClockSample, clockOf } from './clock.ts';

export interface SenderClock {
  /** The capture. */
  readonly capture: string;
  readonly key: PublicKey;
  /** Where its key stands, or the beginning and the end of it. */
  readonly name: string;
  /** Where it wrote from, in the order of coming. */
  readonly from: readonly string[];
  readonly samples: readonly ClockSample[];
  readonly clock: Clock;
}

/** Initiations whose timestamps stay closed. */
export interface ClosedSender {
  readonly capture: string;
  readonly from: string;
  readonly count: number;
  readonly firstFrame: number;
  /** What would open them. */
  readonly missing: string;
}

export interface Clocks {
  readonly captures: readonly string[];
  readonly senders: readonly SenderClock[];
  readonly closed: readonly ClosedSender[];
  readonly problems: readonly (Problem & { readonly input: string })[];
}

export interface ClocksOptions {
  readonly crypto?: Crypto;
  /** As `NAME=KEY`. */
  readonly publicKeys?: readonly string[];
}

interface Opened {
  readonly key: PublicKey;
  readonly from: Set<string>;
  readonly samples: ClockSample[];
}

export async function readClocks(sources: readonly Source[], options: ClocksOptions = {}): Promise<Clocks> {
  const crypto = options.crypto ?? noble;
  const keys = new KeySet(crypto);
  const problems: (Problem & { readonly input: string })[] = [];
  const report = (input: string, problem: Problem): unknown => problems.push({ input, ...problem });
  const inputs = await readInputs(sources, options.publicKeys ?? [], keys, report);
  const captures: string[] = [];
  const senders: SenderClock[] = [];
  const closed: ClosedSender[] = [];
  for (const input of inputs) {
    const senderList = new SenderList(input, keys);
    const read = await readInto(senderList, input, keys, crypto, (problem) => report(input.name, problem));
    if (!read) continue;
    captures.push(input.label);
    for (const sender of senderList.senders()) senders.push(sender);
    for (const one of senderList.closed.values()) closed.push(one);
  }
  return { captures, senders, closed, problems };
}

class SenderList {
  readonly closed = new Map<string, ClosedSender>();
  readonly #capture: string;
  readonly #keys: KeySet;
  readonly #opened = new Map<string, Opened>();

  constructor(input: Input, keys: KeySet) {
    this.#capture = input.label;
    this.#keys = keys;
  }

  add({ at, from }: Seen, { identity, timestamp, mac1, verdict }: InitiationSight): void {
    const { frame, time } = at;
    if (identity !== undefined && timestamp !== undefined) {
      const text = toBase64(identity);
      const one = this.#opened.get(text) ?? { key: identity, from: new Set(), samples: [] };
      one.from.add(from.text);
      one.samples.push({ frame, time, timestamp });
      this.#opened.set(text, one);
      return;
    }
    const missing = whatOpens(mac1, verdict, identity, this.#keys);
    const key = `${from.text} ${missing}`;
    const before = this.closed.get(key);
    this.closed.set(key, {
      capture: this.#capture,
      from: from.text,
      count: (before?.count ?? 0) + 1,
      firstFrame: before?.firstFrame ?? frame,
      missing,
    });
  }

  senders(): SenderClock[] {
    return [...this.#opened.values()].map(({ key, from, samples }) => ({
      capture: this.#capture,
      key,
      name: this.#keys.nameOf(key),
      from: [...from],
      samples,
      clock: clockOf(samples),
    }));
  }
}

const NO_KEYS = /^a public key/;

function whatOpens(
  mac1: InitiationSight['mac1'],
  verdict: InitiationSight['verdict'],
  identity: PublicKey | undefined,
  keys: KeySet,
): string {
  if (mac1.kind === 'none') return 'the private key of its responder: MAC1 was made for none of the keys at hand';
  if (mac1.kind === 'untried') return NO_KEYS.test(mac1.because) ? 'the private key of its responder' : mac1.because;
  if (verdict.kind === 'refused' && verdict.drop.kind === 'unknown-peer') {
    const who = identity === undefined ? 'it' : shortKey(identity);
    return `a [Peer] for ${who} in the configuration of ${name(mac1.key, keys)}, which has none`;
  }
  if (verdict.kind === 'refused') return `nothing: for ${name(mac1.key, keys)} it does not open (${verdict.drop.kind})`;
  if (verdict.kind === 'undecided' && identity === undefined)
    return `the private key of its responder, ${name(mac1.key, keys)}`;
  return verdict.kind === 'undecided' ? verdict.missing.join(' and ') : 'a private key of either end';
}

const name = (known: { readonly key: PublicKey }, keys: KeySet): string => {
  const said = keys.nameOf(known.key);
  const short = shortKey(known.key);
  return said === short ? short : `${short} (${said})`;
};

/** False for what is no capture. */
async function readInto(
  list: SenderList,
  input: Input,
  keys: KeySet,
  crypto: Crypto,
  report: (problem: Problem) => void,
): Promise<boolean> {
  if (input.chunks === undefined) return false;
  const opened = await openCapture(input.chunks);
  if (!opened.ok) {
    report(opened.error);
    return false;
  }
  const decoder = new Decoder();
  const tracker = new CaptureTracker(input.id, new KeyedObserver(crypto, keys), {
    message: (seen, { sight }) => {
      if (sight !== undefined) list.add(seen, sight);
    },
  });
  for await (const batch of opened.value.batches()) {
    for (const item of batch) {
      if (item.kind === 'frame') for (const decoded of decoder.decode(item.frame)) tracker.add(decoded);
      else if (item.kind === 'damage') report({ message: item.damage.message });
      else if (item.secretsType === SECRETS_WIREGUARD) {
        const { keyLog, problems } = parseKeyLog(decodeText(item.data).text);
        keys.addKeyLog(`${input.label} (secrets block)`, keyLog);
        for (const problem of problems) report(problem);
      }
    }
  }
  for (const decoded of decoder.flush()) tracker.add(decoded);
  return true;
}
