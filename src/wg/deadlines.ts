/** Which of many peers has the next deadline: a binary heap whose members know their place in it. */

export interface Timed {
  /** Infinity for none. */
  readonly earliestMs: number;
  /** The heap's own: place in it, −1 for outside. */
  heapAt: number;
}

export class Deadlines<T extends Timed> {
  readonly #heap: T[] = [];
  /** What each member's deadline was when it took its place. */
  readonly #keys: number[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  /** After anything that may have moved a member's deadline. */
  update(item: T): void {
    const key = item.earliestMs;
    if (item.heapAt < 0) {
      if (key === Number.POSITIVE_INFINITY) return;
      item.heapAt = this.#heap.length;
      this.#heap.push(item);
      this.#keys.push(key);
      this.#up(item.heapAt);
      return;
    }
    const was = this.#keys[item.heapAt] ?? key;
    if (key === Number.POSITIVE_INFINITY) this.remove(item);
    else if (key !== was) {
      this.#keys[item.heapAt] = key;
      if (key < was) this.#up(item.heapAt);
      else this.#down(item.heapAt);
    }
  }

  remove(item: T): void {
    const at = item.heapAt;
    if (at < 0) return;
    const last = this.#heap.length - 1;
    this.#swap(at, last);
    this.#heap.pop();
    this.#keys.pop();
    item.heapAt = -1;
    if (at === last) return;
    this.#up(at);
    this.#down(at);
  }

  #key(at: number): number {
    return this.#keys[at] ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined || a === b) return;
    [this.#heap[a], this.#heap[b]] = [second, first];
    [this.#keys[a], this.#keys[b]] = [this.#key(b), this.#key(a)];
    first.heapAt = b;
    second.heapAt = a;
  }

  #up(at: number): void {
    for (let parent = (at - 1) >> 1; at > 0 && this.#key(at) < this.#key(parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(at: number): void {
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (this.#key(child) < this.#key(least)) least = child;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
