/** Which datagrams belong together before anything is opened, so that several can share one capture out among them. */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, toHex, u32le } from '../base/bytes.ts';
import type { MessageKind } from '../wg/drop.ts';
import { pairId } from './liveness.ts';

/** Remembered of each kind; the oldest are forgotten, and would begin a conversation anew. */
const LIMIT = 200_000;

interface Route {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly conversation: string;
}

/**
 * A conversation is named after the first two endpoints that are seen of it. What follows belongs to it by its index, as
 * data after roaming and the second view of a NAT do, by the keys of an initiation, or else by its endpoints. Whoever
 * reads the same capture in order with the same keys gets the same names. Two that turn out to be one later stay two.
 */
export class Conversations {
  readonly #byPair = new Map<string, string>();
  /** By index and the end that owns it. */
  readonly #byOwner = new Map<string, string>();
  /** By index alone: of the latest conversation, for an end that has moved. */
  readonly #byIndex = new Map<number, string>();
  readonly #byEphemeral = new Map<string, string>();
  readonly #byKeys = new Map<string, string>();
  /** By index: the latest datagram to it. */
  readonly #routes = new Map<number, Route>();

  /**
   * Of a message; it has at least the fields of its kind, or is cut. `keys` says whose an initiation is and whom it is
   * for, where that can be known: it is asked for endpoints that are new.
   */
  of(kind: MessageKind, bytes: Bytes, from: Endpoint, to: Endpoint, keys: () => string | undefined): string {
    if (kind === 'initiation') return this.#initiation(bytes, from, to, keys);
    const receiver = u32le(bytes, kind === 'response' ? 8 : 4);
    if (kind === 'data') {
      const route = this.#routes.get(receiver);
      if (route !== undefined && route.from === from && route.to === to) return route.conversation;
    }
    const owner = ownerOf(to, receiver);
    const known = this.#byOwner.get(owner) ?? this.#byIndex.get(receiver);
    const conversation = known ?? this.between(from, to);
    this.#note(conversation, from, to);
    this.#own(conversation, to, receiver);
    if (kind === 'response') this.#own(conversation, from, u32le(bytes, 4));
    if (kind === 'data') put(this.#routes, receiver, { from, to, conversation });
    return conversation;
  }

  /** Of what has no index. */
  between(from: Endpoint, to: Endpoint): string {
    const pair = pairId(from.text, to.text);
    return this.#byPair.get(pair) ?? pair;
  }

  /** The same initiation once more is another view of it, or a replay; the same keys elsewhere are an end that moved. */
  #initiation(bytes: Bytes, from: Endpoint, to: Endpoint, keys: () => string | undefined): string {
    const ephemeral = toHex(bytes.subarray(4, 40));
    let conversation = this.#byEphemeral.get(ephemeral) ?? this.#byPair.get(pairId(from.text, to.text));
    if (conversation === undefined) {
      const ends = keys();
      conversation = (ends === undefined ? undefined : this.#byKeys.get(ends)) ?? pairId(from.text, to.text);
      if (ends !== undefined) put(this.#byKeys, ends, conversation);
    }
    put(this.#byEphemeral, ephemeral, conversation);
    this.#note(conversation, from, to);
    this.#own(conversation, from, u32le(bytes, 4));
    return conversation;
  }

  #note(conversation: string, from: Endpoint, to: Endpoint): void {
    const pair = pairId(from.text, to.text);
    if (!this.#byPair.has(pair)) put(this.#byPair, pair, conversation);
  }

  #own(conversation: string, end: Endpoint, index: number): void {
    put(this.#byOwner, ownerOf(end, index), conversation);
    put(this.#byIndex, index, conversation);
  }
}

const ownerOf = (end: Endpoint, index: number): string => `${end.text}#${index}`;

function put<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.set(key, value);
  if (map.size <= LIMIT) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** Share of a conversation, from 0: even over many, and the same everywhere. */
export function shareOf(conversation: string, shares: number): number {
  let hash = 0;
  for (let i = 0; i < conversation.length; i++) hash = Math.imul(hash ^ conversation.charCodeAt(i), 0x9e37_79b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) % shares;
}
