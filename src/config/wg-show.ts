/** Reads `wg show` as it prints for people. */
import { presharedKey, privateKey } from '../base/keys.ts';
import type { Problem } from '../base/problem.ts';
import type { Result } from '../base/result.ts';
import { type Pasted, pastedLines } from './pasted.ts';
import { parseByteCount, parseLongDuration } from './quantities.ts';
import { type Line, type Located, ProblemList } from './text.ts';
import { AMNEZIA_SETTINGS, isSecretAmnezia } from './wg-names.ts';
import type { Draft } from './wg-settings.ts';
import {
  type LatestHandshake,
  readShownKey,
  readShownPublicKey,
  type WgStatusInterface,
  type WgStatusPeer,
} from './wg-status.ts';
import { listParts, readEndpoint, readFwMark, readPort, readPrefix, type ValueFault } from './wg-values.ts';

interface Slot {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const NONE = /^\(?(none|never|off)\)?$/i;

function latestHandshake(text: string): LatestHandshake | undefined {
  if (/^now$/i.test(text)) return { kind: 'ago', ageMs: 0 };
  if (/wound backward/i.test(text)) return { kind: 'clock-went-back' };
  const ageMs = parseLongDuration(text.replace(/ ago$/, ''));
  return ageMs === undefined ? undefined : { kind: 'ago', ageMs };
}

/** Used for one text and thrown away. */
class ShowReader {
  readonly problems = new ProblemList();
  readonly interfaces: (Draft<WgStatusInterface> & { peers: Draft<WgStatusPeer>[] })[] = [];
  #peer: Draft<WgStatusPeer> | undefined;

  line({ number, text }: Line): void {
    const match = /^\s*([a-z][a-z0-9 ]{0,24}): (.*\S)\s*$/.exec(text);
    if (match === null) return;
    const [, name = '', value = ''] = match;
    const slot = { text: value, line: number, column: text.indexOf(value, match[0].indexOf(':') + 1) + 1 };
    if (name === 'interface') {
      this.interfaces.push({
        line: number,
        name: { value, line: slot.line, column: slot.column },
        amnezia: [],
        peers: [],
      });
      this.#peer = undefined;
    } else if (name === 'peer') this.#openPeer(slot);
    else if (this.#peer !== undefined) this.#peerSetting(this.#peer, name, slot);
    else {
      const device = this.interfaces.at(-1);
      if (device !== undefined) this.#deviceSetting(device, name, slot);
    }
  }

  #openPeer(slot: Slot): void {
    // The head of a long listing may have been left out.
    if (this.interfaces.length === 0) this.interfaces.push({ line: slot.line, amnezia: [], peers: [] });
    this.#peer = { line: slot.line, allowedIps: [] };
    const key = readShownPublicKey('peer', slot.text, slot, this.problems);
    if (key !== undefined) this.#peer.publicKey = key;
    this.interfaces.at(-1)?.peers.push(this.#peer);
  }

  #read<T>(name: string, slot: Slot, result: Result<T, ValueFault>): Located<T> | undefined {
    if (result.ok) return { value: result.value, line: slot.line, column: slot.column, raw: slot.text };
    this.problems.add(slot, `${name} ${result.error.predicate}`, result.error.hint);
    return undefined;
  }

  #deviceSetting(device: Draft<WgStatusInterface>, name: string, slot: Slot): void {
    switch (name) {
      case 'public key': {
        const key = readShownPublicKey(name, slot.text, slot, this.problems);
        if (key !== undefined) device.publicKey = key;
        return;
      }
      case 'private key': {
        const key = readShownKey(name, slot.text, place(slot), privateKey, this.problems);
        if (key !== undefined) device.privateKey = key;
        return;
      }
      case 'listening port': {
        const port = this.#read(name, slot, readPort(slot.text, 0));
        if (port !== undefined) device.listenPort = port;
        return;
      }
      case 'fwmark': {
        const mark = this.#read(name, slot, readFwMark(slot.text));
        if (mark !== undefined) device.fwMark = mark;
        return;
      }
      default: {
        const amnezia = AMNEZIA_SETTINGS.get(name);
        if (amnezia === undefined) return;
        const raw = isSecretAmnezia(amnezia) ? {} : { raw: slot.text };
        device.amnezia.push({ value: amnezia, ...place(slot), ...raw });
      }
    }
  }

  #peerSetting(peer: Draft<WgStatusPeer>, name: string, slot: Slot): void {
    switch (name) {
      case 'preshared key': {
        const key = readShownKey(name, slot.text, place(slot), presharedKey, this.problems);
        if (key !== undefined) peer.presharedKey = key;
        return;
      }
      case 'endpoint': {
        if (NONE.test(slot.text)) return;
        const found = readEndpoint(slot.text);
        const read = this.#read(name, slot, found);
        if (read !== undefined) peer.endpoint = { ...read, value: read.value.endpoint };
        return;
      }
      case 'allowed ips':
        if (NONE.test(slot.text)) return;
        for (const part of listParts(slot.text, true)) {
          const at = { text: part.text, line: slot.line, column: slot.column + part.at };
          const prefix = this.#read(name, at, readPrefix(part.text));
          if (prefix !== undefined) peer.allowedIps.push(prefix);
        }
        return;
      case 'latest handshake': {
        if (NONE.test(slot.text)) return;
        const value = latestHandshake(slot.text);
        if (value !== undefined) peer.latestHandshake = { value, ...place(slot), raw: slot.text };
        else this.problems.add(slot, 'latest handshake is not a time', 'is the line as `wg show` printed it');
        return;
      }
      case 'transfer':
        this.#transfer(peer, slot);
        return;
      case 'persistent keepalive': {
        const ms = NONE.test(slot.text) ? 0 : parseLongDuration(slot.text.replace(/^every /, ''));
        if (ms !== undefined) peer.persistentKeepaliveSec = { value: ms / 1000, ...place(slot), raw: slot.text };
        else this.problems.add(slot, 'persistent keepalive is not a time');
      }
    }
  }

  #transfer(peer: Draft<WgStatusPeer>, slot: Slot): void {
    const match = /^(.+) received, (.+) sent$/.exec(slot.text);
    const [, received = '', sent = ''] = match ?? [];
    const rx = parseByteCount(received);
    const tx = parseByteCount(sent);
    if (rx === undefined || tx === undefined) {
      this.problems.add(slot, 'transfer cannot be read', 'it looks like 1.46 KiB received, 444 B sent');
      return;
    }
    peer.rx = { value: rx, ...place(slot), raw: received };
    const column = slot.column + slot.text.indexOf(sent, received.length);
    peer.tx = { value: tx, line: slot.line, column, raw: sent };
  }
}

function place(slot: Slot): { readonly line: number; readonly column: number } {
  return { line: slot.line, column: slot.column };
}

/** Never throws. Lines that are no part of it are passed over, and indentation does not matter. */
export function parseWgShow(text: Pasted): {
  readonly interfaces: readonly WgStatusInterface[];
  readonly problems: readonly Problem[];
} {
  const reader = new ShowReader();
  for (const line of pastedLines(text)) reader.line(line);
  return { interfaces: reader.interfaces, problems: reader.problems.done() };
}
