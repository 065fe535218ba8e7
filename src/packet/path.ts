/** How a packet was carried, outermost first: a tree of labels, so that frames carried alike share one array. */

const VLAN_LABELS: readonly string[] = Array.from({ length: 4096 }, (_, id) => `vlan ${id}`);

/** A hostile capture may use any VLAN within any other: beyond this many, paths are no longer remembered. */
const MAX_PATHS = 4096;

export class Path {
  readonly labels: readonly string[];
  readonly #next = new Map<string, Path>();
  readonly #shared: { count: number };

  /** Without arguments the root, to be made once per decoder. */
  constructor(labels: readonly string[] = [], shared: { count: number } = { count: 0 }) {
    this.labels = labels;
    this.#shared = shared;
  }

  plus(label: string): Path {
    const known = this.#next.get(label);
    if (known !== undefined) return known;
    const made = new Path([...this.labels, label], this.#shared);
    if (this.#shared.count < MAX_PATHS) {
      this.#shared.count++;
      this.#next.set(label, made);
    }
    return made;
  }

  /** `id` is taken modulo 4096: the upper bits of the tag are priority (IEEE 802.1Q §9.6). */
  plusVlan(id: number): Path {
    return this.plus(VLAN_LABELS[id & 0xfff] ?? 'vlan');
  }
}
