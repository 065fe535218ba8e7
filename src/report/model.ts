/** The report: what the JSON says, versioned. Times are RFC 3339 with nanoseconds, UTC. */

import type { PolicyName } from '../wg/policy.ts';

export type { PolicyName };
export type Severity = 'error' | 'warning' | 'info';
export type Certainty = 'proven' | 'deduced' | 'suspected';
export type VantageName = 'initiator' | 'responder' | 'between' | 'unknown';
export type InputKind =
  | 'capture'
  | 'wg-conf'
  | 'key-log'
  | 'traffic-keys'
  | 'public-key'
  | 'wg-show'
  | 'routeros'
  | 'log'
  /** Listings of firewall, routes, sockets and settings. */
  | 'host'
  /** Several of these in one text. */
  | 'pasted';

export interface ReportInput {
  /** "a", "b", …: what `FrameRef.input` points at. */
  readonly id: string;
  readonly name: string;
  /** As findings call it, where that is shorter. */
  readonly label?: string;
  readonly kind: InputKind;
  readonly format?: string;
  readonly sha256?: string;
  readonly frames?: number;
  readonly from?: string;
  readonly to?: string;
  readonly vantage?: VantageName;
}

export interface FrameRef {
  readonly input: string;
  readonly frame: number;
  /** Empty where the container has no time. */
  readonly time: string;
}

export type Fact = string | number | boolean | null | readonly string[];

export interface ReportFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  /** `handshake:0x30d037d8`, `session:0x…`, `tunnel:ab12…~cd34…`, `file:client.conf`, `capture:a`. */
  readonly subject: string;
  readonly frames: readonly FrameRef[];
  readonly facts: { readonly [name: string]: Fact };
  readonly ruledOut: readonly {
    readonly rule: string;
    readonly because: string;
    readonly frames: readonly FrameRef[];
  }[];
  readonly missing: readonly { readonly key: string; readonly wouldSettle: string }[];
  /** One sentence: lower case, no full stop. */
  readonly message: string;
  /** A second and third sentence where they help: each lower case, no full stop. */
  readonly notes: readonly string[];
  readonly fix: { readonly linux?: readonly string[]; readonly routeros?: readonly string[] };
  /** Lines of the files as they should read. */
  readonly edits?: readonly ReportEdit[];
}

/** `replace` and `insert-after` have a text, `delete` has none. */
export interface ReportEdit {
  readonly input: string;
  readonly line: number;
  readonly kind: 'replace' | 'insert-after' | 'delete';
  readonly text?: string;
}

/** Messages that would have met another fate with another implementation. */
export interface ReportOtherwise {
  /** As findings are named, where there is one for it. */
  readonly kind: string;
  readonly count: number;
  /** The first of them; none where only numbers were kept. */
  readonly frames: readonly FrameRef[];
  readonly linux: string;
  readonly other: string;
}

/** A message of the short sequence that the text report draws. */
export interface SequenceStep {
  readonly frame: FrameRef;
  readonly from: string;
  readonly to: string;
  /** `initiation 0x30d037d8`, `response 0x… → 0x…`, `data ×12`, `ICMP port unreachable`. */
  readonly label: string;
  readonly verdict: 'accepted' | 'refused' | 'undecided' | 'none';
  readonly note?: string;
  /** Lines of logs that speak of this message, or of the time between it and the next. */
  readonly said?: readonly SaidLine[];
}

export interface SaidLine {
  readonly input: string;
  readonly line: number;
  /** `the kernel`, `wireguard-go`, … */
  readonly speaker: string;
  readonly text: string;
}

/** Why a handshake began: which timer of the protocol was due (wp §6), and what came of it. */
export interface ReportHandshake {
  readonly frame: FrameRef;
  /** `0x30d037d8`: the initiator's index. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly occasion:
    | 'first'
    | 'retry'
    | 'rekey-on-send'
    | 'rekey-on-receive'
    | 'silence'
    | 'crossing'
    | 'expired'
    | 'anew'
    | 'early'
    | 'unknown';
  /** Of an attempt: Linux makes 20 and gives up. */
  readonly attempt: number;
  /** Since the session before, the initiation before, or the unanswered data: see `occasion`. */
  readonly afterMs?: number;
  readonly outcome: 'confirmed' | 'answered' | 'unanswered';
  /** The same in words. */
  readonly note?: string;
}

export interface Report {
  readonly schema: 'wgwhy/report/1';
  readonly tool: string;
  readonly policy: PolicyName;
  readonly inputs: readonly ReportInput[];
  readonly clockOffsets: readonly {
    readonly from: string;
    readonly to: string;
    /** Nanoseconds to add to a time of `from` to get the time of `to`; null where only one direction matched. */
    readonly offsetNs: string | null;
    readonly boundNs: readonly [string | null, string | null];
    readonly matched: number;
  }[];
  /** Of captures only shares were read, not all of them: nothing was judged. */
  readonly partly?: true;
  /** Shown ones, root cause first. */
  readonly findings: readonly ReportFinding[];
  readonly hidden: readonly { readonly rule: string; readonly by: string; readonly subject: string }[];
  readonly problems: readonly {
    readonly input: string;
    readonly line?: number;
    readonly column?: number;
    readonly offset?: number;
    readonly message: string;
    readonly hint?: string;
    readonly remark?: true;
  }[];
  readonly sequence: readonly SequenceStep[];
  /** The first few hundred of all captures, in order of time; absent where there are none. */
  readonly handshakes?: readonly ReportHandshake[];
  /** Where `policy` would have decided otherwise than the kernel; absent where it is the kernel’s. */
  readonly whatIf?: readonly ReportOtherwise[];
  readonly counts: {
    readonly frames: number;
    readonly datagrams: number;
    readonly skipped: { readonly [kind: string]: number };
    readonly messages: { readonly [kind: string]: number };
    readonly verdicts: { readonly [verdict: string]: number };
  };
}
