/** An event as one row of a table: the same fields under the same names, those of objects within it side by side. */

import type { FindingEvent, MessageEvent, TimelineEvent, WgwhyEvent } from './event.ts';
import type { FrameRef } from './model.ts';

/** Events with a row; a timeline is for `wgwhy reduce` alone. */
export type RowEvent = Exclude<WgwhyEvent, TimelineEvent>;

/** `whole`: 64 bits with sign, `small`: 32; `time`: microseconds since 1970, as whole. */
export type ColumnType = 'text' | 'whole' | 'small' | 'time' | 'yes-no';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Undefined where the event does not have it. */
  of(event: RowEvent): string | bigint | number | boolean | undefined;
}

const ofMessage =
  <T>(field: (event: MessageEvent) => T) =>
  (event: RowEvent): T | undefined =>
    event.event === 'message' ? field(event) : undefined;

const ofFinding =
  <T>(field: (event: FindingEvent) => T) =>
  (event: RowEvent): T | undefined =>
    'finding' in event ? field(event) : undefined;

/** A field that events of several kinds have under one name. */
const anyText =
  (name: string) =>
  (event: RowEvent): string | undefined => {
    const value: unknown = Object.hasOwn(event, name) ? Reflect.get(event, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };

const text = (name: string, of: Column['of'] = anyText(name)): Column => ({ name, type: 'text', of });
const small = (name: string, of: (event: MessageEvent) => number | undefined): Column => {
  return { name, type: 'small', of: ofMessage(of) };
};

const frameOf = (event: RowEvent): FrameRef | undefined => event.at;

/** In the order of the fields; `time` and `nsec` are the two halves of `at.time`. */
export const COLUMNS: readonly Column[] = [
  text('event'),
  text('input', (event) => frameOf(event)?.input),
  { name: 'frame', type: 'whole', of: (event) => wholeOf(frameOf(event)?.frame) },
  { name: 'time', type: 'time', of: (event) => microseconds(frameOf(event)?.time ?? '') },
  { name: 'nsec', type: 'small', of: (event) => nanoseconds(frameOf(event)?.time ?? '') },
  text(
    'message',
    ofMessage(({ message }) => message),
  ),
  text(
    'from',
    ofMessage(({ from }) => from),
  ),
  text(
    'to',
    ofMessage(({ to }) => to),
  ),
  small('length', ({ length }) => length),
  text(
    'sender',
    ofMessage(({ sender }) => sender),
  ),
  text(
    'receiver',
    ofMessage(({ receiver }) => receiver),
  ),
  text(
    'counter',
    ofMessage(({ counter }) => counter),
  ),
  text(
    'mac1Owner',
    ofMessage(({ mac1Owner }) => mac1Owner ?? undefined),
  ),
  text('initiator'),
  text('tai64n'),
  { name: 'handshakeOk', type: 'yes-no', of: ofMessage(({ handshakeOk }) => handshakeOk) },
  text('opensWith'),
  small('innerLength', ({ innerLength }) => innerLength),
  text(
    'innerFrom',
    ofMessage(({ inner }) => inner?.from),
  ),
  text(
    'innerTo',
    ofMessage(({ inner }) => inner?.to),
  ),
  small('innerProtocol', ({ inner }) => inner?.protocol),
  small('innerFromPort', ({ inner }) => inner?.fromPort),
  small('innerToPort', ({ inner }) => inner?.toPort),
  text('verdict'),
  text('drop'),
  text(
    'missing',
    ofMessage(({ missing }) => missing?.join('; ')),
  ),
  text('reason'),
  text('detail'),
  text('responder'),
  text('indices'),
  text('state'),
  text('id'),
  text('by'),
  text(
    'rule',
    ofFinding(({ finding }) => finding.rule),
  ),
  text(
    'severity',
    ofFinding(({ finding }) => finding.severity),
  ),
  text(
    'certainty',
    ofFinding(({ finding }) => finding.certainty),
  ),
  text(
    'subject',
    ofFinding(({ finding }) => finding.subject),
  ),
  text(
    'finding',
    ofFinding(({ finding }) => JSON.stringify(finding)),
  ),
];

const wholeOf = (value: number | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value));

/** `2023-11-14T22:13:20.000000001Z`, or `@seconds.nanoseconds` outside the years that RFC 3339 has. */
const RFC3339_SECONDS = 19;

function secondsOf(time: string): bigint | undefined {
  if (time === '') return undefined;
  if (time.startsWith('@')) return BigInt(time.slice(1, time.indexOf('.')));
  return BigInt(Date.parse(`${time.slice(0, RFC3339_SECONDS)}Z`) / 1000);
}

function nanoseconds(time: string): number | undefined {
  return time === '' ? undefined : Number.parseInt(time.slice(time.indexOf('.') + 1), 10);
}

/** None where 64 bits have no room for it, as in years that no clock has. */
function microseconds(time: string): bigint | undefined {
  const seconds = secondsOf(time);
  if (seconds === undefined) return undefined;
  const whole = seconds * 1_000_000n + BigInt(Math.floor((nanoseconds(time) ?? 0) / 1000));
  return BigInt.asIntN(64, whole) === whole ? whole : undefined;
}
