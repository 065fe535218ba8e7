/** Findings over time: which became true, which changed, which ceased to be, and which gave way to a sharper one. */

import type { Finding, Outcome } from '../diagnose/run.ts';
import { reportFinding } from './build.ts';
import type { FindingEvent } from './event.ts';
import type { FrameRef, ReportFinding } from './model.ts';

/**
 * What changes is told once it has stood this long. An answer on a slow path, a frame that the other capture is about
 * to deliver, or a counter that comes late would otherwise open a finding for a moment.
 */
export const SETTLE_MS = 2000;

/** These conclude from nothing at all having come, whatever the time: an initiator tries every five seconds. */
const FROM_NOTHING: ReadonlyMap<string, number> = new Map([
  ['initiation-never-arrives', 30_000],
  ['idle-no-attempt', 30_000],
]);

/** One finding from one evaluation to the next, whether it was told or not. */
interface Standing {
  readonly id: string;
  /** As it was last seen. */
  finding: Finding;
  /** In the latest outcome. */
  present: boolean;
  /** Severity and certainty, or absence, since when: milliseconds of the monotonic clock. */
  state: string;
  sinceMs: number;
  /** What was last told of it; undefined: nothing yet. */
  told: { readonly state: string; readonly as: ReportFinding } | undefined;
}

const ABSENT = 'absent';

export class LiveFindings {
  readonly #settleMs: number;
  /** In the order of the latest outcome, those that are gone last. */
  #standing: Standing[] = [];

  constructor(settleMs = SETTLE_MS) {
    this.#settleMs = settleMs;
  }

  /** Those that were opened and not closed. */
  get open(): readonly ReportFinding[] {
    return this.#standing.flatMap(({ told }) => (told === undefined ? [] : [told.as]));
  }

  /** Compares with what was told. `last`: nothing comes after it, so all of it is told at once. */
  update({ findings, hidden }: Outcome, nowMs: number, at: FrameRef | undefined, last = false): FindingEvent[] {
    this.#standing = this.#match(findings, nowMs);
    const events: FindingEvent[] = [];
    const when = at === undefined ? {} : { at };
    const tell = (one: Standing): void => {
      const finding = reportFinding(one.finding);
      one.told = { state: one.state, as: finding };
      events.push({ schema: 'wgwhy/event/1', event: 'finding-opened', id: one.id, ...when, finding });
    };
    const settled = ({ state, sinceMs, finding }: Standing): boolean => {
      const least = state === ABSENT ? this.#settleMs : settleMsOf(finding.rule.name, this.#settleMs);
      return last || nowMs - sinceMs >= least;
    };
    for (const one of this.#standing) {
      if (one.present && one.told?.state !== one.state && settled(one)) tell(one);
    }
    for (const one of this.#standing) {
      if (one.present || one.told === undefined || !settled(one)) continue;
      const { id, told } = one;
      const schema = 'wgwhy/event/1';
      const by = this.#superseder(one, hidden);
      if (by !== undefined && by.told === undefined) tell(by);
      one.told = undefined;
      events.push(
        by === undefined
          ? { schema, event: 'finding-closed', id, ...when, finding: told.as }
          : { schema, event: 'finding-superseded', id, by: by.id, ...when, finding: told.as },
      );
    }
    this.#standing = this.#standing.filter(({ present, told }) => present || told !== undefined);
    return events;
  }

  /** Findings of the outcome to those that stood before: the same ones keep their id. */
  #match(findings: readonly Finding[], nowMs: number): Standing[] {
    const rest = new Set(this.#standing);
    const take = (fits: (one: Standing) => boolean): Standing | undefined => {
      for (const one of rest) {
        if (!fits(one)) continue;
        rest.delete(one);
        return one;
      }
      return undefined;
    };
    const before = new Map<Finding, Standing>();
    for (const alike of [sameKey, sameCase]) {
      for (const finding of findings) {
        if (before.has(finding)) continue;
        const found = take((one) => one.finding.rule.name === finding.rule.name && alike(one.finding, finding));
        if (found !== undefined) before.set(finding, found);
      }
    }
    const ids = new Set(this.#standing.map(({ id }) => id));
    const now = findings.map((finding) => {
      const state = `${finding.severity} ${finding.certainty}`;
      const known = before.get(finding);
      if (known === undefined) {
        const id = freshId(finding, ids);
        ids.add(id);
        return { id, finding, present: true, state, sinceMs: nowMs, told: undefined };
      }
      if (known.state !== state) known.sinceMs = nowMs;
      return Object.assign(known, { finding, present: true, state });
    });
    for (const gone of rest) {
      if (gone.present) gone.sinceMs = nowMs;
      Object.assign(gone, { present: false, state: ABSENT });
    }
    return [...now, ...rest];
  }

  /** What stands in the place of a finding that is gone: what hides it, over as many steps as it takes, or its like. */
  #superseder({ finding }: Standing, hidden: Outcome['hidden']): Standing | undefined {
    const rules = new Set([finding.rule.name]);
    for (const rule of rules) for (const each of hidden) if (each.rule === rule) rules.add(each.by);
    return this.#standing.find(({ present, finding: other }) => {
      if (!present || other.scope !== finding.scope || !rules.has(other.rule.name)) return false;
      return other.rule !== finding.rule || sameKey(other, finding);
    });
  }
}

const settleMsOf = (rule: string, settleMs: number): number =>
  settleMs === 0 ? 0 : Math.max(settleMs, FROM_NOTHING.get(rule) ?? 0);

/** Of what concerns files each sentence is a finding of its own; the scope says which tunnel or capture the others are about. */
function sameKey(a: Finding, b: Finding): boolean {
  return a.rule.on === 'files' ? a.message === b.message : a.scope === b.scope;
}

/** Names of ends change as more is known of them (roaming, a second capture): its evidence then says that it is the same. */
function sameCase(a: Finding, b: Finding): boolean {
  if (a.scope === b.scope && a.subject === b.subject) return true;
  return a.frames.some((x) => b.frames.some((y) => x.capture === y.capture && x.frame === y.frame));
}

/** `no-response a|10.99.1.2:51821 ~ a|203.0.113.10:51820`: unique among those that stand. */
function freshId(finding: Finding, taken: ReadonlySet<string>): string {
  const name = `${finding.rule.name} ${finding.rule.on === 'files' ? finding.subject : finding.scope}`;
  if (!taken.has(name)) return name;
  for (let n = 2; ; n++) if (!taken.has(`${name} #${n}`)) return `${name} #${n}`;
}
