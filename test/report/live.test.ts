/** Captures played as if they were being taken: what is told meanwhile, and that the report at the end is the same. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type DiagnoseOptions, diagnose, type Source } from '../../src/report/diagnose.ts';
import { back, capture, data, initiation, response, type Sent, talk, there } from '../diagnose/traffic.ts';
import { bytesSource, LAB_CASES, labFile } from '../scenarios/lab.ts';
import { type Feed, type FeedOptions, type Played, play, playLab, told } from './live-feed.ts';

describe('nothing is wrong: no error is opened, after whichever frame it is judged', () => {
  const healthy = LAB_CASES.filter(({ view }) => view.first.every((rule) => rule === null));
  /** The larger ones in steps; test/long takes every frame of all. */
  const strideOf = (files: readonly string[]): number =>
    Math.ceil(files.reduce((sum, file) => sum + labFile(file).length, 0) / 10_000);

  test('the set', () => expect(healthy.length).toBeGreaterThan(60));

  test.each(healthy.map((one) => [one.id, one] as const))('%s', async (_, one) => {
    const { events } = await playLab(one, { pace: 'every-frame', settleMs: 0, stride: strideOf(one.files) });
    expect(told(events).filter((line) => line.startsWith('+ error'))).toEqual([]);
  });
});

describe('judging on the way changes nothing', () => {
  const small = LAB_CASES.filter(({ folder }) => folder.startsWith('lab/'));

  const stride = fc.integer({ min: 1, max: 7 });
  const pace = fc.constantFrom('every-frame' as const, 'real-time' as const);
  const settleMs = fc.constantFrom(0, 2000);

  test.each(small.map((one) => [one.id, one] as const))('%s', async (_, one) => {
    const sources = one.files.map((file) => bytesSource(file, labFile(file)));
    const plain = await diagnose(sources, { crypto: nodeCrypto, ...(one.at === undefined ? {} : { at: one.at }) });
    const property = fc.asyncProperty(fc.record({ stride, pace, settleMs }), async (feed) => {
      const { report, events } = await playLab(one, feed);
      expect(report).toEqual(plain.report);
      // what stands open at the end is what the report says
      expect(standing(events)).toEqual(report.findings.map(({ rule, subject }) => `${rule} ${subject}`).sort());
    });
    await fc.assert(property, { numRuns: 1 });
  });
});

const errors = (events: Played['events']): string[] => told(events).filter((line) => line.includes('error'));

/** What was opened last under each id and not ended. */
function standing(events: Played['events']): string[] {
  const open = new Map<string, string>();
  for (const { event, id, finding } of events) {
    if (event === 'finding-opened') open.set(id, `${finding.rule} ${finding.subject}`);
    else open.delete(id);
  }
  return [...open.values()].sort();
}

const ask = (at: number, index: number): Sent => there(at, initiation(index));
const UNANSWERED = [ask(0, 1), ask(5.1, 2), ask(10.3, 3)];
/** The retry that succeeds, and its first packet. */
const ANSWERED = [ask(15.4, 4), back(15.42, response(1004, 4)), there(15.43, data(1004, 0))];
const REAL_TIME: FeedOptions = { pace: 'real-time' };

const source = (packets: readonly Sent[]): Source => bytesSource('client.pcap', capture(packets));
const playPackets = (packets: readonly Sent[], after?: (feed: Feed) => void, options: DiagnoseOptions = {}) =>
  play([source(packets)], { ...REAL_TIME, ...(after === undefined ? {} : { after }) }, { at: 'initiator', ...options });

