/** AllowedIPs: which peer an inner address belongs to, as a compressed binary trie for each address family. */
import { maskIp, type Prefix } from '../base/address.ts';
import { type Bytes, u32be } from '../base/bytes.ts';

/** Bytes of an address: IPv4 or IPv6. */
export type IpLength = 4 | 16;

/**
 * One prefix, or a fork between two: then it has no owner. The address is four signed 32-bit words, so that comparing
 * costs no allocation; IPv4 uses the first only. What is below `bits` agrees with the node on all of them.
 */
interface Node<P> {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly bits: number;
  readonly length: IpLength;
  owner: P | undefined;
  parent: Node<P> | undefined;
  zero: Node<P> | undefined;
  one: Node<P> | undefined;
}

/** How many of the first `limit` bits two addresses share. */
function commonBits<P>(node: Node<P>, a: number, b: number, c: number, d: number, limit: number): number {
  let common = Math.clz32(node.a ^ a);
  if (common === 32 && limit > 32) {
    common += Math.clz32(node.b ^ b);
    if (common === 64 && limit > 64) {
      common += Math.clz32(node.c ^ c);
      if (common === 96 && limit > 96) common += Math.clz32(node.d ^ d);
    }
  }
  return common < limit ? common : limit;
}

/** Bit `at` counted from the address's front: 0 or not. */
function bitAt(a: number, b: number, c: number, d: number, at: number): number {
  const word = at < 64 ? (at < 32 ? a : b) : at < 96 ? c : d;
  return word & (0x8000_0000 >>> (at & 31));
}

/** A word of an address of this length; IPv4 has one, the others are 0. Signed, which the engine keeps unboxed. */
const wordOf = (bytes: Bytes, at: number, length: IpLength, word: 0 | 1 | 2 | 3): number =>
  word === 0 || length === 16 ? u32be(bytes, at + 4 * word) | 0 : 0;

function leaf<P>(prefix: Prefix, length: IpLength): Node<P> {
  const ip = maskIp(prefix.ip, prefix.bits);
  return {
    a: wordOf(ip, 0, length, 0),
    b: wordOf(ip, 0, length, 1),
    c: wordOf(ip, 0, length, 2),
    d: wordOf(ip, 0, length, 3),
    bits: prefix.bits,
    length,
    owner: undefined,
    parent: undefined,
    zero: undefined,
    one: undefined,
  };
}

function fork<P>(node: Node<P>, bits: number): Node<P> {
  const ip = prefixOf(node).ip;
  return leaf({ ip, bits }, node.length);
}

function prefixOf<P>({ a, b, c, d, bits, length }: Node<P>): Prefix {
  const ip = new Uint8Array(length);
  const words = [a, b, c, d];
  for (let i = 0; i < length; i++) ip[i] = (words[i >>> 2] ?? 0) >>> (24 - 8 * (i & 3));
  return { ip, bits };
}

/** Throws RangeError on a prefix that is none: parsing refuses those, so it is the caller's bug. */
function lengthOf({ ip, bits }: Prefix): IpLength {
  const { length } = ip;
  if ((length !== 4 && length !== 16) || !Number.isInteger(bits) || bits < 0 || bits > 8 * length) {
    throw new RangeError(`no prefix: ${length} bytes, ${bits} bits`);
  }
  return length;
}

/**
 * The kernel's rules: host bits are masked; a prefix has one owner, the last to insert it; the longest prefix that
 * covers an address decides; IPv4 and IPv6 never meet. A peer is known by identity and must not be undefined.
 */
export class AllowedIps<P> {
  #four: Node<P> | undefined;
  #six: Node<P> | undefined;
  readonly #owned = new Map<P, Set<Node<P>>>();
  #size = 0;
  #nodes = 0;

  /** Prefixes of all peers. */
  get size(): number {
    return this.#size;
  }

  /** What the table costs: prefixes and forks, fewer than twice the prefixes. */
  get nodes(): number {
    return this.#nodes;
  }

  insert(prefix: Prefix, peer: P): void {
    const length = lengthOf(prefix);
    const node = this.#place(leaf(prefix, length));
    if (node.owner === peer) return;
    this.#disown(node);
    node.owner = peer;
    this.#size++;
    const owned = this.#owned.get(peer);
    if (owned === undefined) this.#owned.set(peer, new Set([node]));
    else owned.add(node);
  }

  /** False, and nothing changes, unless exactly this prefix is there and this peer's. */
  remove(prefix: Prefix, peer: P): boolean {
    const wanted = leaf<P>(prefix, lengthOf(prefix));
    const node = this.#closest(wanted);
    if (node === undefined || node.bits !== wanted.bits || node.owner !== peer) return false;
    this.#disown(node);
    this.#prune(node);
    return true;
  }

