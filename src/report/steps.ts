/** The short sequence of messages that the text report draws: the exchanges of the tunnel in question. */
import { indexText, type MergedExchange } from '../analyze/merge.ts';
import type { Verdict } from '../analyze/sight.ts';
import type { FrameId, Seen } from '../analyze/timeline.ts';
import type { World } from '../analyze/world.ts';
import { type LogLine, linesOfMessages, SPEAKER } from '../diagnose/log-evidence.ts';
import type { Finding } from '../diagnose/run.ts';
import { auditOf, occasionWords } from '../diagnose/timer-audit.ts';
import { frameRef } from './frame-events.ts';
import type { SaidLine, SequenceStep } from './model.ts';

const STEPS = 14;

/** The tunnel of the first finding; where that is about a file or a capture, the first tunnel with exchanges. */
export function sequenceOf(world: World, findings: readonly Finding[]): SequenceStep[] {
  const tunnel =
    world.tunnels.find((t) => t.id === findings[0]?.scope) ?? world.tunnels.find((t) => t.exchanges.length > 0);
  if (tunnel === undefined) return [];
  const refused = new Set(
    findings.filter(({ rule }) => REFUSALS.includes(rule.name)).flatMap(({ frames }) => frames.map(frameKey)),
  );
  const said = linesOfMessages(world);
  const why = new Map(auditOf(tunnel).map((one) => [one.merged, occasionWords(one)]));
  const out: SequenceStep[] = [];
  for (const merged of tunnel.exchanges) {
    if (out.length >= STEPS) break;
    out.push(...exchangeSteps(merged, world, refused, said, why.get(merged)));
  }
  return out.slice(0, STEPS);
}

/** Findings whose frames a responder with the known keys refuses, although no key opens them. */
const REFUSALS: readonly string[] = ['wrong-responder-key'];

const frameKey = ({ capture, frame }: FrameId): string => `${capture}/${frame}`;

type Said = ReadonlyMap<Seen, readonly LogLine[]>;

const LINES = 3;

/** Of one message, in whichever capture it was that the log fits. */
function saidOf(copies: readonly (Seen | undefined)[], said: Said): { readonly said?: readonly SaidLine[] } {
  const lines = copies.flatMap((seen) => (seen === undefined ? [] : (said.get(seen) ?? []))).slice(0, LINES);
  if (lines.length === 0) return {};
  return {
    said: lines.map(({ machine, event }) => ({
      input: machine.input,
      line: event.line,
      speaker: SPEAKER[event.implementation],
      text: event.text,
    })),
  };
}

function exchangeSteps(
  merged: MergedExchange,
  world: World,
  refused: ReadonlySet<string>,
  said: Said,
  why: string | undefined,
): SequenceStep[] {
  const out: SequenceStep[] = [];
  const views = merged.views;
  const first = views.find(({ exchange }) => exchange.initiation !== undefined);
  if (first?.exchange.initiation !== undefined) {
    const sight = views.findLast(({ exchange }) => exchange.sight !== undefined)?.exchange.sight;
    const drop: Verdict = { kind: 'refused', drop: { kind: 'mac1-invalid' } };
    const verdict = refused.has(frameKey(first.exchange.initiation.at)) ? drop : sight?.verdict;
    const where = views
      .filter(({ exchange }) => exchange.initiation !== undefined)
      .map(({ timeline }) => timeline.capture);
    const mac1 = sight?.mac1;
    const note = [why, mac1?.kind === 'none' ? 'MAC1 fits no known key' : undefined, onlyIn(where, world)].filter(
      (part) => part !== undefined,
    );
    const drawn = step(first.exchange.initiation, `initiation ${merged.id}`, verdict, note.join('; '));
    out.push({
      ...drawn,
      ...saidOf(
        views.map(({ exchange }) => exchange.initiation),
        said,
      ),
    });
  }
  const answered = views.findLast(({ exchange }) => exchange.responses.length > 0);
  for (const { seen, sight } of answered?.exchange.responses ?? []) {
    const where = views
      .filter(({ exchange }) => exchange.responses.some((r) => r.seen.sender === seen.sender))
      .map(({ timeline }) => timeline.capture);
    const label = `response ${indexText(seen.sender)} → ${indexText(seen.receiver)}`;
    const copies = views.flatMap(({ exchange }) =>
      exchange.responses.filter((r) => r.seen.sender === seen.sender).map((r) => r.seen),
    );
    out.push({ ...step(seen, label, sight.verdict, onlyIn(where, world)), ...saidOf(copies, said) });
  }
  for (const { exchange } of views) {
    for (const { seen, sight } of exchange.cookies)
      out.push({ ...step(seen, 'cookie reply', sight.verdict), ...saidOf([seen], said) });
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
