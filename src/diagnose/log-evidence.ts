/** Logs laid beside the captures of the same time: which line speaks of which message. */

import { alignLog, type LogView } from '../analyze/log-clock.ts';
import type { Machine } from '../analyze/machine.ts';
import type { MergedExchange } from '../analyze/merge.ts';
import type { FrameId, Seen } from '../analyze/timeline.ts';
import type { World } from '../analyze/world.ts';
import { oncePer } from '../base/once-per.ts';
import { countBefore } from '../base/sorted.ts';
import type { LogEvent, LogEventKind } from '../config/log/event.ts';

export interface PlacedLog {
  readonly machine: Machine;
  readonly view: LogView;
}

/** As findings and the drawing name who wrote a log. */
export const SPEAKER: Readonly<Record<LogEvent['implementation'], string>> = {
  linux: 'the kernel',
  windows: 'the Windows driver',
  'wireguard-go': 'wireguard-go',
  boringtun: 'boringtun',
  routeros: 'RouterOS',
};

/** Each log with the capture that it fits best, if any; worked out once for a world. */
export const placedLogs = oncePer<World, readonly PlacedLog[]>(({ keys, timelines }) =>
  keys.machines.flatMap((machine) => {
    if (machine.log.length === 0) return [];
    const views = timelines.flatMap((timeline) => alignLog(machine.log, timeline) ?? []);
    const [view] = views.sort((a, b) => b.frames.size - a.frames.size);
    return view === undefined ? [] : [{ machine, view }];
  }),
);

/** wireguard-go says the reason in one line, and in the next once more that something was refused: that one is left out. */
export function withoutEchoes(log: readonly LogEvent[]): LogEvent[] {
  return log.filter((event, i) => {
    const before = log[i - 1];
    const isEcho =
      before?.line === event.line - 1 &&
      before.kind === event.kind &&
      event.text.startsWith('Received invalid') &&
      before.reasons.length < event.reasons.length &&
      before.reasons.every((reason) => event.reasons.includes(reason));
    return !isEcho;
  });
}

/** What is not to be seen in a capture: the verdict of the machine itself. */
const TELLING: ReadonlySet<LogEventKind> = new Set<LogEventKind>([
  'refused',
  'not-sent',
  'handshake-gave-up',
  'silence-noticed',
  'keys-wiped',
]);
/** A line that speaks of no message stands with the last one before it, this long after it at most. */
const BESIDE_MS = 30_000;

export interface LogLine {
  readonly machine: Machine;
  readonly event: LogEvent;
}

/** Lines by the message that they stand with. */
export function linesOfMessages(world: World): ReadonlyMap<Seen, readonly LogLine[]> {
  const out = new Map<Seen, LogLine[]>();
  for (const { machine, view } of placedLogs(world)) {
    for (const event of withoutEchoes(machine.log)) {
      const seen = TELLING.has(event.kind) ? (view.frames.get(event) ?? lastBefore(event, view)) : undefined;
      if (seen === undefined) continue;
      const lines = out.get(seen) ?? [];
      out.set(seen, lines);
      lines.push({ machine, event });
    }
  }
  return out;
}

function lastBefore(event: LogEvent, { at, messages }: LogView): Seen | undefined {
  const moment = at.get(event);
  if (moment === undefined) return undefined;
  const last = messages[countBefore(messages, ({ ms }) => ms > moment + 1000) - 1];
  return last === undefined || moment - last.ms > BESIDE_MS ? undefined : last.seen;
}

/** The exchange that a message is of. */
const holders = oncePer<World, ReadonlyMap<Seen, MergedExchange>>(
  ({ exchanges }) =>
    new Map(
      exchanges.flatMap((merged) =>
        merged.views.flatMap(({ exchange }) =>
          [exchange.initiation, ...exchange.responses.map((r) => r.seen)].flatMap((seen) =>
            seen === undefined ? [] : [[seen, merged] as const],
          ),
        ),
      ),
    ),
);

/** The frames of this message in every capture that has it. */
export function framesOf(seen: Seen, world: World): FrameId[] {
  const same = (other: Seen): boolean =>
    other.kind === seen.kind && other.sender === seen.sender && other.receiver === seen.receiver;
  const merged = holders(world).get(seen);
  const all = merged?.views.flatMap(({ exchange }) =>
    [exchange.initiation, ...exchange.responses.map((r) => r.seen)].flatMap((other) =>
      other !== undefined && same(other) ? [other.at] : [],
    ),
  );
  return all === undefined || all.length === 0 ? [seen.at] : all;
}
