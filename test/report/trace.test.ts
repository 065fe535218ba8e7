/** Traces: every figure of every vector, what stops where keys are missing, what differs with another PSK, and live. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { type PresharedKey, presharedKey, privateKey, publicKey, ZERO_PSK } from '../../src/base/keys.ts';
import { noble } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { Fingerprints } from '../../src/report/fingerprints.ts';
import { makeVectors } from '../../src/report/make-vectors.ts';
import { figuresOf, isWhole, traceDocument } from '../../src/report/trace-document.ts';
import { traceJson } from '../../src/report/trace-json.ts';
import { firstDifference, type TraceRow, traceRows } from '../../src/report/trace-rows.ts';
import { runTrace, secretsBy } from '../../src/report/trace-run.ts';
import { traceSchema, vectorsSchema } from '../../src/report/trace-schema.ts';
import { renderTrace } from '../../src/report/trace-text.ts';
import { readVectors } from '../../src/report/trace-vectors.ts';
import type { Traceable } from '../../src/report/vector-json.ts';
import type { TraceStep } from '../../src/wg/noise/trace.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { corpus, packetOf } from '../wg/corpus.ts';
import { INNER_A, INNER_B, ipv4, Link, pair } from '../wg/harness.ts';

const project = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8'));
const outside = (name: string): unknown => JSON.parse(readFileSync(shared(`vectors/${name}`), 'utf8'));

function read(json: unknown, frame?: number): readonly Traceable[] {
  const found = readVectors(nodeCrypto, json, frame);
  return found.ok ? found.value : expect.fail(found.error);
}

const documentOf = (one: Traceable) =>
  traceDocument(nodeCrypto, { ...one, runs: [{ name: one.psk.where, rows: one.rowsWith(one.psk) }] });

/** How many figures of the file agree, where all do. */
function agreeing(one: Traceable): number {
  const document = documentOf(one);
  const { agreeing: count, unlike, absent } = document.check(one.expected ?? new Map());
  expect([one.title, unlike, absent]).toEqual([one.title, [], []]);
  expect(isWhole(document)).toBe(true);
  return count;
}

describe('every figure of the vectors', () => {
  test('the drop corpus: both traces and the ping', () => {
    expect(read(project('drop_corpus.json')).map(agreeing)).toEqual([27]);
  });

  test('plain Noise: messages, hash, keys', () => {
    expect(read(project('noise_ikpsk2.json')).map(agreeing)).toEqual([9, 7, 7, 7, 7]);
  });

  describe.skipIf(SHARED_ABSENT)('files outside of the project', () => {
    test.each([
      ['drop_corpus.json', [27]],
      ['noise_ikpsk2.json', [9, 7, 7, 7, 7]],
      ['session_wireshark_ping_tcp.json', [28, 28]],
    ])('%s', (name, counts) => {
      expect(read(outside(name)).map(agreeing)).toEqual(counts);
    });

    test('each frame of the session', () => {
      const counts = Array.from({ length: 22 }, (_, i) =>
        read(outside('session_wireshark_ping_tcp.json'), i + 1)
          .map(agreeing)
          .join(),
      );
      const data = (count: number) => Array.from({ length: count }, () => '29');
      expect(counts).toEqual(['15', '28', ...data(10), '15', '28', ...data(8)]);
    });
  });

  test('a figure that is altered is the first that differs', () => {
    const json = JSON.parse(JSON.stringify(project('drop_corpus.json')));
    json.trace_response.ck_after_se = '00'.repeat(32);
    json.trace_response.tau = '00'.repeat(32);
    const [one] = read(json);
    const document = documentOf(one ?? expect.fail());
    const { unlike } = document.check(document.expected ?? expect.fail());
    expect(unlike).toEqual(['response.ck_after_se', 'response.tau']);
    expect(isWhole(document)).toBe(false);
  });

  test.each<[unknown, string]>([
    [[], 'layouts'],
    [[[]], 'layouts'],
    [[{ frames: [] }], 'private keys'],
    [null, 'layouts'],
    [{ keys: {}, cases: [] }, 'private keys'],
    [{ keys: { initiator_static_private: '00'.repeat(32) }, cases: [] }, 'init.ok'],
    [{ frames: [] }, 'private keys'],
    [{ vectors: [{ init_static: 'zz' }] }, 'private keys'],
  ])('what is not read: %j', (json, why) => {
    const found = readVectors(nodeCrypto, json);
    expect(found.ok ? 'read' : found.error).toContain(why);
  });

  test('whatever the JSON is, reading and tracing it does not throw', () => {
    const leaf = fc.oneof(
      fc.constant('00'.repeat(32)),
      fc.string(),
      fc.integer(),
      fc.constant(toHex(packetOf('init.ok'))),
    );
    const names = fc.constantFrom(
      'keys',
      'cases',
      'frames',
      'vectors',
      'messages',
      'packet',
      'id',
      'init_static',
      'psk',
    );
    const tree = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('any')), fc.dictionary(names, tie('any'))),
    })).any;
    fc.assert(
      fc.property(tree, (json) => {
        const found = readVectors(nodeCrypto, json);
        if (found.ok) for (const one of found.value) one.rowsWith(one.psk);
      }),
      { numRuns: 100 },
    );
  });
});

