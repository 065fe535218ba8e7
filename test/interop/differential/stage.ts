/** One message to both, and whether the same came of it: by reply, by log line, by verdict. */

import type { Bytes } from '../../../src/base/bytes.ts';
import { u16be } from '../../../src/base/bytes.ts';
import { TYPE } from '../../../src/wg/constants.ts';
import type { Verdict } from '../../../src/wg/step.ts';
import type { RemoteKind } from '../peers/lines.ts';
import { COUNTS_WHAT_IT_OPENED } from './differences.ts';
import type { OpenSession } from './session.ts';
import type { Heard, Probe, Subject } from './subjects.ts';

/** Our side of one of the two. */
export class End {
  readonly subject: Subject;
  /** The newest first. */
  readonly sessions: OpenSession[] = [];
  /** What was sent, by a number that both ends share. */
  readonly sent = new Map<number, Bytes>();

  constructor(subject: Subject) {
    this.subject = subject;
  }

  get session(): OpenSession {
    const [newest] = this.sessions;
    if (newest === undefined) throw new Error('there is no session');
    return newest;
  }

  describe(message: Bytes): string {
    switch (message[0]) {
      case TYPE.initiation:
        return 'initiation';
      case TYPE.response:
        return 'response';
      case TYPE['cookie-reply']:
        return 'cookie reply';
    }
    for (const session of this.sessions) {
      const plain = session.open(message);
      if (plain !== undefined) return describeInner(plain);
    }
    return 'data that does not open';
  }
}

/** Identifier and sequence number of an echo reply. */
export function echoOf(plain: Bytes): { readonly id: number; readonly sequence: number } | undefined {
  const at = (plain[0] ?? 0) >>> 4 === 4 ? 20 : 40;
  const reply = plain[at] === 0 || plain[at] === 129;
  return reply && plain.length >= at + 8 ? { id: u16be(plain, at + 4), sequence: u16be(plain, at + 6) } : undefined;
}

function describeInner(plain: Bytes): string {
  if (plain.length === 0) return 'keepalive';
  const echo = echoOf(plain);
  return echo === undefined ? 'a packet' : `echo ${echo.id}/${echo.sequence} in ${plain.length} bytes`;
}

export interface Trial {
  readonly name: string;
  build(end: End): Bytes;
  probe?(end: End): Probe;
}

/** What can be compared. */
export interface Seen {
  readonly lines: readonly string[];
  readonly replies: readonly string[];
}

export interface Difference {
  readonly kind: RemoteKind;
  readonly trial: string;
  readonly verdict: Verdict | undefined;
  readonly ours: Seen;
  readonly theirs: Seen;
  readonly bytes: Bytes;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly same: boolean;
  readonly twin: Heard;
  readonly real: Heard;
}

const OF_ITSELF = new Set(['initiation', 'keepalive']);

export class Stage {
  readonly kind: RemoteKind;
  readonly twin: End;
  readonly real: End;
  readonly differences: Difference[] = [];
  /** By verdict. */
  readonly trials = new Map<string, number>();

  /** Bytes of messages that opened and held nothing that was let in, by peer. */
  readonly #refusedInside = new Map<string, number>();

  constructor(kind: RemoteKind, twin: Subject, real: Subject) {
    this.kind = kind;
    this.twin = new End(twin);
    this.real = new End(real);
  }

  /** Both forget everything. What each sends at once, if that many messages are `expected`. */
  async begin(expected = 0): Promise<ReadonlyMap<End, readonly Bytes[]>> {
    this.#refusedInside.clear();
    const said = new Map<End, readonly Bytes[]>();
    for (const end of [this.twin, this.real]) {
      said.set(end, await end.subject.configure(expected));
      end.sessions.length = 0;
    }
    return said;
  }

  async play(trial: Trial): Promise<Outcome> {
    const asked = trial.build(this.twin);
    const twin = await this.twin.subject.hear(asked, trial.probe?.(this.twin), 0);
    const { verdict } = twin;
    if (verdict === undefined) throw new Error('no verdict');
    const name =
      verdict.kind === 'refused' ? verdict.drop.kind : verdict.kind === 'accepted' ? verdict.message : 'done';
    this.trials.set(name, (this.trials.get(name) ?? 0) + 1);

    if (verdict.kind === 'refused' && 'peer' in verdict.drop && verdict.drop.peer !== undefined) {
      const { peer } = verdict.drop;
      this.#refusedInside.set(peer, (this.#refusedInside.get(peer) ?? 0) + asked.length);
    }
    const bytes = trial.build(this.real);
    const real = await this.real.subject.hear(bytes, trial.probe?.(this.real), twin.replies.length);
    const ours = { lines: twin.lines, replies: twin.replies.map((message) => this.twin.describe(message)) };
    const wanted = new Set(ours.replies);
    const theirs = {
      lines: real.lines,
      replies: real.replies
        .map((message) => this.real.describe(message))
        .filter((reply) => wanted.has(reply) || !OF_ITSELF.has(reply)),
    };
    const same = sameSeen(ours, theirs);
    if (!same) this.note({ trial: trial.name, verdict, ours, theirs, bytes });
    return { verdict, same, twin, real };
  }

  note(difference: Omit<Difference, 'kind'>): void {
    this.differences.push({ kind: this.kind, ...difference });
  }

  /** Bytes received must be counted alike for every peer. */
  async compareFigures(trial: string): Promise<void> {
    const [ours, theirs] = await Promise.all([this.twin.subject.received(), this.real.subject.received()]);
    for (const [peer, counted] of ours) {
      const more = this.kind === COUNTS_WHAT_IT_OPENED ? (this.#refusedInside.get(peer) ?? 0) : 0;
      const bytes = counted + more;
      if (theirs.get(peer) === bytes) continue;
      const said = (count: number | undefined): Seen => ({ lines: [], replies: [`${count} bytes received`] });
      const difference = { ours: said(bytes), theirs: said(theirs.get(peer)), bytes: new Uint8Array(0) };
      this.note({ trial: `${trial}: figures`, verdict: undefined, ...difference });
    }
  }
}

const sameList = (one: readonly string[], two: readonly string[]): boolean =>
  one.length === two.length && one.every((text, i) => text === two[i]);

function sameSeen(one: Seen, two: Seen): boolean {
  return sameList(one.lines, two.lines) && sameList(one.replies, two.replies);
}
