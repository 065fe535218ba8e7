/** What a rule is: its page, its check and its sentence in one file; the runner does the rest. */
import type { MergedExchange } from '../analyze/merge.ts';
import type { FrameId, Timeline } from '../analyze/timeline.ts';
import type { Attempt, SessionView, Tunnel, World } from '../analyze/world.ts';
import type { Edit } from './edit.ts';

export type Severity = 'error' | 'warning' | 'info';
/** `proven`: a key or a protocol fact shows it · `deduced`: all else was ruled out · `suspected`: a pattern fits. */
export type Certainty = 'proven' | 'deduced' | 'suspected';

export type Fact = string | number | boolean | null | readonly string[];
export type Facts = { readonly [name: string]: Fact };

/** What a rule looks at; it is asked once for each of them, when the subject is closed. */
export interface Subjects {
  readonly attempt: Attempt;
  readonly exchange: {
    readonly merged: MergedExchange;
    readonly attempt: Attempt | undefined;
    readonly tunnel: Tunnel;
  };
  readonly session: { readonly view: SessionView; readonly tunnel: Tunnel };
  readonly tunnel: Tunnel;
  readonly capture: Timeline;
  readonly files: World;
}

export interface RuledOut {
  readonly rule: string;
  readonly because: string;
  readonly frames?: readonly FrameId[];
}

export interface Fix {
  readonly linux?: readonly string[];
  readonly routeros?: readonly string[];
}

/** What a check found: facts that the sentence is made from, and the proof. */
export interface Found<F extends Facts> {
  readonly facts: F;
  readonly certainty: Certainty;
  /** Where it differs from the rule's own. */
  readonly severity?: Severity;
  readonly frames: readonly FrameId[];
  /** `handshake:0x30d037d8`, `session:0x…`, `tunnel:A ~ B`, `file:client.conf`, `capture:a`. */
  readonly subject: string;
  /** Id of the tunnel that it is about, where its rule is asked about captures or files: hiding is confined to that then. */
  readonly scope?: string;
  /** Of two equally severe findings the other one is nearer to the cause. */
  readonly later?: boolean;
  /** Further sentences: lower case, no full stop. */
  readonly notes?: readonly string[];
  readonly ruledOut?: readonly RuledOut[];
  /** Keys or captures that would settle what is open. */
  readonly missing?: readonly { readonly key: string; readonly wouldSettle: string }[];
  /** Rules that this speaks for: a finding of theirs about one of the frames takes it in as a further witness. */
  readonly corroborates?: readonly string[];
  /** What would mend it, where one file is at fault and shows it. */
  readonly edits?: readonly Edit[];
}

export interface Rule<S extends keyof Subjects = keyof Subjects, F extends Facts = Facts> {
  readonly name: string;
  readonly severity: Severity;
  readonly on: S;
  /** Where the fault shows: what the wire shows stands before what a file shows. */
  readonly group: 'wire' | 'capture' | 'config';
  /** Concludes from absence: the runner applies the rules of silence before it asks. */
  readonly fromSilence?: boolean;
  readonly spec?: string;
  /** Vaguer rules that this one replaces on the same tunnel, capture or file. */
  readonly hides?: readonly string[];
  /** Shown by the initiations of one end, it stops those of the other end as well. */
  readonly ofPair?: boolean;
  readonly explain: { readonly what: string; readonly why: string; readonly fix: string };
  check(subject: Subjects[S], world: World): Found<F> | readonly Found<F>[] | undefined;
  /** One sentence: lower case, no full stop, no blame, certain only where we are. */
  message(facts: F): string;
  fix?(facts: F): Fix;
}

/** A rule with its types forgotten, as the registry and the runner hold it. */
export type AnyRule = Rule<keyof Subjects, Facts>;

export function defineRule<S extends keyof Subjects, F extends Facts>(rule: Rule<S, F>): AnyRule {
  // the runner gives each rule the subjects that its `on` names, so the narrower parameter is safe
  return rule as unknown as AnyRule;
}
