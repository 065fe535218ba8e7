/** Reports written by hand, and a generator of arbitrary ones that knows every field by type. */
import fc from 'fast-check';
import type { WgwhyEvent } from '../../src/report/event.ts';
import type { Fact, FrameRef, Report, ReportFinding, ReportInput, SequenceStep } from '../../src/report/model.ts';
import { anyText } from '../any-text.ts';

const EMPTY_COUNTS = { frames: 0, datagrams: 0, skipped: {}, messages: {}, verdicts: {} };

export const NOTHING_READABLE: Report = {
  schema: 'wgwhy/report/1',
  tool: 'wgwhy 0.1.0',
  policy: 'linux',
  inputs: [],
  clockOffsets: [],
  findings: [],
  hidden: [],
  problems: [
    {
      input: 'notes.docx',
      message: 'this is neither a capture nor a configuration',
      hint: 'hand over a pcap or pcapng file',
    },
    { input: 'client.conf', line: 3, column: 14, message: 'a key has 44 characters, this has 43' },
  ],
  sequence: [],
  counts: EMPTY_COUNTS,
};

const at = (input: string, frame: number, second: number): FrameRef => ({
  input,
  frame,
  time: `2026-11-21T02:00:${String(37 + second).padStart(2, '0')}.250123456Z`,
});

const initiationsAt = [0, 5, 10, 15, 20];

export const CAUSE: ReportFinding = {
  rule: 'wrong-responder-key',
  severity: 'error',
  certainty: 'proven',
  subject: 'handshake:0x30d037d8',
  frames: initiationsAt.map((second, i) => at('a', i + 1, second)),
  facts: {
    mac1Owner: null,
    responder: 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE=',
    initiations: 5,
    answered: false,
    tried: ['server.conf', 'client.conf'],
  },
  ruledOut: [
    { rule: 'icmp-unreachable', because: 'no ICMP error quotes the initiation', frames: [] },
    {
      rule: 'initiation-lost-on-path',
      because: 'every initiation reached the responder',
      frames: [at('b', 1, 0), at('b', 2, 5)],
    },
  ],
  missing: [{ key: 'the public key in the [Peer] section of the initiator', wouldSettle: 'whose key it was made for' }],
  message: 'the initiation was made for a key that is not here, not for the key of server.conf (AbCdEf…CdE=)',
  notes: ['a responder stays silent unless MAC1 fits its own key', 'the initiator tried 5 times, once every 5 seconds'],
  fix: {
    linux: [
      'put the public key of the responder into the [Peer] section of the initiator',
      'wg set wg0 peer AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE= endpoint 203.0.113.10:51820 allowed-ips 10.66.66.0/24',
    ],
    routeros: ['/interface/wireguard/peers/set [find] public-key="AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE="'],
  },
};

const steps = initiationsAt.slice(0, 2).map(
  (second, i): SequenceStep => ({
    frame: at('a', i + 1, second),
    from: '10.99.1.2:51821',
    to: '203.0.113.10:51820',
    label: 'initiation 0x30d037d8',
    verdict: 'refused',
    ...(i === 0 ? { note: 'mac1-invalid' } : {}),
  }),
);

const capture = (id: string, name: string, vantage: ReportInput['vantage']): ReportInput => ({
  id,
  name,
  kind: 'capture',
  format: 'pcap',
  frames: 5,
  from: at(id, 1, 0).time,
  to: at(id, 5, 20).time,
  ...(vantage === undefined ? {} : { vantage }),
});

export const FAILED: Report = {
  ...NOTHING_READABLE,
  inputs: [
    capture('a', 'lab/client.pcap', 'initiator'),
    capture('b', 'lab/server.pcap', 'responder'),
    { id: 'c', name: 'lab/server.conf', kind: 'wg-conf' },
  ],
  clockOffsets: [{ from: 'a', to: 'b', offsetNs: '3250000000', boundNs: ['3249000000', '3251000000'], matched: 5 }],
  findings: [
    CAUSE,
    {
      ...CAUSE,
      rule: 'clock-skew',
      severity: 'info',
      certainty: 'deduced',
      frames: [at('a', 1, 0)],
      facts: {},
      ruledOut: [],
      missing: [],
      message: 'the clock of the initiator is 3 s behind the capture, which is harmless',
      notes: [],
      fix: {},
    },
  ],
  hidden: [{ rule: 'no-response', by: 'wrong-responder-key', subject: 'handshake:0x30d037d8' }],
  problems: [],
  sequence: [
    ...steps,
    {
      frame: at('b', 3, 7),
      from: '203.0.113.10:51820',
      to: '203.0.113.1:40001',
      label: 'response 0x5a5a5a5a → 0x30d037d8 with a label that is longer than a lane',
      verdict: 'undecided',
    },
    {
      frame: at('b', 4, 9),
      from: '198.51.100.7:1',
      to: '198.51.100.8:2',
      label: 'ICMP port unreachable',
      verdict: 'none',
    },
  ],
  counts: {
    frames: 10,
    datagrams: 10,
    skipped: { 'not-udp': 3 },
    messages: { initiation: 10, response: 0 },
    verdicts: { accepted: 0, refused: 10, undecided: 0 },
  },
};

