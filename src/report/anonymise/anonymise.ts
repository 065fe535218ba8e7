/** The same story without the secrets: captures and configurations written anew, and which findings are lost by it. */
import { AddressMap } from '../../analyze/anonymise/addresses.ts';
import { DataMap } from '../../analyze/anonymise/data.ts';
import { FrameVeil } from '../../analyze/anonymise/frames.ts';
import { Handshakes } from '../../analyze/anonymise/handshakes.ts';
import { KeyMap } from '../../analyze/anonymise/keys.ts';
import { Learned } from '../../analyze/anonymise/learn.ts';
import {
  type TextVeils,
  type VeiledText,
  veiledConf,
  veiledKeyLog,
  veiledTrafficKeys,
} from '../../analyze/anonymise/texts.ts';
import { Veil } from '../../analyze/anonymise/veil.ts';
import { KeySet } from '../../analyze/key-set.ts';
import { type Bytes, concatAll, utf8 } from '../../base/bytes.ts';
import { type PrivateKey, publicKey } from '../../base/keys.ts';
import type { Problem } from '../../base/problem.ts';
import type { CaptureFormat } from '../../capture/frame.ts';
import { openCapture } from '../../capture/open.ts';
import { SECRETS_WIREGUARD } from '../../capture/pcapng-blocks.ts';
import { formatKeyLog, parseKeyLog } from '../../config/key-log.ts';
import { parsePublicKeyArgument } from '../../config/public-key-argument.ts';
import { decodeText } from '../../config/text.ts';
import { noble } from '../../crypto/noble.ts';
import { Decoder } from '../../packet/decode.ts';
import { type DiagnoseOptions, diagnose } from '../diagnose.ts';
import { type Input, inputId, readInputs, type Source } from '../inputs.ts';
import type { InputKind } from '../model.ts';
import { type Compared, compareReports } from './compare.ts';
import { captureWriter } from './write.ts';

/** Where the files go, and where they are read again. */
export interface Target {
  write(name: string, chunks: AsyncIterable<Bytes>): Promise<void>;
  source(name: string): Source;
}

export interface AnonymiseOptions extends Pick<DiagnoseOptions, 'crypto' | 'at' | 'publicKeys' | 'tool'> {
  /** With the same one the same files come out; whoever knows it can try addresses out. */
  readonly seed: Bytes;
  /** Whole seconds that all times are moved by. */
  readonly shiftSec?: number;
}

export interface AnonymisedFile {
  readonly from: string;
  readonly name: string;
  readonly kind: InputKind;
  /** Of a capture: frames in all, and those of which only number and time are left. */
  readonly frames?: number;
  readonly emptied?: number;
  /** Of a text: lines that were left out. */
  readonly leftOut?: readonly number[];
}

export interface Anonymised extends Compared {
  readonly files: readonly AnonymisedFile[];
  /** Inputs of a kind that is not written anew. */
  readonly withheld: readonly { readonly name: string; readonly kind: InputKind }[];
  readonly problems: readonly (Problem & { readonly input: string })[];
  /** Initiations: made anew from what they held; of random bytes, since no key opened them. */
  readonly remade: number;
  readonly closed: number;
  /** Data messages sealed anew. */
  readonly resealed: number;
}

const TEXTS: Readonly<
  Partial<Record<InputKind, { ending: string; veil: (text: string, veils: TextVeils) => VeiledText }>>
> = {
  'wg-conf': { ending: 'conf', veil: veiledConf },
  'key-log': { ending: 'keys', veil: veiledKeyLog },
  'traffic-keys': { ending: 'traffic-keys', veil: veiledTrafficKeys },
};

/** Each source is opened several times: they must be files. What they throw passes through. */
export async function anonymise(
  sources: readonly Source[],
  target: Target,
  options: AnonymiseOptions,
): Promise<Anonymised> {
  const run = new Run(target, options);
  await run.read(sources);
  return run.write();
}

class Run {
  readonly #target: Target;
  readonly #options: AnonymiseOptions;
  readonly #keys: KeySet;
  readonly #learned = new Learned();
  readonly #problems: (Problem & { readonly input: string })[] = [];
  readonly #inputs: { readonly source: Source; readonly input: Input; readonly format: CaptureFormat | undefined }[] =
    [];

  constructor(target: Target, options: AnonymiseOptions) {
    this.#target = target;
    this.#options = options;
    this.#keys = new KeySet(options.crypto ?? noble);
  }

  async read(sources: readonly Source[]): Promise<void> {
    const { publicKeys = [] } = this.#options;
    const inputs = await readInputs(sources, publicKeys, this.#keys, (input, problem) =>
      this.#problems.push({ input, ...problem }),
    );
    for (const input of inputs) {
      const source = sources.find(({ name }) => name === input.name);
      if (source === undefined || input.kind === 'public-key') continue;
      if (input.kind === 'capture') await this.#learn(source, input);
      else this.#inputs.push({ source, input, format: undefined });
    }
  }

