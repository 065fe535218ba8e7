/** The report for people: its layout as snapshots, and what holds for every report. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderText } from '../../src/report/text.ts';
import { sanitise, widthOf } from '../../src/report/text-wrap.ts';
import { anyReport, FAILED, HEALTHY, HOSTILE, NOTHING_READABLE, WARNED } from './samples.ts';

describe.each([60, 100])('at width %i', (width) => {
  test.each([
    ['error', FAILED],
    ['warning', WARNED],
    ['healthy', HEALTHY],
    ['nothing readable', NOTHING_READABLE],
  ] as const)('%s', (_, report) => {
    expect(renderText(report, { width })).toMatchSnapshot();
  });
});

test('verbose: all frames, every finding in full, hidden ones', () => {
  expect(renderText(FAILED, { verbose: true })).toMatchSnapshot();
});

test('hostile text stays text', () => {
  expect(renderText(HOSTILE)).toMatchSnapshot();
});

test('the first line is the verdict', () => {
  const first = (report: Parameters<typeof renderText>[0]) => renderText(report).split('\n', 1)[0];
  expect(first(FAILED)).toMatch(/^why: the initiation was made for a key/);
  expect(first(WARNED)).toBe('warning: 40 of 1000 data messages never arrived (suspected)');
  expect(first(HEALTHY)).toMatch(/^ok: nothing wrong was found in 9 messages/);
  expect(first(NOTHING_READABLE)).toMatch(/^nothing to judge: no file could be read/);
  expect(first({ ...HEALTHY, counts: NOTHING_READABLE.counts })).toBe(
    'nothing to judge: there is no WireGuard message in 0 frames',
  );
  const files = { ...HEALTHY, inputs: FAILED.inputs.slice(2), findings: [], counts: NOTHING_READABLE.counts };
  expect(first(files)).toBe('ok: nothing wrong was found in 1 file; no capture was given');
});

test('an error stands first even where the findings begin with something else', () => {
  const report = { ...FAILED, findings: [...HEALTHY.findings, ...FAILED.findings.slice(0, 1)] };
  expect(renderText(report)).toMatch(/^why: the initiation was made/);
});

test('colour changes nothing but the colour', () => {
  const painted = renderText(FAILED, { colour: true });
  expect(painted).toMatch(/^\u001b\[1;31mwhy:\u001b\[0m /);
  expect(painted.replace(/\u001b\[[0-9;]*m/g, '')).toBe(renderText(FAILED));
  expect(renderText(HOSTILE)).not.toContain('\u001b');
});

test('a command is never broken, prose is', () => {
  const text = renderText(FAILED, { width: 60 });
  for (const command of [
    ...(FAILED.findings[0]?.fix.linux ?? []).slice(1),
    ...(FAILED.findings[0]?.fix.routeros ?? []),
  ]) {
    expect(text).toContain(`\n      ${command}\n`);
  }
});

test('a command behind its occasion stands on a line of its own where both do not fit', () => {
  const capture = "tcpdump -i any -s 0 -w wgwhy.pcap 'udp port 51820 or icmp or icmp6 or (ip[6:2] & 0x1fff != 0)'";
  const linux = [
    'to compare: wg show wg0',
    `on the other end: ${capture}`,
    'there: it is prose that goes on and on until it has to be wrapped somewhere',
  ];
  const findings = FAILED.findings.slice(0, 1).map((finding) => ({ ...finding, fix: { linux } }));
  const text = renderText({ ...FAILED, findings }, { width: 60 });
  expect(text).toContain('\n    - to compare: wg show wg0\n');
  expect(text).toContain(`\n    - on the other end:\n      ${capture}\n`);
  expect(text).toContain(
    '\n    - there: it is prose that goes on and on until it has to\n      be wrapped somewhere\n',
  );
});

test('a width that is no width falls back', () => {
  for (const width of [0, -5, Number.NaN, 10]) {
    for (const line of renderText({ ...HEALTHY, findings: [] }, { width }).split('\n'))
      expect(widthOf(line)).toBeLessThanOrEqual(100);
  }
});

/** The longest word of a line: what may stick out, together with what stands in front of it. */
const longestWord = (line: string): number => Math.max(0, ...line.split(' ').map(widthOf));
/** Prefixes, stamps and lanes that may stand in front of a word that fits nowhere. */
const FURNITURE = 45;

test('any report: never throws, keeps to the width, lets no control character out', () => {
  fc.assert(
    fc.property(anyReport, fc.integer({ min: 60, max: 160 }), fc.boolean(), (report, width, verbose) => {
      const text = renderText(
        { ...report, findings: report.findings.map((f) => ({ ...f, fix: {} })) },
        { width, verbose },
      );
      expect(text.endsWith('\n')).toBe(true);
      for (const line of text.slice(0, -1).split('\n')) {
        expect(sanitise(line)).toBe(line);
        if (widthOf(line) > width) expect(longestWord(line)).toBeGreaterThan(width - FURNITURE);
      }
    }),
    { numRuns: 200 },
  );
});

test('any report: renders with its commands, and without changing it', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const before = JSON.stringify(report);
      expect(renderText(report)).toBe(renderText(JSON.parse(before)));
      expect(JSON.stringify(report)).toBe(before);
    }),
    { numRuns: 50 },
  );
});

describe('another implementation', () => {
  const section = (report: Parameters<typeof renderText>[0]): string | undefined =>
    /\nwhat .* would have done otherwise\n(?:.+\n)+/.exec(renderText(report))?.[0];

  test('nothing is said where the kernel’s rules were asked for', () => {
    expect(section(HEALTHY)).toBeUndefined();
  });

  test('it agrees', () => {
    expect(section({ ...HEALTHY, policy: 'wireguard-go', whatIf: [] })).toBe(
      '\nwhat wireguard-go would have done otherwise\n  - nothing of what these captures show\n',
    );
  });

  test('it does not', () => {
    const [{ id = '' } = {}] = HEALTHY.inputs;
    const frames = [{ input: id, frame: 3, time: '' }];
    const one = { kind: 'response-late', count: 1, frames, linux: 'drops it', other: 'takes it' };
    const many = { kind: 'packet-too-old', count: 7, frames: [], linux: 'refuses it', other: 'takes it' };
    expect(
      section({ ...HEALTHY, policy: 'boringtun', whatIf: [one, many] })
        ?.split('\n')
        .slice(2, -1),
    ).toEqual([
      expect.stringMatching(/^ {2}- 1 message \(.* frame 3\): the kernel drops it; boringtun takes it$/),
      '  - 7 messages: the kernel refuses it; boringtun takes it',
    ]);
  });
});