  removePeer(peer: P): void {
    const owned = this.#owned.get(peer);
    if (owned === undefined) return;
    for (const node of [...owned]) {
      this.#disown(node);
      this.#prune(node);
    }
  }

  /** Whose address this is: the whole of `ip`, or `length` bytes of a packet from `at`, which must be inside it. */
  lookup(ip: Bytes): P | undefined;
  lookup(packet: Bytes, at: number, length: IpLength): P | undefined;
  lookup(bytes: Bytes, at = 0, length = bytes.length): P | undefined {
    if (length === 4) return longest(this.#four, u32be(bytes, at) | 0, 0, 0, 0, 32);
    if (length !== 16) return undefined;
    const b = u32be(bytes, at + 4) | 0;
    const c = u32be(bytes, at + 8) | 0;
    return longest(this.#six, u32be(bytes, at) | 0, b, c, u32be(bytes, at + 12) | 0, 128);
  }

  /** In the order in which the peer got them, host bits masked. */
  entries(peer: P): Prefix[] {
    return [...(this.#owned.get(peer) ?? [])].map(prefixOf);
  }

  /** The deepest node whose prefix contains that of `wanted`. */
  #closest(wanted: Node<P>): Node<P> | undefined {
    const { a, b, c, d, bits } = wanted;
    let found: Node<P> | undefined;
    let next = wanted.length === 4 ? this.#four : this.#six;
    while (next !== undefined && next.bits <= bits && commonBits(next, a, b, c, d, next.bits) === next.bits) {
      found = next;
      if (next.bits === bits) break;
      next = bitAt(a, b, c, d, next.bits) === 0 ? next.zero : next.one;
    }
    return found;
  }

  /** The node of this prefix: the one that is there, or `fresh`, hung where it belongs. */
  #place(fresh: Node<P>): Node<P> {
    const { a, b, c, d, bits, length } = fresh;
    const above = this.#closest(fresh);
    if (above !== undefined && above.bits === bits) return above;
    const below = this.#childToward(above, fresh);
    this.#nodes++;
    if (below === undefined) {
      this.#hang(fresh, above, length);
      return fresh;
    }
    const common = commonBits(below, a, b, c, d, Math.min(bits, below.bits));
    const top = common === bits ? fresh : fork(fresh, common);
    if (top !== fresh) this.#nodes++;
    this.#hang(top, above, length);
    this.#hang(below, top, length);
    if (top !== fresh) this.#hang(fresh, top, length);
    return fresh;
  }

  #childToward(parent: Node<P> | undefined, { a, b, c, d, length }: Node<P>): Node<P> | undefined {
    if (parent === undefined) return length === 4 ? this.#four : this.#six;
    return bitAt(a, b, c, d, parent.bits) === 0 ? parent.zero : parent.one;
  }

  /** Puts a node below its parent, or at the root, instead of what was there. */
  #hang(node: Node<P>, parent: Node<P> | undefined, length: IpLength): void {
    node.parent = parent;
    this.#link(node, node, parent, length);
  }

  /** Points the place where `toward` belongs below `parent` at `child`. */
  #link(child: Node<P> | undefined, toward: Node<P>, parent: Node<P> | undefined, length: IpLength): void {
    if (parent === undefined) {
      if (length === 4) this.#four = child;
      else this.#six = child;
    } else if (bitAt(toward.a, toward.b, toward.c, toward.d, parent.bits) === 0) parent.zero = child;
    else parent.one = child;
  }

  #disown(node: Node<P>): void {
    const { owner } = node;
    if (owner === undefined) return;
    const owned = this.#owned.get(owner);
    owned?.delete(node);
    if (owned?.size === 0) this.#owned.delete(owner);
    node.owner = undefined;
    this.#size--;
  }

  /** Takes out a node without an owner and, when that leaves a fork with one way only, the fork: every fork forks. */
  #prune(node: Node<P>): void {
    let at: Node<P> | undefined = node;
    while (at !== undefined && at.owner === undefined) {
      if (at.zero !== undefined && at.one !== undefined) return;
      const parent: Node<P> | undefined = at.parent;
      const child: Node<P> | undefined = at.zero ?? at.one;
      if (child !== undefined) child.parent = parent;
      this.#link(child, at, parent, at.length);
      this.#nodes--;
      at = parent;
    }
  }
}

function longest<P>(root: Node<P> | undefined, a: number, b: number, c: number, d: number, whole: number) {
  let best: P | undefined;
  let node = root;
  while (node !== undefined && commonBits(node, a, b, c, d, node.bits) === node.bits) {
    if (node.owner !== undefined) best = node.owner;
    if (node.bits === whole) break;
    node = bitAt(a, b, c, d, node.bits) === 0 ? node.zero : node.one;
  }
  return best;
}
