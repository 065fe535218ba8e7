/** The library, in Node and in a browser: sources in, report out. Reading files is in `wgwhy/node`. */

export type { Problem } from './base/problem.ts';
export type { Result } from './base/result.ts';
export type { Time } from './base/time.ts';
export type { CaptureDamage, CaptureFormat, CaptureItem, CaptureReader, Frame } from './capture/frame.ts';
export { openCapture } from './capture/open.ts';
export type { Datagram, Decoded, IcmpError, Skip, SkipKind, UnreachableKind } from './packet/datagram.ts';
export { Decoder } from './packet/decode.ts';
export { type DecryptedCapture, type Decryption, type DecryptOptions, decrypt } from './report/decrypt.ts';
export { type DiagnoseOptions, type Diagnosis, diagnose, type Source } from './report/diagnose.ts';
export { type DissectOptions, dissect } from './report/dissect.ts';
export type { DissectFilter } from './report/dissect-filter.ts';
export type { Carrier, Dissected, DissectedField, DissectedMessage, DissectedOther } from './report/dissect-model.ts';
export { dissectSchema } from './report/dissect-schema.ts';
export { DissectText, type DissectTextOptions } from './report/dissect-text.ts';
export type { FindingEvent, WgwhyEvent } from './report/event.ts';
export { eventLine, keysJson, reportJson } from './report/json.ts';
export { type KeysOptions, type KnownKeys, knownKeys } from './report/keys.ts';
export type { KeysEntry, KeysReport } from './report/keys-model.ts';
export { keysSchema } from './report/keys-schema.ts';
export type { LiveOptions } from './report/live.ts';
export { LiveText, type LiveTextOptions } from './report/live-text.ts';
export type {
  Certainty,
  Fact,
  FrameRef,
  InputKind,
  PolicyName,
  Report,
  ReportFinding,
  ReportInput,
  SequenceStep,
  Severity,
  VantageName,
} from './report/model.ts';
export { type ReduceOptions, reduce } from './report/reduce.ts';
export { eventSchema, reportSchema } from './report/schema.ts';
export { renderText, type TextOptions } from './report/text.ts';
export {
  type TraceContext,
  type TraceDocument,
  type TraceRun,
  type TraceSubject,
  traceDocument,
} from './report/trace-document.ts';
export { traceJson } from './report/trace-json.ts';
export { firstDifference, type TraceRow, type TraceValue, traceRows } from './report/trace-rows.ts';
export { traceSchema, vectorsSchema } from './report/trace-schema.ts';
export { renderTrace, type TraceTextOptions } from './report/trace-text.ts';
