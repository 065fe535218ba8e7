/** Settings of one AmneziaWG end, from its file or learned from its messages, and which message they read a datagram as. */
import { u32le } from '../../base/bytes.ts';
import { type AmneziaSettings, changesMessages, formatTypeRange, type TypeRange } from '../../config/amnezia.ts';
import type { Datagram } from '../../packet/datagram.ts';
import type { MessageKind } from '../../wg/drop.ts';
import { WIRE_SIZE } from '../classify.ts';
import type { ConfEntry } from '../key-set.ts';
import { VARIANT } from '../variants.ts';
import { typeOf, type VariantForm } from './unwrapped.ts';

/** Exact sizes first, as AmneziaWG itself asks them. */
const KINDS: readonly MessageKind[] = ['initiation', 'response', 'cookie-reply', 'data'];

/** Messages of one kind after which their type words are taken for all that there are. */
const ENOUGH = 3;

/** Where a message stands in a datagram, by these settings. */
export interface Place {
  readonly kind: MessageKind;
  /** Bytes before it. */
  readonly at: number;
  /** Its type word. */
  readonly header: number;
}

export class Profile {
  readonly form: VariantForm;
  /** The file that gives the settings; they are complete then. */
  readonly file: string | undefined;
  /** UDP ports that the file names: its own, and those of its peers. */
  readonly ports = new Set<number>();
  readonly #padding = new Map<MessageKind, number>();
  readonly #types = new Map<MessageKind, TypeRange>();
  readonly #seen = new Map<MessageKind, number>();

  /** Without a file: to be learned. */
  constructor(given?: { readonly entry: ConfEntry; readonly settings: AmneziaSettings }) {
    this.file = given?.entry.name;
    const how = given === undefined ? '' : `by the settings in ${given.entry.name}`;
    this.form = { name: VARIANT.amnezia, how, figures: new Map(), hasJunk: true };
    if (given === undefined) return;
    const { entry, settings } = given;
    for (const [i, kind] of KINDS.entries()) {
      const range = settings.types[i];
      this.#padding.set(kind, settings.padding[i] ?? 0);
      if (range !== undefined) this.#types.set(kind, range);
    }
    this.#tell();
    const own = entry.conf.interface.listenPort?.value ?? 0;
    if (own !== 0) this.ports.add(own);
    for (const { endpoint } of entry.conf.peers) if (endpoint !== undefined) this.ports.add(endpoint.value.port);
  }

  padding(kind: MessageKind): number | undefined {
    return this.#padding.get(kind);
  }

  /** How many of the 2^32 type words would do for this kind; undefined while too little is known to tell. */
  typesOf(kind: MessageKind): number | undefined {
    const range = this.#types.get(kind);
    if (range === undefined) return undefined;
    return this.file === undefined && (this.#seen.get(kind) ?? 0) < ENOUGH ? undefined : range.high - range.low + 1;
  }

  /** Every way to read the datagram by its length, and by its type word as far as that is known. */
  *places({ bytes, length }: Datagram): Generator<Place> {
    for (const kind of KINDS) {
      const at = this.#padding.get(kind);
      if (at === undefined || bytes.length < at + 16) continue;
      const size = WIRE_SIZE[kind];
      if (kind === 'data' ? length < at + size : length !== at + size) continue;
      const header = u32le(bytes, at);
      const range = this.#types.get(kind);
      const outside = range === undefined || header < range.low || header > range.high;
      if (this.file === undefined || !outside) yield { kind, at, header };
    }
  }

  /** Takes in what a message showed. */
  learn({ kind, at, header }: Place): void {
    if (this.file !== undefined) return;
    this.#padding.set(kind, at);
    const range = this.#types.get(kind);
    const [low, high] = range === undefined ? [header, header] : [range.low, range.high];
    this.#types.set(kind, { low: Math.min(low, header), high: Math.max(high, header) });
    const seen = this.#seen.get(kind) ?? 0;
    if (seen < ENOUGH) this.#seen.set(kind, seen + 1);
    if (range === undefined || header < low || header > high) this.#tell();
  }

  /** Anew and in order: S before H, each by its number. */
  #tell(): void {
    const { figures } = this.form;
    figures.clear();
    for (const kind of KINDS) {
      const padding = this.#padding.get(kind);
      if (padding !== undefined) figures.set(`S${typeOf(kind)}`, `${padding}`);
    }
    for (const kind of KINDS) {
      const range = this.#types.get(kind);
      if (range !== undefined) figures.set(`H${typeOf(kind)}`, formatTypeRange(range));
    }
  }
}

/** Of every end whose settings are known and change what its messages look like. */
export function givenProfiles(entries: readonly ConfEntry[]): Profile[] {
  return entries.flatMap((entry) => {
    const settings = entry.conf.interface.amnezia;
    if (settings === undefined || !changesMessages(settings)) return [];
    // what header protection hides, and where a message with a trailer ends, these settings alone do not tell
    return settings.headerProtection || settings.randomTrailers ? [] : [new Profile({ entry, settings })];
  });
}
