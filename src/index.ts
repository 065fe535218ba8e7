/** The library, in Node and in a browser: sources in, report out. Reading files is in `wgwhy/node`. */

export type { Problem } from './base/problem.ts';
export type { Result } from './base/result.ts';
export type { Time } from './base/time.ts';
export type { CaptureDamage, CaptureFormat, CaptureItem, CaptureReader, Frame } from './capture/frame.ts';
export { openCapture } from './capture/open.ts';
export type { Datagram, Decoded, IcmpError, Skip, SkipKind, UnreachableKind } from './packet/datagram.ts';
export { Decoder } from './packet/decode.ts';
export { type DiagnoseOptions, type Diagnosis, diagnose, type Source } from './report/diagnose.ts';
export type { FindingEvent, WgwhyEvent } from './report/event.ts';
export { eventLine, reportJson } from './report/json.ts';
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
export { eventSchema, reportSchema } from './report/schema.ts';
export { renderText, type TextOptions } from './report/text.ts';