const { keys } = corpus;
const SECRETS = {
  si: privateKey(keys.initiator_static_private),
  sr: privateKey(keys.responder_static_private),
  ei: privateKey(keys.initiator_ephemeral_private),
  er: privateKey(keys.responder_ephemeral_private),
};
const PSK = presharedKey(keys.psk);

function trace(known: readonly (keyof typeof SECRETS)[], psk: PresharedKey = PSK, more: object = {}): TraceRow[] {
  const secrets = known.map((name) => SECRETS[name]);
  return runTrace(
    nodeCrypto,
    {
      initiation: { bytes: packetOf('init.ok') },
      response: { bytes: packetOf('resp.ok') },
      responder: publicKey(keys.responder_static_public),
      secretOf: secretsBy(nodeCrypto, secrets),
      ...more,
    },
    psk,
  );
}

const ALL = ['start', '← s', 'e', 'es', 's', 'ss', '{t}', 'mac1', 'e', 'ee', 'se', 'psk', '{}', 'keys', 'mac1'];
const tokens = (rows: readonly TraceRow[]): string => rows.map(({ token }) => token).join(' ');
const upTo = (count: number): string => ALL.slice(0, count).join(' ');

test.each<[(keyof typeof SECRETS)[], number, string[] | undefined]>([
  [[], 4, ['E_i^priv', 'S_r^priv']],
  [['si'], 4, ['E_i^priv', 'S_r^priv']],
  [['ei'], 6, ['S_i^priv', 'S_r^priv']],
  [['sr'], 10, ['E_i^priv', 'E_r^priv']],
  [['sr', 'si'], 10, ['E_i^priv', 'E_r^priv']],
  [['sr', 'ei'], 11, ['S_i^priv', 'E_r^priv']],
  [['si', 'ei'], 15, undefined],
  [['sr', 'er'], 15, undefined],
])('with %j it goes as far as row %i', (known, count, missing) => {
  const rows = trace(known);
  expect(tokens(rows)).toBe(upTo(count));
  expect(rows.at(-1)?.missing).toEqual(missing);
  // what was computed is what whoever has all keys computes
  const full = trace(['si', 'sr', 'ei', 'er']);
  const computed = rows.slice(0, missing === undefined ? count : count - 1);
  expect(firstDifference(computed, full.slice(0, computed.length))).toBeUndefined();
});

describe('what is missing or refused', () => {
  test('no key fits the initiation', () => {
    const rows = trace(['si'], PSK, { responder: undefined });
    expect([tokens(rows), rows.at(-1)?.missing]).toEqual(['start ← s', ['S_r^pub']]);
  });

  test('the initiation is not there', () => {
    const rows = trace(['si'], PSK, { initiation: undefined });
    expect(rows.at(-1)?.missing).toEqual(['the initiation that this answers: it is not in the capture']);
  });

  test.each<[string, string, string, RegExp]>([
    ['init.static_aead', 'resp.ok', upTo(5), /^msg.static does not open/],
    ['init.timestamp_aead', 'resp.ok', upTo(7), /^msg.timestamp does not open/],
    ['init.zero_ephemeral', 'resp.ok', upTo(4), /^DH\(E_i\^priv, S_r\^pub\) is all zero/],
    ['init.ok', 'resp.empty_tag_altered', upTo(13), /^msg.empty does not open/],
    ['init.ok', 'resp.psk_other', upTo(13), /Q is not the one it was made with/],
    ['init.ok', 'resp.zero_ephemeral', upTo(10), /^DH\(E_r\^priv, E_i\^pub\) is all zero/],
    ['init.ok', 'resp.mac1_bit', upTo(15), /another MAC1/],
  ])('%s, %s', (initiation, response, wanted, why) => {
    const messages = { initiation: { bytes: packetOf(initiation) }, response: { bytes: packetOf(response) } };
    const rows = trace(['si', 'sr', 'ei'], PSK, messages);
    expect(tokens(rows)).toBe(wanted);
    expect(rows.at(-1)?.refused).toMatch(why);
  });
});

