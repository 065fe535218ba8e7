/** What happens when: a binary heap on a virtual clock. Of what is due at once, the first asked for is first. */

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const before = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export class EventQueue {
  readonly #heap: Entry[] = [];
  #order = 0;
  nowMs = 0;

  /** Not before now. */
  at(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run };
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !before(entry, parent)) break;
      heap[i] = parent;
      heap[up] = entry;
      i = up;
    }
  }

  /** Everything up to this time, which then is now. */
  runTo(ms: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= ms; first = this.#heap[0]) {
      this.#pop();
      this.nowMs = first.atMs;
      first.run();
    }
    this.nowMs = ms;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let least = 2 * i + 1;
      const [left, right] = [heap[least], heap[least + 1]];
      if (left === undefined) break;
      if (right !== undefined && before(right, left)) least++;
      const child = heap[least];
      if (child === undefined || !before(child, last)) break;
      heap[i] = child;
      i = least;
    }
    heap[i] = last;
  }
}
