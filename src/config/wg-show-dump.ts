/** Reads `wg show all dump` and `wg show INTERFACE dump`; a private key and PSKs stand in them in the clear. */
import { presharedKey, privateKey } from '../base/keys.ts';
import type { Problem } from '../base/problem.ts';
import type { Result } from '../base/result.ts';
import { given } from './given.ts';
import { type Pasted, pastedLines } from './pasted.ts';
import { type Line, type Located, ProblemList } from './text.ts';
import type { Draft } from './wg-settings.ts';
import { readShownKey, readShownPublicKey, type WgStatusInterface, type WgStatusPeer } from './wg-status.ts';
import {
  listParts,
  readEndpoint,
  readFwMark,
  readKeepalive,
  readNumber,
  readPort,
  readPrefix,
  type ValueFault,
} from './wg-values.ts';

interface Word {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

type Device = Draft<WgStatusInterface> & { peers: WgStatusPeer[] };

/** Private key, public key, port, fwmark; AmneziaWG has its own settings before the mark. */
const DEVICE_WORDS = 4;
const PEER_WORDS = 8;
/** In the order in which AmneziaWG prints them after the port; newer ones are not named. */
const AMNEZIA = ['Jc', 'Jmin', 'Jmax', 'S1', 'S2', 'H1', 'H2', 'H3', 'H4'];
/** Headers that are not changed. */
const PLAIN_HEADERS: Readonly<Record<string, string>> = { H1: '1', H2: '2', H3: '3', H4: '4' };

function wordsOf({ number, text }: Line): Word[] {
  // Web pages turn the tabs into spaces; no column holds a space.
  return [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], line: number, column: match.index + 1 }));
}

function looksLikePeer(words: readonly Word[]): boolean {
  return words.length === PEER_WORDS && words.slice(4, 7).every(({ text }) => /^\d{1,20}$/.test(text));
}

function looksLikeDevice(words: readonly Word[]): boolean {
  return words.length >= DEVICE_WORDS && /^\d{1,5}$/.test(words[2]?.text ?? '');
}

/** Used for one text and thrown away. */
class DumpReader {
  readonly problems = new ProblemList();
  readonly devices: Device[] = [];
  readonly #named = new Map<string, Device>();

  line(line: Line): void {
    const words = wordsOf(line);
    if (words.length < DEVICE_WORDS) return;
    for (const named of [false, true]) {
      const rest = named ? words.slice(1) : words;
      const name = named ? words[0] : undefined;
      const peer = looksLikePeer(rest);
      if (!peer && !looksLikeDevice(rest)) continue;
      if (peer) this.#peer(rest, name, line.number);
      else this.#device(rest, name, line.number);
      return;
    }
    this.problems.add({ line: line.number, column: 1 }, 'this line is not one of a dump', 'copy whole lines of it');
  }

  #read<T>(
    setting: string,
    word: Word | undefined,
    read: (text: string) => Result<T, ValueFault>,
  ): Located<T> | undefined {
    if (word === undefined || word.text === '(none)') return undefined;
    const result = read(word.text);
    if (result.ok) return { value: result.value, line: word.line, column: word.column, raw: word.text };
    this.problems.add(word, `${setting} ${result.error.predicate}`, result.error.hint);
    return undefined;
  }

  #device(words: readonly Word[], name: Word | undefined, line: number): void {
    const [secret, key, port] = words;
    const mark = words.at(-1);
    if (secret === undefined || key === undefined || port === undefined || mark === undefined) return;
    const settings = words.slice(3, -1);
    // of newer programs, whose settings stand in another order, only that there are some is taken
    const known = settings.length === AMNEZIA.length;
    const amnezia = AMNEZIA.flatMap((setting, i) => {
      const word = settings[i];
      const off = word === undefined || word.text === '0' || word.text === PLAIN_HEADERS[setting];
      if (off) return [];
      return [{ value: setting, line: word.line, column: word.column, ...(known ? { raw: word.text } : {}) }];
    });
    this.#open(
      given({
        line,
        name: name === undefined ? undefined : located(name),
        privateKey: readShownKey('private key', secret.text, place(secret), privateKey, this.problems),
        publicKey: readShownPublicKey('public key', key.text, place(key), this.problems),
        listenPort: this.#read('listening port', port, (text) => readPort(text, 0)),
        fwMark: this.#read('fwmark', mark, readFwMark),
        amnezia,
        peers: [],
      }),
    );
  }

  #open(device: Device): void {
    this.devices.push(device);
    if (device.name !== undefined) this.#named.set(device.name.value, device);
  }

  #peer(words: readonly Word[], name: Word | undefined, line: number): void {
    const [key, psk, endpoint, allowed, handshake, rx, tx, keepalive] = words;
    if (key === undefined || psk === undefined) return;
    const found = this.#read('endpoint', endpoint, readEndpoint);
    const at = this.#read('latest handshake', handshake, (text) => readNumber(text, 0, Number.MAX_SAFE_INTEGER));
    const count = (setting: string, word: Word | undefined) =>
      this.#read(setting, word, (text) => {
        const bytes = readNumber(text, 0, Number.MAX_SAFE_INTEGER);
        return bytes.ok ? { ok: true, value: { bytes: bytes.value, uncertaintyBytes: 0 } } : bytes;
      });
    const peer: WgStatusPeer = given({
      line,
      publicKey: readShownPublicKey('public key', key.text, place(key), this.problems),
      presharedKey: readShownKey('preshared key', psk.text, place(psk), presharedKey, this.problems),
      endpoint: found === undefined ? undefined : { ...found, value: found.value.endpoint },
      allowedIps: this.#allowed(allowed),
      // 0 stands for never.
      latestHandshake:
        at === undefined || at.value === 0 ? undefined : { ...at, value: { kind: 'at' as const, sec: at.value } },
      rx: count('received', rx),
      tx: count('sent', tx),
      persistentKeepaliveSec: this.#read('persistent keepalive', keepalive, readKeepalive),
    });
    this.#owner(name, line).peers.push(peer);
  }

  #allowed(word: Word | undefined): WgStatusPeer['allowedIps'] {
    if (word === undefined || word.text === '(none)') return [];
    return listParts(word.text, false).flatMap((part) => {
      const at = { text: part.text, line: word.line, column: word.column + part.at };
      return this.#read('allowed ips', at, readPrefix) ?? [];
    });
  }

  /** The line of the interface may have been left out. */
  #owner(name: Word | undefined, line: number): Device {
    const last = name === undefined ? this.devices.at(-1) : this.#named.get(name.text);
    if (last !== undefined) return last;
    const made: Device = { line, amnezia: [], peers: [], ...(name === undefined ? {} : { name: located(name) }) };
    this.#open(made);
    return made;
  }
}

function place(word: Word): { readonly line: number; readonly column: number } {
  return { line: word.line, column: word.column };
}

function located(word: Word): Located<string> {
  return { value: word.text, ...place(word) };
}

/** Never throws. */
export function parseWgShowDump(text: Pasted): {
  readonly interfaces: readonly WgStatusInterface[];
  readonly problems: readonly Problem[];
} {
  const reader = new DumpReader();
  for (const line of pastedLines(text)) reader.line(line);
  return { interfaces: reader.devices, problems: reader.problems.done() };
}
