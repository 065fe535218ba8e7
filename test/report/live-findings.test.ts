/** Findings from one evaluation to the next: what is told when, and under which name. */
import { describe, expect, test } from 'vitest';
import { rules } from '../../src/diagnose/registry.ts';
import type { Finding, Outcome } from '../../src/diagnose/run.ts';
import { LiveFindings, SETTLE_MS } from '../../src/report/live-findings.ts';
import { told } from './live-feed.ts';

function found(rule: string, more: Partial<Finding> = {}): Finding {
  const known = rules.find(({ name }) => name === rule);
  if (known === undefined) throw new Error(`there is no rule ${rule}`);
  return {
    rule: known,
    severity: known.severity,
    certainty: 'deduced',
    subject: 'handshake:0x00000001',
    scope: 'a|x ~ a|y',
    initiators: new Set(),
    later: false,
    frames: [],
    facts: {},
    ruledOut: [],
    missing: [],
    notes: [],
    message: rule,
    fix: {},
    edits: [],
    corroborates: [],
    ...more,
  };
}

const outcome = (findings: readonly Finding[], hidden: Outcome['hidden'] = []): Outcome => ({ findings, hidden });
const NOTHING = outcome([]);

/** Evaluations a second apart; an item is what one of them found. */
function run(steps: readonly (Outcome | readonly Finding[])[], last = false) {
  const live = new LiveFindings();
  return steps.flatMap((step, i) => {
    const found = 'findings' in step ? step : outcome(step);
    return live.update(found, i * 1000, undefined, last && i === steps.length - 1);
  });
}

const silent = found('no-response');

describe('when', () => {
  test('what stands is opened once, what is gone is closed once', () => {
    const steps = [[silent], [silent], [silent], [silent], NOTHING, NOTHING, NOTHING, NOTHING];
    expect(told(run(steps))).toEqual(['+ error deduced no-response', '- error deduced no-response']);
  });

  test('what comes and goes is not told', () => {
    expect(run([[silent], [silent], NOTHING, [silent], [silent], NOTHING])).toEqual([]);
    const steps = [[silent], [silent], [silent], NOTHING, NOTHING, [silent], [silent], NOTHING, [silent]];
    expect(told(run(steps))).toEqual(['+ error deduced no-response']);
  });

  test('it takes as long as it takes, and not longer', () => {
    const live = new LiveFindings();
    expect(live.update(outcome([silent]), 0, undefined)).toEqual([]);
    expect(live.update(outcome([silent]), SETTLE_MS - 1, undefined)).toEqual([]);
    expect(live.update(outcome([silent]), SETTLE_MS, undefined)).toHaveLength(1);
  });

  test('at the end all is told', () => {
    expect(told(run([[silent]], true))).toEqual(['+ error deduced no-response']);
    expect(told(run([[silent], [silent], [silent], NOTHING], true))).toEqual([
      '+ error deduced no-response',
      '- error deduced no-response',
    ]);
    expect(run([[silent], NOTHING], true)).toEqual([]);
  });

  test('that nothing came at all is told after half a minute', () => {
    const nothing = found('initiation-never-arrives', { scope: 'capture:a' });
    const live = new LiveFindings();
    for (const [ms, events] of [
      [0, 0],
      [29_000, 0],
      [30_000, 1],
    ] as const)
      expect(live.update(outcome([nothing]), ms, undefined)).toHaveLength(events);
  });

  test('a growing count is no news, another certainty is', () => {
    const more = found('no-response', { message: 'more of it', facts: { initiations: 4 } });
    const sure = found('no-response', { certainty: 'proven' });
    const events = run([[silent], [silent], [silent], [more], [more], [more], [sure], [sure], [sure]]);
    expect(told(events)).toEqual(['+ error deduced no-response', '= error proven no-response']);
    expect(new Set(events.map(({ id }) => id)).size).toBe(1);
    expect(told(run([[silent], [silent], [silent], [sure], [silent], [sure], [silent]]))).toHaveLength(1);
  });

  test('the moment goes with it', () => {
    const at = { input: 'a', frame: 3, time: '2026-11-21T02:00:37.944654000Z' };
    expect(new LiveFindings(0).update(outcome([silent]), 0, at)).toMatchObject([{ at }]);
  });
});