describe('as time passes', () => {
  test('a server that is down and comes up', async () => {
    const { events, report } = await playPackets([...UNANSWERED, ...ANSWERED, there(20, data(1004, 1))]);
    expect(told(events)).toEqual([
      '+ info proven key-missing',
      '+ error suspected no-response',
      '+ info proven handshake-retried',
      '- error suspected no-response',
    ]);
    const [, opened, , closed] = events;
    expect(opened?.id).toBe(closed?.id);
    // six seconds of silence, as long again as frames may be under way, and as long as it has to stand
    expect(opened?.at).toMatchObject({ input: 'a', frame: 2, time: expect.stringMatching(/T22:13:2[7-9]/) });
    expect(closed?.at).toMatchObject({ input: 'a', frame: 6 });
    expect(report.findings.map(({ rule }) => rule)).toEqual(['handshake-retried', 'key-missing']);
  });

  test('silence grows while nothing comes', async () => {
    const last = UNANSWERED.slice(0, 2);
    expect(errors((await playPackets(last)).events)).toEqual([]);
    const { events, report } = await playPackets(last, (feed) => feed.pass(5000));
    expect(errors(events)).toEqual(['+ error suspected no-response']);
    expect(report.findings[0]?.rule).toBe('no-response');
  });

  test('a stream that comes in blocks is given the time it takes', async () => {
    // a block every 18 seconds, as tcpdump without -U writes it; one of them ends between a retry and its answer
    const arrival = (ms: number): number => Math.ceil(ms / 18_000) * 18_000;
    const pings = Array.from({ length: 20 }, (_, i) => [
      there(1 + 6 * i, data(1001, 1 + i)),
      back(1.1 + 6 * i, data(1, 1 + i)),
    ]).flat();
    const renewed = [back(126.02, response(1003, 3)), there(126.03, data(1003, 0)), there(150, data(1003, 1))];
    const packets = [...talk(), ...pings, ask(120.8, 2), ask(125.95, 3), ...renewed];
    const { events } = await play([source(packets)], { ...REAL_TIME, arrival }, { at: 'initiator' });
    expect(errors(events)).toEqual([]);
  });

  test('a sharper finding takes the place of a vaguer one', async () => {
    const one = LAB_CASES.find(({ id }) => id === 'lab/reply-drop both');
    if (one === undefined) throw new Error('there is no such case');
    const { events } = await playLab(one, { pace: 'real-time', settleMs: 0, after: (feed) => feed.pass(10_000) });
    expect(told(events)).toEqual([
      '+ error suspected session-unconfirmed',
      '+ error proven response-lost-on-path',
      '< error suspected session-unconfirmed (response-lost-on-path)',
    ]);
  });

  test('what only files show is told without any frame', async () => {
    const files = ['client.conf', 'server.conf'].map((name) => bytesSource(name, labFile(`lab/psk-mismatch/${name}`)));
    const { events } = await play([source([]), ...files], { ...REAL_TIME, after: (feed) => feed.pass(5000) });
    expect(told(events)).toEqual(['+ error proven psk-differs', '+ info suspected initiation-never-arrives']);
    expect(events[0]).not.toHaveProperty('at');
  });
});

describe('two ends at once', () => {
  test('both captures are read side by side, by one clock', async () => {
    const one = LAB_CASES.find(({ id }) => id === 'lab/wrong-server-key both');
    if (one === undefined) throw new Error('there is no such case');
    const { events } = await playLab(one, { pace: 'real-time' });
    expect(told(events)).toEqual(['+ error proven wrong-responder-key', '+ error deduced key-mismatch']);
    // of three in each capture: before the end
    expect(events[0]?.at?.frame).toBe(1);
  });
});

describe('stopping', () => {
  test('what was read until then is judged, and the cut is no damage', async () => {
    const stop = new AbortController();
    const bytes = capture(UNANSWERED);
    const { report } = await diagnose([{ name: 'client.pcap', open: () => endless(bytes.subarray(0, -10)) }], {
      onProgress: ({ frames }) => {
        if (frames === 2) stop.abort();
      },
      live: { monoMs: () => 0, everySecond: () => () => {}, signal: stop.signal },
    });
    expect([report.counts.frames, report.problems]).toEqual([2, []]);
    expect(report.findings.map(({ rule }) => rule)).not.toContain('capture-damaged');
  });

  test('before anything came', async () => {
    const stop = new AbortController();
    const live = { monoMs: () => 0, everySecond: () => () => {}, signal: stop.signal };
    const running = diagnose([{ name: '-', open: () => endless(new Uint8Array(0)) }], { live });
    stop.abort();
    const { usable, report } = await running;
    expect([usable, report.problems.map(({ message }) => message)]).toEqual([
      false,
      ['this is an empty file, which is not read'],
    ]);
  });

  test('a rule that throws in a tick ends the run, and is not lost', async () => {
    let tick = (): void => {};
    const live = {
      monoMs: (): number => {
        throw new Error('the clock is broken');
      },
      everySecond: (run: () => void) => {
        tick = run;
        return () => {};
      },
    };
    const running = diagnose([{ name: 'a', open: () => endless(capture([])) }], { live });
    const failed = expect(running).rejects.toThrow('the clock is broken');
    while (tick.name === 'tick') await Promise.resolve();
    tick();
    await failed;
  });
});

/** What was there, and then nothing more, ever. */
async function* endless(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await new Promise(() => {});
}
