/** Reads the settings of one wg file into its draft: one method per kind of value, all faults into one list. */
import { type Prefix, parseIp } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import { presharedKey, privateKey, publicKey } from '../base/keys.ts';
import type { Result } from '../base/result.ts';
import { PLAIN_SETTINGS, withAmneziaSetting } from './amnezia.ts';
import { readKeyText } from './key-text.ts';
import { isSpace, type Located, ProblemList, withoutSpace } from './text.ts';
import type { ConfFault, WgInterface, WgPeer } from './wg-conf.ts';
import type { InterfaceName, PeerName } from './wg-names.ts';
import {
  listParts,
  quote,
  readEndpoint,
  readFwMark,
  readKeepalive,
  readNumber,
  readPort,
  readPrefix,
  type ValueFault,
} from './wg-values.ts';

export type Draft<T> = { -readonly [P in keyof T]: T[P] extends readonly (infer E)[] ? E[] : T[P] };
type KeySetting = 'PrivateKey' | 'PublicKey' | 'PresharedKey';

/** A value in its line. */
export interface Slot {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export const HOOKS = { PreUp: 'preUp', PostUp: 'postUp', PreDown: 'preDown', PostDown: 'postDown' } as const;

/** Draws the values and faults of one file together; used for one file and thrown away. */
export class SettingReader {
  readonly problems = new ProblemList();
  readonly interface: Draft<WgInterface> = {
    addresses: [],
    dns: [],
    dnsSearch: [],
    preUp: [],
    postUp: [],
    preDown: [],
    postDown: [],
  };
  readonly peers: Draft<WgPeer>[] = [];
  readonly faults: ConfFault[] = [];
  /** Line on which a single-valued setting of the current section stands. */
  #seen = new Map<string, number>();
  readonly #seenInterface = new Map<string, number>();

  /** wg reads several `[Interface]` sections as one. */
  openInterface(): void {
    this.#seen = this.#seenInterface;
  }

  openPeer(line: number): void {
    this.peers.push({ line, allowedIps: [] });
    this.#seen = new Map();
  }

  /** wg takes the last of several. */
  #once(name: string, slot: Slot): void {
    const first = this.#seen.get(name);
    if (first !== undefined)
      this.problems.remark(slot, `${name} stands here a second time, first on line ${first}`, 'wg takes the last one');
    else this.#seen.set(name, slot.line);
  }

