/** A log in which an implementation itself says what it dropped: no argument is needed then, only the translation. */
import type { Machine } from '../../analyze/machine.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { World } from '../../analyze/world.ts';
import type { DropReason, LogEvent } from '../../config/log/event.ts';
import { DROP_OF_REASON, FINDING_OF_DROP } from '../../wg/catalogue.ts';
import { framesOf, placedLogs, SPEAKER, withoutEchoes } from '../log-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** Kinds of lines told for one log. */
const MOST_TOLD = 5;
const FRAMES = 8;

interface LogFacts extends Facts {
  readonly file: string;
  readonly line: number;
  readonly speaker: string;
  readonly said: string;
  readonly times: number;
  /** Names of findings: several where the implementation does not say which. */
  readonly findings: readonly string[];
  readonly recovered: boolean;
}

interface Group {
  readonly first: LogEvent;
  /** Those of which a capture has the message. */
  readonly frames: FrameId[];
  last: LogEvent;
  times: number;
  readonly findings: readonly string[];
}

export const logRefusal = defineRule({
  name: 'log-refusal',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a log line by which an implementation says that it dropped a message or a packet',
    why: 'the owner of the state has spoken: what a capture could only make likely is then certain; but most implementations say it only with debugging switched on',
    fix: 'look at the finding that the line stands for: `wgwhy rules NAME`',
  },
  check: (world): Found<LogFacts>[] => world.keys.machines.flatMap((machine) => inLog(machine, world)),
  message({ file, line, speaker, said, times, findings }) {
    const often = times === 1 ? '' : ` (${times} times)`;
    return `${file} line ${line}: ${speaker} says “${said}”${often}, which is ${findings.join(' or ')}`;
  },
  fix: ({ findings, speaker }) => {
    const look = findings.map((finding) => `wgwhy rules ${finding}`);
    return speaker === SPEAKER.routeros ? { routeros: look } : { linux: look };
  },
});

function inLog(machine: Machine, world: World): Found<LogFacts>[] {
  const { name, log } = machine;
  const view = placedLogs(world).find((one) => one.machine === machine)?.view;
  const groups = new Map<string, Group>();
  for (const event of withoutEchoes(log)) {
    const findings = findingsOf(event.reasons);
    if (event.kind !== 'refused' && event.kind !== 'not-sent') continue;
    if (findings.length === 0) continue;
    const key = `${findings.join()} ${whose(event)}`;
    const known = groups.get(key);
    const seen = view?.frames.get(event);
    const frames = seen === undefined ? [] : framesOf(seen, world);
    if (known === undefined) groups.set(key, { first: event, frames, last: event, times: 1, findings });
    else {
      known.times++;
      known.last = event;
      if (known.frames.length < FRAMES) known.frames.push(...frames);
    }
  }
  return [...groups.values()].slice(0, MOST_TOLD).map(({ first, frames, last, times, findings }) => {
    const successes = log.filter((event) => isSuccess(event) && whose(event) === whose(first));
    const recovered = successes.some(({ line }) => line > last.line);
    const harmless =
      findings.every((finding) => HARMLESS.has(finding)) || (times === 1 && successes.length > 0 && !recovered);
    return {
      facts: {
        file: name,
        line: first.line,
        speaker: SPEAKER[first.implementation],
        said: first.text,
        times,
        findings,
        recovered,
      },
      certainty: findings.length === 1 ? 'proven' : 'suspected',
      ...(recovered || harmless
        ? { severity: 'info' as const }
        : whose(first) === '' || times === 1
          ? { severity: 'warning' as const }
          : {}),
      frames,
      corroborates: findings,
      subject: `file:${name}`,
      notes: [
        ...(recovered ? ['a handshake with the same end succeeds further down in the log'] : []),
        ...(whose(first) === ''
          ? ['the line does not say whose it was: on the open Internet it may have been a scanner']
          : []),
        ...(times === 1 && successes.length > 0 && !recovered
          ? ['it is one line in a log of a tunnel that works: an old message sent again looks like this too']
          : []),
        ...(findings.length > 1
          ? [
              `the line stands for several causes: a capture taken on that machine, beside its configuration, tells which`,
            ]
          : []),
      ],
    };
  });
}

/** What happens now and then in tunnels that work. */
const HARMLESS: ReadonlySet<string> = new Set([
  'packet-replayed',
  'packet-too-old',
  'response-unexpected',
  'under-load-cookie',
  'cookie-ignored',
  'crossing-initiations',
]);

/** What people have most often comes first among what a line can stand for. */
const LIKELY: readonly string[] = ['unknown-initiator', 'timestamp-replayed', 'psk-mismatch', 'wrong-responder-key'];

function findingsOf(reasons: readonly DropReason[]): string[] {
  const kinds = reasons.map((reason) => DROP_OF_REASON[reason]).filter((kind) => kind !== 'race');
  const all = [...new Set(kinds.map((kind) => FINDING_OF_DROP[kind]))];
  // an interface without a private key is a rare thing beside the others
  const names = all.length === 1 ? all : all.filter((name) => name !== 'responder-silent');
  return [...LIKELY.filter((name) => names.includes(name)), ...names.filter((name) => !LIKELY.includes(name)).sort()];
}

const isSuccess = ({ kind }: LogEvent): boolean => kind === 'session-created' || kind === 'response-received';

/** The peer as the log calls it, else the address it came from; empty where neither is told. */
function whose({ peer, endpoint }: LogEvent): string {
  if (peer === undefined) return endpoint?.text ?? '';
  if (peer.kind === 'number') return `peer ${peer.number}`;
  if (peer.kind === 'short-key') return `${peer.start}…${peer.end}`;
  return peer.kind === 'name' ? peer.name : 'key';
}
