/** Runs every rule over its subjects, applies the rules of silence, hides the vaguer, puts the root cause first. */

import type { FrameId } from '../analyze/timeline.ts';
import type { Attempt, Tunnel, World } from '../analyze/world.ts';
import { compareTime } from '../base/time.ts';
import type { Edit } from './edit.ts';
import { peerShowsLife } from './evidence.ts';
import type { AnyRule, Certainty, Fact, Facts, Fix, Found, RuledOut, Severity, Subjects } from './rule.ts';

export interface Finding {
  readonly rule: AnyRule;
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly subject: string;
  /** What hiding is confined to: a tunnel, a capture, the files. */
  readonly scope: string;
  /** Ends whose initiations it is about, where its rule is asked about attempts: hiding is confined to those too. */
  readonly initiators: ReadonlySet<string>;
  readonly later: boolean;
  readonly frames: readonly FrameId[];
  readonly facts: Facts;
  readonly ruledOut: readonly RuledOut[];
  readonly missing: readonly { readonly key: string; readonly wouldSettle: string }[];
  readonly notes: readonly string[];
  readonly message: string;
  readonly fix: Fix;
  readonly edits: readonly Edit[];
  readonly corroborates: readonly string[];
}

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly hidden: readonly { readonly rule: string; readonly by: string; readonly subject: string }[];
}

/** Frames cited per finding. */
const FRAMES_CITED = 24;
const SEVERITY: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };
const GROUP: Readonly<Record<AnyRule['group'], number>> = { wire: 0, capture: 1, config: 2 };
const CERTAINTY: Readonly<Record<Certainty, number>> = { proven: 0, deduced: 1, suspected: 2 };

export function runRules(rules: readonly AnyRule[], whole: World): Outcome {
  const world = withoutNoise(whole);
  const raised: Finding[] = [];
  for (const rule of rules) for (const finding of raiseAll(rule, world)) raised.push(finding);
  const hidden: Hidden = [];
  const merged = foldMany(hearWitnesses(mergeSame(raised), hidden));
  const shown = merged.filter((finding) => {
    const by = merged.find((other) => hides(other, finding));
    if (by !== undefined) hidden.push({ rule: finding.rule.name, by: by.rule.name, subject: finding.subject });
    return by === undefined;
  });
  const rank = new Map(rules.map((rule, i) => [rule, i]));
  shown.sort(
    (a, b) =>
      SEVERITY[a.severity] - SEVERITY[b.severity] ||
      GROUP[a.rule.group] - GROUP[b.rule.group] ||
      Number(a.later) - Number(b.later) ||
      (rank.get(a.rule) ?? 0) - (rank.get(b.rule) ?? 0) ||
      CERTAINTY[a.certainty] - CERTAINTY[b.certainty] ||
      byTime(a, b),
  );
  return { findings: shown, hidden };
}

/** Nobody waits for an answer to noise: no rule is asked about it as if it were a tunnel. */
function withoutNoise(world: World): World {
  if (world.noise.length === 0) return world;
  const noise = new Set(world.noise);
  const exchanges = new Set(world.noise.flatMap((tunnel) => tunnel.exchanges));
  return {
    ...world,
    tunnels: world.tunnels.filter((tunnel) => !noise.has(tunnel)),
    exchanges: world.exchanges.filter((merged) => !exchanges.has(merged)),
  };
}

type Hidden = { rule: string; by: string; subject: string }[];

/**
 * What a witness says of a message that a finding cites becomes a part of that finding: it proves it where it can mean
 * nothing else; where it is one of several, it has at least been refused, which a lost message is not.
 */
function hearWitnesses(findings: readonly Finding[], hidden: Hidden): Finding[] {
  const out = [...findings];
  for (const witness of findings) {
    if (witness.corroborates.length === 0 || witness.frames.length === 0) continue;
    const spoken = new Set(witness.frames.map(frameKey));
    const heard = out.findIndex(
      ({ rule, frames }) =>
        witness.corroborates.includes(rule.name) && frames.some((frame) => spoken.has(frameKey(frame))),
    );
    const finding = out[heard];
    if (finding === undefined) continue;
    const certainty = witness.corroborates.length === 1 ? 'proven' : 'deduced';
    out[heard] = {
      ...finding,
      certainty: CERTAINTY[certainty] < CERTAINTY[finding.certainty] ? certainty : finding.certainty,
      notes: [...finding.notes, witness.message],
    };
    out.splice(out.indexOf(witness), 1);
    hidden.push({ rule: witness.rule.name, by: finding.rule.name, subject: witness.subject });
  }
  return out;
}

const frameKey = ({ capture, frame }: FrameId): string => `${capture}/${frame}`;

function byTime(a: Finding, b: Finding): number {
  const [x, y] = [a.frames[0], b.frames[0]];
  return x === undefined || y === undefined ? 0 : compareTime(x.time, y.time);
}

/** Only what is at least as severe replaces: information must not hide an error. */
function hides(by: Finding, finding: Finding): boolean {
  if (by === finding || by.scope !== finding.scope || !sameEnds(by, finding)) return false;
  return by.rule.hides?.includes(finding.rule.name) === true && SEVERITY[by.severity] <= SEVERITY[finding.severity];
}

