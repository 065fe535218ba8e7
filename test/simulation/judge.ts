/** What must be true of a run as a whole. */
import { ANSWERS } from './inner.ts';
import { BACK_WITHIN_MS } from './plan.ts';
import type { Outcome, Plan } from './simulation.ts';

/** Empty when all is as it must be. */
export function judge(plan: Plan, outcome: Outcome): string[] {
  const faults = [...outcome.faults];
  const { calmMs, endMs } = plan;
  if (endMs < calmMs + BACK_WITHIN_MS) return faults;
  const answered = (client: string, fromMs: number): boolean =>
    outcome.sent.some(
      ({ to, atMs, wants, deliveredMs }) =>
        wants === ANSWERS &&
        to === client &&
        atMs >= fromMs &&
        deliveredMs !== undefined &&
        deliveredMs < fromMs + BACK_WITHIN_MS,
    );
  for (const { name } of plan.hosts.slice(1)) {
    const corrected = calmMs + BACK_WITHIN_MS;
    const late = plan.incidents.some(({ what, atMs }) => what === 'wall-jump' && atMs === corrected);
    const refused = outcome.hosts.some(({ refused }) => (refused.get('timestamp-replayed') ?? 0) > 0);
    if (!answered(name, calmMs) && !(late && refused)) {
      faults.push(`${name} is not back ${BACK_WITHIN_MS} ms after the network is`);
    }
    if (!answered(name, corrected)) faults.push(`${name} is not back at the end`);
  }
  return faults;
}