describe('a second run beside the first', () => {
  const run = (psk: PresharedKey) => trace(['si', 'ei'], psk);

  test.each([
    ['another PSK', presharedKey(keys.psk_other)],
    ['none', ZERO_PSK],
  ])('%s: Q differs first, and all that comes of it', (_, psk) => {
    const [one, other] = [run(PSK), run(psk)];
    const at = firstDifference(one, other) ?? expect.fail();
    expect([one[at.row]?.token, one[at.row]?.values[at.value]?.symbol]).toEqual(['psk', 'Q']);
    const [mine, theirs] = [one[at.row]?.values ?? [], other[at.row]?.values ?? []];
    expect(mine.map(({ bytes }, i) => toHex(bytes) === toHex(theirs[i]?.bytes ?? new Uint8Array()))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test('the same PSK: no difference', () => expect(firstDifference(run(PSK), run(PSK))).toBeUndefined());
});

describe('fingerprints', () => {
  const named = (rows: readonly TraceRow[], ...beside: (readonly TraceRow[])[]): Map<string, string> => {
    const fingerprints = new Fingerprints(nodeCrypto, rows, ...beside);
    return new Map(
      rows.flatMap(({ message, token, values }) =>
        values.map((value) => [`${message} ${token} ${value.symbol}`, fingerprints.of(value)] as const),
      ),
    );
  };

  test('the same at either end, with one run or two', () => {
    const initiator = named(trace(['si', 'ei']));
    expect(named(trace(['sr', 'er']))).toEqual(initiator);
    expect(named(trace(['si', 'ei']), trace(['si', 'ei'], ZERO_PSK))).toEqual(initiator);
    expect(new Set(initiator.values()).size).toBeGreaterThan(20);
  });

  test('an initiation alone names its secrets as the whole handshake does', () => {
    const whole = named(trace(['si', 'ei']));
    const part = named(trace(['sr']));
    for (const [symbol, name] of part) expect([symbol, whole.get(symbol)]).toEqual([symbol, name]);
  });

  test('who lacks ee cannot test guesses of the PSK: its name depends on every DH', () => {
    const rows = trace(['si', 'ei']);
    const q = 'response psk Q';
    for (const token of ['es', 'ss', 'ee', 'se']) {
      const altered = rows.map((row) => {
        const [dh, ...rest] = row.values;
        if (row.token !== token || dh === undefined) return row;
        return { ...row, values: [{ ...dh, bytes: dh.bytes.map((byte) => byte ^ 1) }, ...rest] };
      });
      expect(named(altered).get(q)).not.toBe(named(rows).get(q));
    }
    expect(named(trace(['si', 'ei'], ZERO_PSK)).get(q)).toBe('zero');
  });
});

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });

describe('JSON', () => {
  const valid = ajv.compile(traceSchema);
  const [one = expect.fail()] = read(project('drop_corpus.json'));
  const json = (showSecrets: boolean): object => traceJson(documentOf(one), 'wgwhy 0.0.0', showSecrets);

  test.each([true, false])('by its schema, secrets shown: %s', (showSecrets) => {
    expect(valid(json(showSecrets)), ajv.errorsText(valid.errors)).toBe(true);
  });

  test('with secrets its traces are those of the corpus, and it can be read back', () => {
    const { trace_initiation, trace_response } = project('drop_corpus.json') as Record<string, object>;
    expect(json(true)).toMatchObject({ trace_initiation, trace_response });
    expect(read(JSON.parse(JSON.stringify(json(true)))).map(agreeing)).toEqual([29]);
  });

  test('without, it holds none of them', () => {
    const text = JSON.stringify(json(false));
    const rows = one.rowsWith(one.psk);
    for (const { secrecy, bytes } of rows.flatMap(({ values }) => values))
      if (secrecy !== 'public') expect(text).not.toContain(toHex(bytes));
    for (const { state } of rows.slice(3)) expect(text).not.toContain(toHex(state?.chainingKey ?? new Uint8Array(32)));
    for (const secret of [...Object.values(SECRETS), PSK]) expect(text).not.toContain(toHex(secret));
  });
});

describe('vectors of a fresh handshake', () => {
  const valid = ajv.compile(vectorsSchema);

  test('whatever the seed: by the schema, whole, and the same twice', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const made = makeVectors(nodeCrypto, seed, 'wgwhy 0.0.0');
        expect(valid(made), ajv.errorsText(valid.errors)).toBe(true);
        expect(read(made).map(agreeing)).toEqual([29]);
        expect(makeVectors(nodeCrypto, seed, 'wgwhy 0.0.0')).toEqual(made);
      }),
      { numRuns: 8 },
    );
  });

  test('another backend makes the same, another seed nothing of it', () => {
    const made = makeVectors(nodeCrypto, 'a', 't');
    expect(makeVectors(noble, 'a', 't')).toEqual(made);
    expect(JSON.stringify(makeVectors(nodeCrypto, 'b', 't'))).not.toContain(
      (made as { keys: { psk: string } }).keys.psk,
    );
  });

  test('the responses with another PSK and without are refused, each with its trace', () => {
    type Made = { keys: Record<string, string>; cases: { id: string; packet: string }[] };
    const made = makeVectors(nodeCrypto, 'c', 't') as Made & Record<string, unknown>;
    for (const [id, figure, key] of [
      ['resp.psk_other', 'trace_response_psk_other', made.keys['psk_other']],
      ['resp.psk_missing_on_responder', 'trace_response_psk_missing_on_responder', '00'.repeat(32)],
    ] as const) {
      const packet = made.cases.find((one) => one.id === id)?.packet;
      const cases = [made.cases[0], { id: 'resp.ok', packet }];
      const refused = read({ ...made, cases }).map(documentOf);
      expect(refused.map(isWhole)).toEqual([false]);
      const fitting = read({ ...made, cases, keys: { ...made.keys, psk: key }, trace_response: made[figure] });
      expect(fitting.map(agreeing)).toEqual([28]);
    }
  });
});

