/** The short sequence of messages that the text report draws: the exchanges of the tunnel in question. */
import { indexText, type MergedExchange } from '../analyze/merge.ts';
import type { Verdict } from '../analyze/sight.ts';
import type { Seen } from '../analyze/timeline.ts';
import type { World } from '../analyze/world.ts';
import { frameRef } from './capture-run.ts';
import type { SequenceStep } from './model.ts';

const STEPS = 14;

/** `scope` is a tunnel's id; anything else takes the first tunnel with exchanges. */
export function sequenceOf(world: World, scope: string | undefined): SequenceStep[] {
  const tunnel = world.tunnels.find((t) => t.id === scope) ?? world.tunnels.find((t) => t.exchanges.length > 0);
  if (tunnel === undefined) return [];
  const out: SequenceStep[] = [];
  for (const merged of tunnel.exchanges) {
    if (out.length >= STEPS) break;
    out.push(...exchangeSteps(merged, world));
  }
  return out.slice(0, STEPS);
}

function exchangeSteps(merged: MergedExchange, world: World): SequenceStep[] {
  const out: SequenceStep[] = [];
  const views = merged.views;
  const first = views.find(({ exchange }) => exchange.initiation !== undefined);
  if (first?.exchange.initiation !== undefined) {
    const verdict = views.findLast(({ exchange }) => exchange.sight !== undefined)?.exchange.sight?.verdict;
    const where = views
      .filter(({ exchange }) => exchange.initiation !== undefined)
      .map(({ timeline }) => timeline.capture);
    const mac1 = views.findLast(({ exchange }) => exchange.sight !== undefined)?.exchange.sight?.mac1;
    const note = [mac1?.kind === 'none' ? 'MAC1 fits no known key' : undefined, onlyIn(where, world)].filter(
      (part) => part !== undefined,
    );
    out.push(step(first.exchange.initiation, `initiation ${merged.id}`, verdict, note.join('; ')));
  }
  const answered = views.findLast(({ exchange }) => exchange.responses.length > 0);
  for (const { seen, sight } of answered?.exchange.responses ?? []) {
    const where = views
      .filter(({ exchange }) => exchange.responses.some((r) => r.seen.sender === seen.sender))
      .map(({ timeline }) => timeline.capture);
    out.push(
      step(
        seen,
        `response ${indexText(seen.sender)} → ${indexText(seen.receiver)}`,
        sight.verdict,
        onlyIn(where, world),
      ),
    );
  }
  for (const { exchange } of views) {
    for (const { seen, sight } of exchange.cookies) out.push(step(seen, 'cookie reply', sight.verdict));
    for (const icmp of exchange.icmp) {
      const label = `ICMP ${icmp.error.replace(/-/g, ' ')}`;
      out.push({ frame: frameRef(icmp.at), from: icmp.from, to: icmp.quotedFrom.text, label, verdict: 'none' });
    }
  }
  const confirmed = views.find(({ exchange }) => exchange.confirmed !== undefined)?.exchange.confirmed;
  if (confirmed !== undefined)
    out.push(step(confirmed, confirmed.length === 32 ? 'keepalive: confirmed' : 'data: confirmed', undefined));
  return out;
}

function onlyIn(where: readonly string[], world: World): string | undefined {
  const missing = world.timelines.filter((t) => !where.includes(t.capture));
  return missing.length === 0 ? undefined : `not in ${missing.map((t) => t.name).join(', ')}`;
}

function step(seen: Seen, label: string, verdict: Verdict | undefined, note?: string): SequenceStep {
  const why = verdict?.kind === 'refused' ? verdict.drop.kind : undefined;
  const said = [why, note].filter((part) => part !== undefined && part !== '').join('; ');
  return {
    frame: frameRef(seen.at),
    from: seen.from.text,
    to: seen.to.text,
    label,
    verdict: verdict?.kind ?? 'none',
    ...(said === '' ? {} : { note: said }),
  };
}
