/** Searching what is in order. */

/** How many stand before the first for which `reached` holds; it must hold for all behind that one, too. */
export function countBefore<T>(list: readonly T[], reached: (item: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reached(list[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
