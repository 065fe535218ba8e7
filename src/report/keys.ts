/** What keys are known and where they stand, what each of them opens in the captures, and what is missing for the rest. */
import { KeySet } from '../analyze/key-set.ts';
import type { TransportKeys } from '../analyze/observe.ts';
import { KeyedObserver } from '../analyze/observer.ts';
import type { TrackerHooks } from '../analyze/tracker-hooks.ts';
import { toBase64 } from '../base/base64.ts';
import type { Problem } from '../base/problem.ts';
import { openCapture } from '../capture/open.ts';
import { formatKeyLog } from '../config/key-log.ts';
import { formatTrafficKey } from '../config/traffic-keys.ts';
import { noble } from '../crypto/noble.ts';
import type { Crypto } from '../crypto/port.ts';
import { CaptureRun, runCapture } from './capture-run.ts';
import type { InputProblem } from './conclude.ts';
import { HandshakeSecrets } from './handshake-secrets.ts';
import { type Input, readInputs, type Source } from './inputs.ts';
import { KeyUse } from './key-use.ts';
import type { KeysReport } from './keys-model.ts';
import { captureKeys, missingOf } from './keys-of-capture.ts';
import { scrubber } from './scrub.ts';

export interface KeysOptions {
  readonly crypto?: Crypto;
  /** Public keys given by hand, as `NAME=KEY`. */
  readonly publicKeys?: readonly string[];
  readonly tool?: string;
  /** Puts the secrets into the report. */
  readonly showSecrets?: boolean;
  /** Also gives the lines for files of keys. */
  readonly files?: boolean;
}

export interface KnownKeys {
  readonly report: KeysReport;
  /** Secrets: for a file of mode 0600, on request only. Empty unless `files` was asked for. */
  readonly files: {
    readonly keyLog: string;
    /** `0xINDEX KEY`, as extract-keys prints them. */
    readonly trafficKeys: string;
  };
}

/** Reads keys first, then each capture once. A source that cannot be used becomes a problem of the report. */
export async function knownKeys(sources: readonly Source[], options: KeysOptions = {}): Promise<KnownKeys> {
  const crypto = options.crypto ?? noble;
  const keys = new KeySet(crypto);
  const problems: InputProblem[] = [];
  const report = (input: string, problem: Problem): void => {
    problems.push({ input, ...problem });
  };
  const inputs = await readInputs(sources, options.publicKeys ?? [], keys, report);
  const use = new KeyUse(keys);
  const files = options.files === true ? new Lines(keys) : undefined;
  const captures: KeysReport['captures'][number][] = [];
  const read: Input[] = [];
  for (const input of inputs) {
    if (input.chunks === undefined) {
      read.push(input);
      continue;
    }
    const opened = await openCapture(input.chunks);
    if (!opened.ok) {
      report(input.name, opened.error);
      continue;
    }
    read.push(input);
    const run = new CaptureRun({
      id: input.id,
      name: input.label,
      format: opened.value.format,
      keys,
      observer: new Telling(crypto, keys, files),
      problem: (problem) => report(input.name, problem),
      hooks: hooksOf(use, files),
    });
    const timeline = await runCapture(opened.value, run);
    captures.push(captureKeys(timeline));
    for (const { message, offset, framesBefore } of timeline.damage) {
      report(input.name, { message: `${message}, after ${framesBefore} frames`, offset });
    }
  }
  const clean = scrubber(keys);
  const plain = clean({
    schema: 'wgwhy/keys/1',
    tool: options.tool ?? 'wgwhy',
    inputs: read.map(({ id, name, kind }) => ({ id, name, kind })),
    keys: use.entries(),
    captures,
    missing: missingOf(captures),
    problems,
  } satisfies KeysReport);
  const shown = options.showSecrets === true ? { ...plain, keys: use.withSecrets(plain.keys) } : plain;
  const none = { keyLog: '', trafficKeys: '' };
  return { report: shown, files: files === undefined ? none : files.done(captures.length > 0, use) };
}

function hooksOf(use: KeyUse, files: Lines | undefined): TrackerHooks {
  return {
    message(seen, { sight, response, exchange, opened }) {
      if (sight !== undefined) {
        use.initiation(seen, sight);
        files?.add(files.secrets.initiation(seen, sight));
      } else if (response !== undefined && exchange !== undefined) {
        use.response(seen, exchange, response);
        files?.add(files.secrets.response(seen, exchange, response));
      } else if (opened?.plaintext !== undefined) use.data(exchange, opened);
    },
  };
}

/** Tells the keys of each session that opens. */
class Telling extends KeyedObserver {
  readonly #lines: Lines | undefined;

  constructor(crypto: Crypto, keys: KeySet, lines: Lines | undefined) {
    super(crypto, keys);
    this.#lines = lines;
  }

  override session(keys: TransportKeys, initiatorIndex: number, responderIndex: number): void {
    this.#lines?.session(keys, initiatorIndex, responderIndex);
    super.session(keys, initiatorIndex, responderIndex);
  }
}

/** The lines of both files while captures are read. */
class Lines {
  readonly secrets: HandshakeSecrets;
  readonly #keys: KeySet;
  #keyLog = '';
  /** Each once, also where several captures show the session. */
  readonly #traffic = new Set<string>();

  constructor(keys: KeySet) {
    this.#keys = keys;
    this.secrets = new HandshakeSecrets(keys);
  }

  add(lines: string): void {
    this.#keyLog += lines;
  }

  session(keys: TransportKeys, initiatorIndex: number, responderIndex: number): void {
    // an index is that of the receiver
    this.#traffic.add(formatTrafficKey(responderIndex, keys.initiatorToResponder));
    this.#traffic.add(formatTrafficKey(initiatorIndex, keys.responderToInitiator));
  }

  /** Without a capture there is nothing to choose by: all that is known. */
  done(chosen: boolean, use: KeyUse): KnownKeys['files'] {
    for (const [index, list] of this.#keys.trafficKeys) {
      for (const { key, where } of list) {
        if (!chosen || use.opened(where)) this.#traffic.add(formatTrafficKey(index, key));
      }
    }
    return { keyLog: chosen ? this.#keyLog : everything(this.#keys), trafficKeys: [...this.#traffic].join('') };
  }
}

function everything(keys: KeySet): string {
  const publics = [...keys.publics.values()];
  return formatKeyLog({
    remotes: publics.flatMap(({ key, private: secret }) => (secret === undefined ? [key] : [])),
    statics: publics.flatMap(({ private: secret }) => (secret === undefined ? [] : [secret])),
    ephemerals: [...keys.ephemerals.values()].flatMap(({ private: key, psks }) =>
      psks.length === 0 ? [{ key }] : unique(psks).map((psk) => ({ key, psk })),
    ),
  });
}

function unique<P extends { readonly psk: Uint8Array }>(psks: readonly P[]): P['psk'][] {
  return [...new Map(psks.map(({ psk }) => [toBase64(psk), psk])).values()];
}