export const WARNED: Report = {
  ...FAILED,
  findings: [
    {
      ...CAUSE,
      rule: 'packet-loss',
      severity: 'warning',
      certainty: 'suspected',
      subject: 'session:0x30d037d8',
      message: '40 of 1000 data messages never arrived',
      fix: {},
    },
  ],
  hidden: [],
  sequence: [],
};

export const HEALTHY: Report = {
  ...FAILED,
  inputs: [capture('a', 'healthy.pcap', 'initiator')],
  clockOffsets: [],
  findings: FAILED.findings.slice(1),
  hidden: [],
  sequence: steps.map((step): SequenceStep => ({ ...step, verdict: 'accepted' })),
  counts: {
    frames: 9,
    datagrams: 9,
    skipped: {},
    messages: { initiation: 1, response: 1, data: 7 },
    verdicts: { accepted: 5, refused: 0, undecided: 4 },
  },
};

/** Names, notes and comments from files that try to take over the terminal. */
export const HOSTILE: Report = {
  ...FAILED,
  inputs: [capture('a', 'evil\u001b]0;owned\u0007.pcap', 'unknown')],
  findings: [
    {
      ...CAUSE,
      message: 'a peer called \u001b[2J\u009b31m\u202eterces\nwhy: nothing',
      facts: { 'na\rme': 'x\u0000y' },
    },
  ],
};

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.lorem({ maxCount: 12 }),
  anyText({ maxLength: 12 }),
);
const natural = fc.nat({ max: 1_000_000 });
const digits = (length: number) => fc.nat({ max: 10 ** length - 1 }).map((n) => String(n).padStart(length, '0'));
const time = fc.oneof(
  fc
    .tuple(
      fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      digits(9),
    )
    .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}.${fraction}Z`),
  fc.constant(''),
  fc.tuple(fc.integer(), digits(9)).map(([sec, fraction]) => `@${sec}.${fraction}`),
);
const input = fc.constantFrom('a', 'b', 'c');
const frameRef: fc.Arbitrary<FrameRef> = fc.record({ input, frame: fc.integer({ min: 1, max: 100_000 }), time });
const frames = fc.array(frameRef, { maxLength: 20 });
const texts = fc.array(text, { maxLength: 4 });
const fact: fc.Arbitrary<Fact> = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), texts);
const ruleName = fc.constantFrom('no-response', 'wrong-responder-key', 'packet-loss', 'psk-mismatch');
const endpoint = fc.oneof(
  fc.constantFrom('10.0.0.1:1', '10.0.0.2:2', '[2001:db8::1]:51820', '203.0.113.1:40000'),
  text,
);

const finding: fc.Arbitrary<ReportFinding> = fc.record({
  rule: ruleName,
  severity: fc.constantFrom('error', 'warning', 'info'),
  certainty: fc.constantFrom('proven', 'deduced', 'suspected'),
  subject: text,
  frames,
  facts: fc.dictionary(text, fact, { maxKeys: 5 }),
  ruledOut: fc.array(fc.record({ rule: ruleName, because: text, frames }), { maxLength: 3 }),
  missing: fc.array(fc.record({ key: text, wouldSettle: text }), { maxLength: 2 }),
  message: text,
  notes: texts,
  fix: fc.record({ linux: texts, routeros: texts }, { requiredKeys: [] }),
});

const reportInput: fc.Arbitrary<ReportInput> = fc.record(
  {
    id: input,
    name: text,
    kind: fc.constantFrom('capture', 'wg-conf', 'key-log', 'traffic-keys', 'public-key'),
    format: text,
    sha256: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
    frames: natural,
    from: time,
    to: time,
    vantage: fc.constantFrom('initiator', 'responder', 'between', 'unknown'),
  },
  { requiredKeys: ['id', 'name', 'kind'] },
);

const ns = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }).map(String);
const bound = fc.option(ns);
const counts = fc.dictionary(
  fc.constantFrom('initiation', 'response', 'data', 'accepted', 'refused', 'other'),
  natural,
);

const OCCASIONS = [
  'first',
  'retry',
  'rekey-on-send',
  'rekey-on-receive',
  'silence',
  'crossing',
  'expired',
  'anew',
  'early',
  'unknown',
] as const;

export const anyReport: fc.Arbitrary<Report> = fc.record(
  {
    schema: fc.constant('wgwhy/report/1'),
    tool: text,
    policy: fc.constantFrom('linux', 'wireguard-go', 'boringtun', 'gotatun'),
    inputs: fc.array(reportInput, { maxLength: 4 }),
    clockOffsets: fc.array(
      fc.record({
        from: input,
        to: input,
        offsetNs: bound,
        boundNs: fc.tuple(bound, bound),
        matched: natural,
      }),
      { maxLength: 2 },
    ),
    findings: fc.array(finding, { maxLength: 4 }),
    hidden: fc.array(fc.record({ rule: text, by: text, subject: text }), { maxLength: 3 }),
    problems: fc.array(
      fc.record(
        { input: text, line: natural, column: natural, offset: natural, message: text, hint: text },
        { requiredKeys: ['input', 'message'] },
      ),
      { maxLength: 3 },
    ),
    sequence: fc.array(
      fc.record(
        {
          frame: frameRef,
          from: endpoint,
          to: endpoint,
          label: text,
          verdict: fc.constantFrom('accepted', 'refused', 'undecided', 'none'),
          note: text,
          said: fc.array(fc.record({ input, line: natural, speaker: text, text }), { maxLength: 2 }),
        },
        { requiredKeys: ['frame', 'from', 'to', 'label', 'verdict'] },
      ),
      { maxLength: 12 },
    ),
    handshakes: fc.array(
      fc.record(
        {
          frame: frameRef,
          id: fc.nat({ max: 0xffffffff }).map((n) => `0x${n.toString(16).padStart(8, '0')}`),
          from: endpoint,
          to: endpoint,
          occasion: fc.constantFrom(...OCCASIONS),
          attempt: fc.integer({ min: 1, max: 40 }),
          afterMs: natural,
          outcome: fc.constantFrom('confirmed', 'answered', 'unanswered'),
          note: text,
        },
        { requiredKeys: ['frame', 'id', 'from', 'to', 'occasion', 'attempt', 'outcome'] },
      ),
      { maxLength: 3 },
    ),
    counts: fc.record({ frames: natural, datagrams: natural, skipped: counts, messages: counts, verdicts: counts }),
    whatIf: fc.array(fc.record({ kind: ruleName, count: natural, frames, linux: text, other: text }), { maxLength: 2 }),
  },
  {
    requiredKeys: [
      'schema',
      'tool',
      'policy',
      'inputs',
      'clockOffsets',
      'findings',
      'hidden',
      'problems',
      'sequence',
      'counts',
    ],
  },
);

const index = fc.nat({ max: 0xffffffff }).map((n) => `0x${n.toString(16).padStart(8, '0')}`);
const key = fc
  .string({ unit: fc.constantFrom(...'ABCxyz019+/'), minLength: 43, maxLength: 43 })
  .map((body) => `${body}=`);
const schema = fc.constant('wgwhy/event/1' as const);

export const anyEvent: fc.Arbitrary<WgwhyEvent> = fc.oneof(
  fc.record({ schema, event: fc.constant('frame-skipped' as const), at: frameRef, reason: text, detail: text }),
  fc.record(
    {
      schema,
      event: fc.constant('message' as const),
      at: frameRef,
      message: fc.constantFrom('initiation' as const, 'response' as const, 'cookie-reply' as const, 'data' as const),
      from: text,
      to: text,
      length: natural,
      sender: index,
      receiver: index,
      counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      mac1Owner: fc.option(key),
      initiator: key,
      tai64n: text,
      handshakeOk: fc.boolean(),
      opensWith: text,
      innerLength: natural,
      inner: fc.record(
        { from: text, to: text, protocol: fc.nat(255), fromPort: fc.nat(65535), toPort: fc.nat(65535) },
        { requiredKeys: ['from', 'to', 'protocol'] },
      ),
      verdict: fc.constantFrom('accepted' as const, 'refused' as const, 'undecided' as const),
      drop: text,
      missing: texts,
    },
    { requiredKeys: ['schema', 'event', 'at', 'message', 'from', 'to', 'length'] },
  ),
  fc.record({
    schema,
    event: fc.constant('session' as const),
    at: frameRef,
    initiator: text,
    responder: text,
    indices: fc.tuple(index, index).map(([a, b]) => `${a}/${b}`),
    state: fc.constantFrom('established' as const, 'ended' as const),
  }),
  fc.record(
    {
      schema,
      event: fc.constantFrom('finding-opened' as const, 'finding-closed' as const),
      id: text,
      at: frameRef,
      finding,
    },
    { requiredKeys: ['schema', 'event', 'id', 'finding'] },
  ),
  fc.record(
    { schema, event: fc.constant('finding-superseded' as const), id: text, by: text, at: frameRef, finding },
    { requiredKeys: ['schema', 'event', 'id', 'by', 'finding'] },
  ),
);