  async #learn(source: Source, input: Input): Promise<void> {
    const opened = await openCapture(input.chunks ?? source.open());
    if (!opened.ok) {
      this.#problems.push({ input: source.name, ...opened.error });
      return;
    }
    const decoder = new Decoder();
    for await (const batch of opened.value.batches()) {
      for (const item of batch) {
        if (item.kind === 'frame') for (const decoded of decoder.decode(item.frame)) this.#learned.add(decoded);
        else if (item.kind === 'damage') this.#problems.push({ input: source.name, message: item.damage.message });
        else if (item.secretsType === SECRETS_WIREGUARD) {
          this.#keys.addKeyLog(source.name, parseKeyLog(decodeText(item.data).text).keyLog);
        }
      }
    }
    for (const decoded of decoder.flush()) this.#learned.add(decoded);
    this.#inputs.push({ source, input, format: opened.value.format });
  }

  async write(): Promise<Anonymised> {
    const crypto = this.#options.crypto ?? noble;
    const shiftSec = this.#options.shiftSec ?? 0;
    const keys = this.#keys;
    const veil = new Veil(crypto, this.#options.seed);
    const map = new KeyMap(crypto, veil, privatesOf(keys));
    const addresses = new AddressMap(veil, this.#learned.met(keys));
    const messages = this.#learned.messages.values();
    const handshakes = new Handshakes({ crypto, keys, map, veil, shiftSec }, messages);
    const data = new DataMap(crypto, addresses, veil);
    for (const session of handshakes.sessions) data.addSession(session);
    for (const [index, list] of keys.trafficKeys) for (const { key } of list) data.add(index, key, map.traffic(key));
    const texts = { crypto, veil, keys: map, addresses };
    const veils = { veil, addresses, handshakes, data, flows: this.#learned.flows };

    const files: AnonymisedFile[] = [];
    const withheld: { name: string; kind: InputKind }[] = [];
    for (const { source, input, format } of this.#inputs) {
      const id = inputId(files.length);
      const text = TEXTS[input.kind];
      if (format !== undefined)
        files.push(await this.#capture(id, source, format, new FrameVeil(veils, shiftSec), texts));
      else if (text === undefined) withheld.push({ name: source.name, kind: input.kind });
      else {
        const veiled = text.veil(decodeText(await wholeOf(source)).text, texts);
        const name = `${id}.${text.ending}`;
        await this.#target.write(name, once(utf8(veiled.text)));
        files.push({ from: source.name, name, kind: input.kind, leftOut: veiled.leftOut });
      }
    }
    const given = await this.#publicKeys(map, files);
    const compared = await this.#compare(files, given);
    const { remade, closed } = handshakes;
    return {
      files: [...files, ...given],
      withheld,
      problems: this.#problems,
      remade,
      closed,
      resealed: data.resealed,
      ...compared,
    };
  }

  async #capture(
    id: string,
    source: Source,
    format: CaptureFormat,
    veil: FrameVeil,
    texts: TextVeils,
  ): Promise<AnonymisedFile> {
    const writer = captureWriter(format);
    const name = `${id}.${writer.extension}`;
    let frames = 0;
    async function* written(): AsyncGenerator<Bytes> {
      const opened = await openCapture(source.open());
      if (!opened.ok) throw new TypeError(`${source.name} was a capture and is none now`);
      for await (const batch of opened.value.batches()) {
        for (const item of batch) {
          if (item.kind === 'frame') {
            frames++;
            for (const done of veil.take(item.frame)) yield* writer.frame(done);
          } else if (item.kind === 'secrets' && item.secretsType === SECRETS_WIREGUARD) {
            const log = veiledKeyLog(decodeText(item.data).text, texts);
            yield* writer.secrets(item.secretsType, utf8(log.text));
          }
        }
      }
      for (const done of veil.flush()) yield* writer.frame(done);
      yield* writer.end();
    }
    await this.#target.write(name, written());
    return { from: source.name, name, kind: 'capture', frames, emptied: veil.emptied };
  }

  /** Those that were given by hand, as a key log: names of keys may tell whose they are. */
  async #publicKeys(map: KeyMap, files: readonly AnonymisedFile[]): Promise<AnonymisedFile[]> {
    const given = (this.#options.publicKeys ?? []).flatMap((argument) => {
      const parsed = parsePublicKeyArgument(argument);
      return parsed.ok ? [map.pair(publicKey(parsed.value.key)).publicKey] : [];
    });
    if (given.length === 0) return [];
    const name = `${inputId(files.length)}.keys`;
    await this.#target.write(name, once(utf8(formatKeyLog({ remotes: given }))));
    return [{ from: '--public-key', name, kind: 'public-key' }];
  }

  async #compare(files: readonly AnonymisedFile[], given: readonly AnonymisedFile[]): Promise<Compared> {
    const { seed: _, shiftSec: __, at, ...rest } = this.#options;
    const names = new Map(files.map(({ from, name }) => [from, name]));
    const before = await diagnose(
      this.#inputs.map(({ source }) => source),
      { ...rest, ...(at === undefined ? {} : { at }) },
    );
    const { publicKeys: ___, ...without } = rest;
    const moved = at instanceof Map ? new Map([...at].map(([name, where]) => [names.get(name) ?? name, where])) : at;
    const after = await diagnose(
      [...files, ...given].map(({ name }) => this.#target.source(name)),
      { ...without, ...(moved === undefined ? {} : { at: moved }) },
    );
    return compareReports(before.report, after.report, names);
  }
}

function* privatesOf(keys: KeySet): Generator<PrivateKey> {
  for (const known of keys.publics.values()) if (known.private !== undefined) yield known.private;
  for (const known of keys.ephemerals.values()) yield known.private;
}

async function wholeOf(source: Source): Promise<Bytes> {
  const parts: Bytes[] = [];
  for await (const chunk of source.open()) parts.push(chunk);
  return concatAll(parts);
}

async function* once(bytes: Bytes): AsyncGenerator<Bytes> {
  yield bytes;
}
