/** How far two keys are apart as people type them: a few characters is a typing error, more is another key. */

/** Characters that may differ before a key is just another key. */
const NEAR = 4;

/** Positions in which two texts of one length differ; Infinity when the lengths do. */
export function differingCharacters(a: string, b: string): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a.charAt(i) !== b.charAt(i)) count++;
  return count;
}

/** All characters that look alike as one of them: l, 1 and I, O and 0. */
export function plainKey(key: string): string {
  return key.replace(/[1I]/g, 'l').replace(/O/g, '0');
}

export function nearestKey(
  key: string,
  others: readonly string[],
): { readonly key: string; readonly distance: number } | undefined {
  let best: { key: string; distance: number } | undefined;
  for (const other of others) {
    const distance = differingCharacters(key, other);
    if (distance > 0 && distance <= NEAR && (best === undefined || distance < best.distance))
      best = { key: other, distance };
  }
  return best;
}
