/** Which seeds run: a test's own, or those that the environment names, so that one can be looked at alone. */

/** `WGWHY_SIM_SEEDS`: `17`, or `1000-4999`. */
export function seeds(count: number, from = 0): number[] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(process.env['WGWHY_SIM_SEEDS'] ?? '');
  const first = match === null ? from : Number(match[1]);
  const last = match === null ? from + count - 1 : Number(match[2] ?? match[1]);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
