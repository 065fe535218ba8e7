/** Inner packets as pcapng: one interface for each direction of each pair of peers, and a comment that names the outer frame. */
import type { KeySet, KnownKey } from '../analyze/key-set.ts';
import { indexText } from '../analyze/merge.ts';
import type { Placed } from '../analyze/sessions.ts';
import type { Exchange, Seen } from '../analyze/timeline.ts';
import type { Endpoint } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import type { Bytes } from '../base/bytes.ts';
import { type PublicKey, shortKey } from '../base/keys.ts';
import { pcapngBlock } from '../capture/write-pcapng.ts';
import { scrubber } from './scrub.ts';

export interface InnerPacket {
  readonly seen: Seen;
  /** Undefined for a copy of a datagram, which is in no session of its own. */
  readonly placed: Placed | undefined;
  /** Without its padding. */
  readonly bytes: Bytes;
  /** What is to be said of it besides where it stood. */
  readonly note?: string | undefined;
}

/** As findings call a capture, and whether it must be told from others. */
export interface CaptureName {
  readonly label: string;
  readonly several: boolean;
}

/**
 * IP packets with nothing before them. Differs: LINKTYPE_RAW is 101, but libpcap 1.10.3 holds that number against its own
 * DLT_RAW, 12, and so refuses every interface but the first (sf-pcapng.c). 12 in the file is read by it and by Wireshark.
 */
const RAW = 12;

/** Peers beyond this number share one interface: our own reader keeps no more in a section. */
const INTERFACES_LIMIT = 60_000;

interface End {
  readonly key: PublicKey | undefined;
  readonly at: Endpoint;
}

export class InnerWriter {
  readonly #keys: KeySet;
  readonly #emit: (bytes: Bytes) => void;
  readonly #interfaces = new Map<string, number>();
  /** By exchange and direction: looked up once. */
  readonly #known = new WeakMap<Exchange, { initiator?: number; responder?: number }>();
  readonly #application: string;
  packets = 0;

  constructor(keys: KeySet, application: string, emit: (bytes: Bytes) => void) {
    this.#keys = keys;
    this.#application = application;
    this.#emit = emit;
  }

  get interfaces(): number {
    return this.#interfaces.size;
  }

  packet(packet: InnerPacket, capture: CaptureName): void {
    const { seen, bytes } = packet;
    const interfaceId = this.#interfaceOf(packet, capture);
    const { direction } = seen;
    this.packets++;
    this.#emit(
      pcapngBlock({
        kind: 'packet',
        time: seen.at.time,
        bytes,
        interfaceId,
        comment: comment(packet, capture),
        ...(direction === undefined ? {} : { direction }),
      }),
    );
  }

  /** A file without an interface is one that libpcap does not open. */
  end(): void {
    if (this.#interfaces.size === 0) this.#declare('', 'no packet', 'no packet could be opened');
  }

  #interfaceOf({ seen, placed }: InnerPacket, capture: CaptureName): number {
    const exchange = placed?.session.exchange;
    const by = placed?.by ?? 'unknown';
    if (exchange === undefined || by === 'unknown') {
      return this.#directed({ key: undefined, at: seen.from }, { key: undefined, at: seen.to }, seen, capture);
    }
    const known = this.#known.get(exchange) ?? {};
    let id = known[by];
    if (id === undefined) {
      const { sight } = exchange;
      const initiator = { key: sight?.identity, at: exchange.initiator };
      const responder = {
        key: sight?.mac1.kind === 'known' ? sight.mac1.key.key : undefined,
        at: exchange.responder,
      };
      id =
        by === 'initiator'
          ? this.#directed(initiator, responder, seen, capture)
          : this.#directed(responder, initiator, seen, capture);
      known[by] = id;
      this.#known.set(exchange, known);
    }
    return id;
  }

  /** Peers are told apart by their keys where these are known, since their addresses may change. */
  #directed(from: End, to: End, { at }: Seen, capture: CaptureName): number {
    const known = from.key !== undefined && to.key !== undefined;
    const ends = known
      ? [from, to].map(({ key }) => (key === undefined ? '' : toBase64(key)))
      : [from.at.text, to.at.text];
    const id = `${at.capture} ${ends.join(' > ')}`;
    const before = this.#interfaces.get(id);
    if (before !== undefined) return before;
    if (this.#interfaces.size >= INTERFACES_LIMIT) {
      return this.#interfaces.get('') ?? this.#declare('', 'further peers', 'more peers than interfaces are kept');
    }
    const prefix = capture.several ? `${capture.label}: ` : '';
    const described = known ? `from ${this.#long(from)} to ${this.#long(to)}` : `from ${ends.join(' to ')}`;
    return this.#declare(
      id,
      `${prefix}${this.#short(from, known)} → ${this.#short(to, known)}`,
      `inside the tunnel, ${described}, in ${capture.label}`,
    );
  }

  #declare(id: string, name: string, description: string): number {
    const number = this.#interfaces.size;
    if (number === 0) this.#emit(pcapngBlock({ kind: 'section', application: this.#application }));
    const clean = scrubber(this.#keys);
    const described = { name: clean(name), description: clean(description) };
    this.#emit(pcapngBlock({ kind: 'interface', linkType: RAW, ...described }));
    this.#interfaces.set(id, number);
    return number;
  }

  #short({ key, at }: End, known: boolean): string {
    return known && key !== undefined ? nameOf(this.#keys.find(key), key) : at.text;
  }

  #long({ key, at }: End): string {
    if (key === undefined) return at.text;
    const source = this.#keys.find(key)?.sources[0];
    return `${source === undefined ? '' : `${source}, `}${shortKey(key)} at ${at.text}`;
  }
}

/** `client.conf`, a name given by hand or in a comment; the key itself where it only stands in a key log. */
function nameOf(known: KnownKey | undefined, key: PublicKey): string {
  const source = known?.sources[0];
  return source === undefined || /:\d+$/.test(source) ? shortKey(key) : source.replace(/ \[Interface\]$/, '');
}

function comment({ seen, note }: InnerPacket, { label }: CaptureName): string {
  const { at, from, to, receiver, counter } = seen;
  const index = indexText(receiver);
  const said = `${label} frame ${at.frame}, ${from.text} → ${to.text}, receiver ${index}, counter ${BigInt(counter)}`;
  return note === undefined ? said : `${said}; ${note}`;
}
