/** The JSON is what its schema says, and the schema refuses what it does not say. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventLine, reportJson } from '../../src/report/json.ts';
import { eventSchema, reportSchema } from '../../src/report/schema.ts';
import { anyEvent, anyReport, FAILED, HEALTHY, HOSTILE, NOTHING_READABLE, WARNED } from './samples.ts';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
const isReport = ajv.compile(reportSchema);
const isEvent = ajv.compile(eventSchema);

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('the identifiers name no host', () => {
  expect(reportSchema.$id).toBe('wgwhy/report/1');
  expect(eventSchema.$id).toBe('wgwhy/event/1');
});

test.each([
  ['failed', FAILED],
  ['warned', WARNED],
  ['healthy', HEALTHY],
  ['hostile', HOSTILE],
  ['nothing readable', NOTHING_READABLE],
])('accepts: %s', (_, report) => {
  isReport(JSON.parse(reportJson(report)));
  expect(isReport.errors ?? []).toEqual([]);
});

test('accepts any report and any event', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      isReport(JSON.parse(reportJson(report)));
      expect(isReport.errors ?? []).toEqual([]);
    }),
  );
  fc.assert(
    fc.property(anyEvent, (event) => {
      isEvent(JSON.parse(eventLine(event)));
      expect(isEvent.errors ?? []).toEqual([]);
    }),
  );
});

/** Every object in a value that is not one of the open dictionaries, by its path. */
function* objects(
  value: unknown,
  path: readonly string[] = [],
): Generator<{ path: readonly string[]; object: Record<string, unknown> }> {
  if (Array.isArray(value)) {
    for (const [i, inner] of value.entries()) yield* objects(inner, [...path, String(i)]);
  } else if (typeof value === 'object' && value !== null) {
    if (['facts', 'skipped', 'messages', 'verdicts'].includes(path.at(-1) ?? '')) return;
    yield { path, object: value as Record<string, unknown> };
    for (const [name, inner] of Object.entries(value)) yield* objects(inner, [...path, name]);
  }
}

describe('refuses', () => {
  test('a field it does not know, anywhere', () => {
    let tried = 0;
    for (const { path } of objects(asJson(FAILED))) {
      const copy = asJson(FAILED);
      for (const { path: here, object } of objects(copy)) if (here.join('/') === path.join('/')) object['surprise'] = 1;
      expect(isReport(copy), path.join('/')).toBe(false);
      tried++;
    }
    expect(tried).toBeGreaterThan(20);
  });

  test('a report without any one of its fields', () => {
    for (const name of Object.keys(FAILED)) {
      const copy = { ...FAILED } as Record<string, unknown>;
      delete copy[name];
      expect(isReport(copy), name).toBe(false);
    }
  });

  test.each([
    ['another version', { ...FAILED, schema: 'wgwhy/report/2' }],
    ['a time that is none', { ...FAILED, inputs: [{ ...FAILED.inputs[0], from: 'yesterday' }] }],
    ['a severity that is none', { ...FAILED, findings: [{ ...FAILED.findings[0], severity: 'fatal' }] }],
    ['a nested fact', { ...FAILED, findings: [{ ...FAILED.findings[0], facts: { a: { b: 1 } } }] }],
    [
      'a frame before the first',
      { ...FAILED, findings: [{ ...FAILED.findings[0], frames: [{ input: 'a', frame: 0, time: '' }] }] },
    ],
    ['an offset as a number', { ...FAILED, clockOffsets: [{ ...FAILED.clockOffsets[0], offsetNs: 5 }] }],
    ['a third bound', { ...FAILED, clockOffsets: [{ ...FAILED.clockOffsets[0], boundNs: [null, null, null] }] }],
    ['a negative count', { ...FAILED, counts: { ...FAILED.counts, skipped: { tzsp: -1 } } }],
  ])('%s', (_, report) => {
    expect(isReport(asJson(report))).toBe(false);
  });

  test('an event with a foreign field, an index in capitals, an unknown name', () => {
    const at = { input: 'a', frame: 1, time: '' };
    const message = { schema: 'wgwhy/event/1', event: 'message', at, message: 'data', from: 'x', to: 'y', length: 32 };
    expect(isEvent(message)).toBe(true);
    expect(isEvent({ ...message, psk: 'x' })).toBe(false);
    expect(isEvent({ ...message, sender: '0xABCDEF01' })).toBe(false);
    expect(isEvent({ ...message, event: 'mystery' })).toBe(false);
  });
});

describe('the text of the JSON', () => {
  test('a document ends with a line feed, an event is exactly one line', () => {
    expect(reportJson(FAILED).endsWith('}\n')).toBe(true);
    fc.assert(
      fc.property(anyEvent, (event) => {
        const line = eventLine(event);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(JSON.parse(line)).toEqual(asJson(event));
      }),
    );
  });

  test('nothing in it acts on a terminal', () => {
    const json = reportJson(HOSTILE);
    expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(JSON.parse(json)).toEqual(asJson(HOSTILE));
  });
});