  #refuse(name: string, slot: Slot, fault: ValueFault, at = 0): void {
    this.problems.add({ line: slot.line, column: slot.column + at }, `${name} ${fault.predicate}`, fault.hint);
  }

  #read<T>(name: string, slot: Slot, read: (text: string) => Result<T, ValueFault>): Located<T> | undefined {
    this.#once(name, slot);
    const result = read(withoutSpace(slot.text));
    if (result.ok) return { value: result.value, line: slot.line, column: slot.column, raw: slot.text };
    this.#refuse(name, slot, result.error);
    return undefined;
  }

  #key<K extends Bytes>(
    name: KeySetting,
    slot: Slot,
    brand: (bytes: Bytes) => K,
    peer?: number,
  ): Located<K> | undefined {
    const text = withoutSpace(slot.text);
    const key = readKeyText(text);
    if (!key.ok) {
      const { kind, predicate, hint, at } = key.error;
      const column = slot.column + placeIn(slot.text, at);
      this.problems.add({ line: slot.line, column }, `${name} ${predicate}`, hint);
      this.faults.push({
        kind: 'key-malformed',
        line: slot.line,
        column,
        setting: name,
        fault: kind,
        ...(peer === undefined ? {} : { peer }),
      });
      return undefined;
    }
    if (text.length !== slot.text.length) {
      const column = slot.column + slot.text.search(/[\t-\r ]/);
      this.problems.remark(
        { line: slot.line, column },
        `${name} has white space inside`,
        'wg on Linux ignores it, other programs refuse the file',
      );
    }
    return { value: brand(key.value), line: slot.line, column: slot.column };
  }

  /** `place` is where the line begins. */
  amneziaSetting(name: string, place: { readonly line: number; readonly column: number }, slot: Slot): void {
    this.faults.push({ kind: 'amnezia-setting', line: place.line, column: place.column, setting: name });
    const settings = withAmneziaSetting(this.interface.amnezia ?? PLAIN_SETTINGS, name, slot.text);
    if (settings === undefined) {
      const form = name.startsWith('H') ? 'a number, or a range such as 5-9' : 'a number of bytes';
      this.problems.add(slot, `${name} has a value that AmneziaWG does not take`, `write ${form}`);
      return;
    }
    // said once: a file has a dozen of them
    if (this.interface.amnezia === undefined)
      this.problems.remark(
        place,
        `${name} is a setting of AmneziaWG`,
        'a plain WireGuard at the other end does not understand it',
      );
    this.interface.amnezia = settings;
  }

  #prefixes(name: 'Address' | 'AllowedIPs', slot: Slot, into: Located<Prefix>[]): void {
    if (slot.text === '') {
      this.#refuse(name, slot, {
        predicate: 'has no value',
        hint:
          name === 'Address'
            ? 'write an address such as 10.0.0.2/24'
            : 'take the line out, or write a prefix such as 10.0.0.2/32',
      });
      return;
    }
    for (const part of listParts(slot.text, name === 'Address')) {
      const prefix = readPrefix(withoutSpace(part.text));
      const column = slot.column + part.at;
      if (prefix.ok) into.push({ value: prefix.value, line: slot.line, column, raw: part.text });
      else if (/[\t-\r ]/.test(part.text))
        this.#refuse(
          name,
          slot,
          { predicate: 'has entries without a comma between them', hint: 'separate them with commas' },
          part.at,
        );
      else this.#refuse(name, slot, prefix.error, part.at);
    }
  }

  interfaceSetting(name: InterfaceName, slot: Slot): void {
    const to = this.interface;
    const at = { line: slot.line, column: slot.column };
    switch (name) {
      case 'PrivateKey': {
        this.#once(name, slot);
        const key = this.#key(name, slot, privateKey);
        if (key !== undefined) to.privateKey = key;
        return;
      }
      case 'ListenPort': {
        const port = this.#read(name, slot, (text) => readPort(text, 0));
        if (port !== undefined) to.listenPort = port;
        return;
      }
      case 'FwMark': {
        const mark = this.#read(name, slot, readFwMark);
        if (mark !== undefined) to.fwMark = mark;
        return;
      }
      case 'MTU': {
        const mtu = this.#read(name, slot, (text) =>
          readNumber(text, 68, 65535, 'write a number of bytes, such as 1420'),
        );
        if (mtu !== undefined) to.mtu = mtu;
        return;
      }
      case 'Address':
        this.#prefixes(name, slot, to.addresses);
        return;
      case 'DNS':
        for (const part of listParts(slot.text, true)) {
          const ip = parseIp(part.text);
          const place = { line: slot.line, column: slot.column + part.at };
          if (ip !== undefined) to.dns.push({ value: ip, ...place, raw: part.text });
          else if (/^[0-9.]+$|:/.test(part.text))
            this.problems.add(
              place,
              `DNS has something that is not an address${quote(part.text)}`,
              'write an address, or a name as search domain',
            );
          else to.dnsSearch.push({ value: part.text, ...place, raw: part.text });
        }
        return;
      case 'Table':
        this.#once(name, slot);
        if (slot.text === '')
          this.#refuse(name, slot, { predicate: 'has no value', hint: "write 'auto', 'off' or a table" });
        else to.table = { value: slot.text, ...at, raw: slot.text };
        return;
      case 'SaveConfig': {
        this.#once(name, slot);
        const text = slot.text.toLowerCase();
        if (text === 'true' || text === 'false') to.saveConfig = { value: text === 'true', ...at, raw: slot.text };
        else this.#refuse(name, slot, { predicate: 'is neither true nor false' });
        return;
      }
      default:
        to[HOOKS[name]].push({ value: slot.text, ...at });
    }
  }

  peerSetting(name: PeerName, slot: Slot): void {
    const index = this.peers.length - 1;
    const to = this.peers[index];
    if (to === undefined) return;
    switch (name) {
      case 'PublicKey':
        this.#publicKey(to, index, slot);
        return;
      case 'PresharedKey': {
        this.#once(name, slot);
        const key = this.#key(name, slot, presharedKey, index);
        if (key !== undefined) to.presharedKey = key;
        return;
      }
      case 'AllowedIPs':
        this.#prefixes(name, slot, to.allowedIps);
        return;
      case 'Endpoint': {
        this.#once(name, slot);
        const read = readEndpoint(slot.text);
        if (!read.ok) this.#refuse(name, slot, read.error);
        else {
          to.endpoint = { value: read.value.endpoint, line: slot.line, column: slot.column, raw: slot.text };
          const odd = read.value.remark;
          if (odd !== undefined)
            this.problems.remark(slot, `${name} ${odd.predicate}`, odd.hint ?? 'it is taken as it stands');
        }
        return;
      }
      case 'PersistentKeepalive': {
        const seconds = this.#read(name, slot, readKeepalive);
        if (seconds !== undefined) to.persistentKeepalive = seconds;
      }
    }
  }

  #publicKey(to: Draft<WgPeer>, peer: number, slot: Slot): void {
    const firstLine = this.#seen.get('PublicKey');
    const first = to.publicKey?.value;
    const key = this.#key('PublicKey', slot, publicKey, peer);
    if (key !== undefined) to.publicKey = key;
    if (firstLine === undefined) {
      this.#seen.set('PublicKey', slot.line);
      return;
    }
    const second = key?.value;
    const keys = { ...(first === undefined ? {} : { first }), ...(second === undefined ? {} : { second }) };
    this.faults.push({ kind: 'second-public-key', line: slot.line, column: slot.column, firstLine, peer, ...keys });
    this.problems.add(
      slot,
      `this [Peer] has a second PublicKey, the first is on line ${firstLine}`,
      'a [Peer] line is missing above it; wg would silently drop the first peer',
    );
  }
}

/** The place in `text` of the character that is number `index` when white space is left out. */
function placeIn(text: string, index: number): number {
  let left = index;
  for (let i = 0; i < text.length; i++) {
    if (isSpace(text.charCodeAt(i))) continue;
    if (left-- === 0) return i;
  }
  return text.length;
}