describe('on the engine live', () => {
  test('both ends tell the same steps as they make and read the messages, and a hook changes no byte', () => {
    const [a, b]: TraceStep[][] = [[], []];
    const psk = PSK;
    const plain = new Link(pair({ pskA: psk, pskB: psk }));
    const told = new Link(
      pair({ pskA: psk, pskB: psk, a: { trace: (s) => a?.push(s) }, b: { trace: (s) => b?.push(s) } }),
    );
    for (const link of [plain, told]) {
      link.send('a', ipv4(INNER_A, INNER_B));
      link.runTo(40);
    }
    const bytes = (link: Link): string[] => link.seen.map((seen) => toHex(seen.bytes));
    expect(bytes(told)).toEqual(bytes(plain));
    const [mine, theirs] = [traceRows(a ?? []), traceRows(b ?? [])];
    expect(tokens(mine)).toBe('start ← s e es s ss {t} e ee se psk {} keys');
    expect(firstDifference(mine, theirs)).toBeUndefined();
    const wire = (at: number, from: number, to: number): Bytes =>
      told.seen[at]?.bytes.subarray(from, to) ?? expect.fail();
    const value = (symbol: string) =>
      mine.flatMap(({ values }) => values).find((one) => one.symbol === symbol)?.bytes ?? expect.fail();
    expect(value('msg.static')).toEqual(wire(0, 40, 88));
    expect(value('msg.timestamp')).toEqual(wire(0, 88, 116));
    expect(value('msg.empty')).toEqual(wire(1, 44, 60));
    expect(figuresOf(mine).get('response.tau')?.bytes).toHaveLength(32);
  });

  test('PSKs that differ: the ends part at Q, and the one that reads is refused', () => {
    const [a, b]: TraceStep[][] = [[], []];
    const link = new Link(
      pair({ pskA: PSK, a: { trace: (step) => a?.push(step) }, b: { trace: (step) => b?.push(step) } }),
    );
    link.send('a', ipv4(INNER_A, INNER_B));
    link.runTo(40);
    const [mine, theirs] = [traceRows(a ?? []), traceRows(b ?? [])];
    const at = firstDifference(mine, theirs) ?? expect.fail();
    expect([mine[at.row]?.token, mine[at.row]?.values[at.value]?.symbol]).toEqual(['psk', 'Q']);
    expect(mine.at(-1)?.refused).toMatch(/^msg.empty does not open/);
    const runs = [
      { name: 'initiator', rows: mine },
      { name: 'responder', rows: theirs },
    ] as const;
    const text = renderTrace(traceDocument(nodeCrypto, { title: 'live', runs }));
    expect(text).toMatch(/Q {20,}#[0-9a-f]{8} +zero +← the first that differs\n/);
    expect(text).not.toContain(toHex(PSK).slice(0, 16));
  });
});
