/** What `wgwhy time --json` says, and its JSON Schema (2020-12): complete and strict. A new field is a new version. */
import { toBase64 } from '../../base/base64.ts';
import { toHex } from '../../base/bytes.ts';
import { formatTime } from '../../base/time.ts';
import { DIALECT, list, natural, oneOf, problem, publicKey, record, text } from '../schema.ts';
import { sanitiseAll } from '../text-wrap.ts';
import type { Clocks, SenderClock } from './read.ts';
import { sentAt } from './words.ts';

export const CLOCKS = 'wgwhy/time/1';

const frame = { type: 'integer', minimum: 1 } as const;
const time = { type: 'string', pattern: '^([0-9]{4}-[0-9T:-]{14}\\.[0-9]{9}Z|@-?[0-9]+\\.[0-9]{9})$' } as const;

const drift = {
  oneOf: [
    record({ kind: { const: 'measured' }, ppm: { type: 'number' }, errorPpm: { type: 'number', minimum: 0 } }),
    record({ kind: { const: 'below' }, ppm: { type: 'number', minimum: 0 } }),
    record({ kind: { const: 'unknown' }, because: oneOf('few', 'short', 'untimed') }),
  ],
} as const;

const sender = record({
  capture: text,
  initiator: publicKey,
  name: text,
  from: list(text),
  base: { enum: [10, 37, null] },
  decidedBy: oneOf('capture-time', 'whitening', 'nothing'),
  family: oneOf('kernel/wireguard-go/windows', 'boringtun family', 'other/unknown'),
  whitened: natural,
  resolutionNs: { type: ['integer', 'null'], minimum: 1 },
  drift,
  jumps: list(record({ afterFrame: frame, frame, byMs: { type: 'number' } })),
  notGreater: list(record({ frame, thanFrame: frame, byMs: { type: 'number', minimum: 0 } })),
  timestamps: list(
    record({
      frame,
      captured: time,
      tai64n: { type: 'string', pattern: '^[0-9a-f]{24}$' },
      sent: time,
      offsetMs: { type: 'number' },
    }),
  ),
});

export const clocksSchema = {
  $schema: DIALECT,
  $id: CLOCKS,
  title: 'Clocks of initiators, by the timestamps of their initiations',
  ...record({
    schema: { const: CLOCKS },
    captures: list(text),
    senders: list(sender),
    closed: list(record({ capture: text, from: text, count: natural, firstFrame: frame, missing: text })),
    problems: list(problem),
  }),
} as const;

export function clocksJson({ captures, senders, closed, problems }: Clocks): string {
  const value = { schema: CLOCKS, captures, senders: senders.map(senderJson), closed, problems };
  return `${JSON.stringify(sanitiseAll(value), undefined, 2)}\n`;
}

function senderJson({ capture, key, name, from, samples, clock }: SenderClock) {
  const { base, decidedBy, family, whitened, resolutionNs, drift, jumps, notGreater, offsetsMs } = clock;
  const frameOf = (at: number): number => samples[at]?.frame ?? 1;
  return {
    capture,
    initiator: toBase64(key),
    name,
    from,
    base: base ?? null,
    decidedBy,
    family,
    whitened,
    resolutionNs: resolutionNs ?? null,
    drift,
    jumps: jumps.map(({ after, at, byMs }) => ({ afterFrame: frameOf(after), frame: frameOf(at), byMs })),
    notGreater: notGreater.map(({ at, than, byMs }) => ({ frame: frameOf(at), thanFrame: frameOf(than), byMs })),
    timestamps: samples.map((sample, i) => ({
      frame: sample.frame,
      captured: formatTime(sample.time),
      tai64n: toHex(sample.timestamp),
      sent: formatTime(sentAt(sample, clock)),
      offsetMs: offsetsMs[i] ?? 0,
    })),
  };
}
