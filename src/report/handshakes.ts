/** Why each handshake began, as the JSON says it. */
import type { World } from '../analyze/world.ts';
import { auditOf, occasionWords } from '../diagnose/timer-audit.ts';
import { frameRef } from './frame-events.ts';
import type { ReportHandshake } from './model.ts';

/** A flood has thousands, and each tells the same. */
const LISTED = 300;

export function handshakesOf(world: World): ReportHandshake[] {
  const audited = new Map(world.tunnels.flatMap((tunnel) => auditOf(tunnel).map((one) => [one.merged, one] as const)));
  return world.exchanges
    .flatMap((merged) => audited.get(merged) ?? [])
    .slice(0, LISTED)
    .map((one) => {
      const { merged, initiation, occasion, attempt, afterMs, outcome } = one;
      const note = occasionWords(one);
      return {
        frame: frameRef(initiation.at),
        id: merged.id,
        from: initiation.from.text,
        to: initiation.to.text,
        occasion,
        attempt,
        ...(afterMs === undefined ? {} : { afterMs: Math.max(0, Math.round(afterMs)) }),
        outcome,
        ...(note === undefined ? {} : { note }),
      };
    });
}