/** Why one end is not answered says nothing of the initiations of the other one, unless the keys of the two do not fit. */
function sameEnds(by: Finding, finding: Finding): boolean {
  return (
    by.rule.ofPair === true ||
    by.initiators.size === 0 ||
    [...finding.initiators].every((end) => by.initiators.has(end))
  );
}

function* raiseAll(rule: AnyRule, world: World): Generator<Finding> {
  switch (rule.on) {
    case 'attempt':
      for (const tunnel of world.tunnels) {
        for (const attempt of tunnel.attempts) {
          if (rule.fromSilence === true && attempt.outcome !== 'failed') continue;
          const mayBeOff = rule.fromSilence === true && !peerShowsLife(attempt, world);
          const initiators = new Set([attempt.initiator]);
          for (const finding of raise(rule, attempt, world, tunnel.id, mayBeOff)) yield { ...finding, initiators };
        }
      }
      return;
    case 'exchange':
      for (const tunnel of world.tunnels) {
        const attempts = new Map(
          tunnel.attempts.flatMap((attempt) => attempt.exchanges.map((merged) => [merged, attempt] as const)),
        );
        for (const merged of tunnel.exchanges) {
          const attempt: Attempt | undefined = attempts.get(merged);
          yield* raise(rule, { merged, attempt, tunnel }, world, tunnel.id, false);
        }
      }
      return;
    case 'session':
      for (const tunnel of world.tunnels) {
        for (const view of tunnel.sessions) yield* raise(rule, { view, tunnel }, world, tunnel.id, false);
      }
      return;
    case 'tunnel':
      for (const tunnel of world.tunnels) yield* raise(rule, tunnel satisfies Tunnel, world, tunnel.id, false);
      return;
    case 'capture':
      for (const timeline of world.timelines) yield* raise(rule, timeline, world, `capture:${timeline.capture}`, false);
      return;
    case 'files':
      yield* raise(rule, world, world, 'files', false);
  }
}

const NO_ENDS: ReadonlySet<string> = new Set();

function* raise(
  rule: AnyRule,
  subject: Subjects[keyof Subjects],
  world: World,
  scope: string,
  mayBeOff: boolean,
): Generator<Finding> {
  const result = rule.check(subject, world);
  if (result === undefined) return;
  const list: readonly Found<Facts>[] = Array.isArray(result) ? result : [result as Found<Facts>];
  for (const found of list) {
    const certainty = mayBeOff ? 'suspected' : found.certainty;
    const notes = [...(found.notes ?? [])];
    if (mayBeOff) notes.push('nothing in the captures shows that the other end is alive at all: it may simply be off');
    yield {
      rule,
      severity: found.severity ?? rule.severity,
      certainty,
      subject: found.subject,
      scope: found.scope ?? scope,
      initiators: NO_ENDS,
      later: found.later ?? false,
      frames: found.frames.slice(0, FRAMES_CITED),
      facts: found.facts,
      ruledOut: found.ruledOut ?? [],
      missing: found.missing ?? [],
      notes,
      message: rule.message(found.facts),
      fix: rule.fix?.(found.facts) ?? {},
      edits: found.edits ?? [],
      corroborates: found.corroborates ?? [],
    };
  }
}

/** One fault can show on very many tunnels, as under a flood: the first few are told, the others counted. */
const TUNNELS_TOLD = 5;

function foldMany(findings: readonly Finding[]): Finding[] {
  const told = new Map<string, { last: number; more: number }>();
  const count = new Map<string, number>();
  const out: Finding[] = [];
  for (const finding of findings) {
    const key = [finding.rule.name, finding.severity, finding.certainty].join('|');
    const n = (count.get(key) ?? 0) + 1;
    count.set(key, n);
    const entry = told.get(key);
    if (n <= TUNNELS_TOLD || entry === undefined) told.set(key, { last: out.push(finding) - 1, more: 0 });
    else entry.more++;
  }
  for (const { last, more } of told.values()) {
    const finding = out[last];
    if (finding === undefined || more === 0) continue;
    const notes = [...finding.notes, `the same on ${more} further tunnel${more === 1 ? '' : 's'}`];
    out[last] = { ...finding, notes, facts: { ...finding.facts, furtherTunnels: more } };
  }
  return out;
}

/** The same rule again on the same tunnel (a later attempt, another session) is one finding with more frames. */
function mergeSame(raised: readonly Finding[]): Finding[] {
  const out = new Map<string, Finding>();
  for (const finding of raised) {
    const { group, name, on } = finding.rule;
    // what concerns captures is said once for all of them; what concerns files once for each place
    const ofCapture = group === 'capture' && finding.scope.startsWith('capture:');
    const about = on === 'files' ? finding.message : ofCapture ? '' : finding.scope;
    const key = [name, about, finding.severity, finding.certainty].join('|');
    const known = out.get(key);
    if (known === undefined) out.set(key, finding);
    else {
      const occurrences: Fact = Number(known.facts['occurrences'] ?? 1) + 1;
      const frames = [...known.frames, ...finding.frames].slice(0, FRAMES_CITED);
      const again = finding.rule.group === 'capture' && finding.message !== known.message ? [finding.message] : [];
      const initiators = new Set([...known.initiators, ...finding.initiators]);
      out.set(key, {
        ...known,
        initiators,
        frames,
        facts: { ...known.facts, occurrences },
        notes: [...known.notes, ...again],
      });
    }
  }
  return [...out.values()];
}
