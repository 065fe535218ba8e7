/** Names that were perhaps meant. */

/** Number of single-character changes between two words (Levenshtein); both are short. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** At most `limit` names: those that share a word or the beginning, or are a few slips away; the nearest first. */
export function nearest(wanted: string, names: readonly string[], limit = 3): string[] {
  const word = wanted.toLowerCase().slice(0, 64);
  const parts = word.split('-').filter((part) => part.length >= 3);
  const scored = names.map((name) => {
    const related = (word.length >= 3 && name.includes(word)) || parts.some((part) => name.split('-').includes(part));
    const slips = distance(word, name);
    return { name, slips, near: related || slips <= Math.max(2, Math.floor(name.length / 3)) };
  });
  return scored
    .filter(({ near }) => near)
    .sort((a, b) => a.slips - b.slips || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}