describe('what takes its place', () => {
  const sharp = found('wrong-responder-key', { certainty: 'proven' });
  const hidden = [{ rule: 'no-response', by: 'wrong-responder-key', subject: silent.subject }];
  const sharper = outcome([sharp], hidden);

  test('a sharper finding, opened before the vaguer one goes', () => {
    const events = run([[silent], [silent], [silent], sharper, sharper, sharper]);
    expect(told(events)).toEqual([
      '+ error deduced no-response',
      '+ error proven wrong-responder-key',
      '< error deduced no-response (wrong-responder-key)',
    ]);
  });

  test('also where the sharper one has not stood for long', () => {
    const events = run([[silent], [silent], [silent], NOTHING, NOTHING, sharper]);
    expect(told(events).slice(1)).toEqual([
      '+ error proven wrong-responder-key',
      '< error deduced no-response (wrong-responder-key)',
    ]);
  });

  test('over a third that is hidden itself', () => {
    const chain = [
      { rule: 'no-response', by: 'responder-silent', subject: silent.subject },
      { rule: 'responder-silent', by: 'wrong-responder-key', subject: silent.subject },
    ];
    const events = run([[silent], [silent], [silent], outcome([sharp], chain)], true);
    expect(told(events).at(-1)).toBe('< error deduced no-response (wrong-responder-key)');
  });

  test('not one of another tunnel, and not one that hides nothing', () => {
    const elsewhere = outcome([{ ...sharp, scope: 'a|x ~ a|z' }], hidden);
    const beside = outcome([found('handshake-retried')]);
    for (const step of [elsewhere, beside])
      expect(told(run([[silent], [silent], [silent], step], true))).toContain('- error deduced no-response');
  });
});

describe('which is which', () => {
  const open = (...steps: readonly (readonly Finding[])[]) => {
    const live = new LiveFindings(0);
    return steps.flatMap((findings, i) => live.update(outcome(findings), i * 1000, undefined));
  };

  test('a later attempt of the same tunnel is the same finding', () => {
    expect(told(open([silent], [{ ...silent, subject: 'handshake:0x00000009' }]))).toHaveLength(1);
  });

  test('another tunnel is another', () => {
    const other = { ...silent, scope: 'a|x ~ a|z' };
    const events = open([silent], [silent, other], [other]);
    expect(told(events)).toEqual([
      '+ error deduced no-response',
      '+ error deduced no-response',
      '- error deduced no-response',
    ]);
    expect(events[2]?.id).toBe(events[0]?.id);
  });

  test('an end that gets another name is known by its frames', () => {
    const frames = [{ capture: 'a', frame: 1, time: { sec: 1, nsec: 0 } }];
    expect(told(open([{ ...silent, frames }], [{ ...silent, frames, scope: 'b|x ~ b|y' }]))).toHaveLength(1);
  });

  test('one and the same, twice on one tunnel: each has its name, and the rest joins the other', () => {
    const weaker = { ...silent, certainty: 'suspected' } as const;
    const events = open([silent, weaker], [silent]);
    expect(told(events)).toEqual([
      '+ error deduced no-response',
      '+ error suspected no-response',
      '< error suspected no-response (no-response)',
    ]);
    expect(events[1]?.id).toBe(`${events[0]?.id} #2`);
  });

  test('in files each sentence stands for itself', () => {
    const file = { subject: 'file:client.conf', scope: 'files' };
    const one = found('key-mismatch', { ...file, message: 'line 3' });
    const two = found('key-mismatch', { ...file, message: 'line 9' });
    const events = open([one, two], [two]);
    expect(events).toHaveLength(3);
    expect(events[2]).toMatchObject({ event: 'finding-closed', id: events[0]?.id, finding: { message: 'line 3' } });
  });
});
