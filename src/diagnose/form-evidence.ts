/** Whether the end that a message goes to, as its file describes it, reads the form that the message is in. */
import type { ConfEntry } from '../analyze/key-set.ts';
import type { Seen, WireForm } from '../analyze/timeline.ts';
import { dropForForm, formSettings, type HandshakeType } from '../analyze/unwrap/reads.ts';
import { type Attempt, initiationOf, isAnswered, type World } from '../analyze/world.ts';
import { type AmneziaSettings, formatTypeRange, PLAIN_SETTINGS } from '../config/amnezia.ts';
import { sightAtResponder } from './evidence.ts';

/** What stands on the wire, what the receiving end wants instead, and whose messages they are. */
export interface FormRefusal {
  readonly which: 'initiation' | 'response';
  readonly seen: readonly Seen[];
  readonly entry: ConfEntry;
  /** As part of a sentence: `AmneziaWG with S1 = 15 and H1 = 7`, `plain WireGuard`. */
  readonly onWire: string;
  readonly wanted: string;
}

/** The first kind of message of a failed attempt that its receiver cannot read for its form. */
export function refusedForm(attempt: Attempt, world: World): FormRefusal | undefined {
  if (workedSo(attempt)) return undefined;
  const asked = attempt.exchanges.flatMap((merged) => (isAnswered(merged) ? [] : (initiationOf(merged) ?? [])));
  const first = attempt.exchanges[0];
  const mac1 = first === undefined ? undefined : sightAtResponder(first)?.mac1;
  if (asked.length === attempt.exchanges.length && mac1?.kind === 'known') {
    const refusal = judge('initiation', asked, world.keys.confOf(mac1.key));
    if (refusal !== undefined) return refusal;
  }
  const answers = attempt.exchanges.flatMap(({ views }) => views.flatMap(({ exchange }) => exchange.responses));
  const to = answers.find(({ sight }) => sight.mac1.kind === 'known')?.sight.mac1;
  if (to?.kind !== 'known') return undefined;
  // an end that speaks the form itself reads it, whatever its file leaves out
  const spoken = first === undefined ? undefined : initiationOf(first)?.wire?.variant;
  const entry = world.keys.confOf(to.key);
  if (spoken !== undefined && entry?.conf.interface.amnezia === undefined) return undefined;
  return judge(
    'response',
    answers.map(({ seen }) => seen),
    entry,
  );
}

/** The same form was answered before or after: the file is not what runs. */
function workedSo({ exchanges, before, established }: Attempt): boolean {
  const [first] = exchanges;
  const seen = first === undefined ? undefined : initiationOf(first);
  return [before, established].some((merged) => {
    if (merged === undefined || exchanges.includes(merged) || !isAnswered(merged)) return false;
    return initiationOf(merged)?.wire?.variant === seen?.wire?.variant;
  });
}

function judge(
  which: FormRefusal['which'],
  seen: readonly Seen[],
  entry: ConfEntry | undefined,
): FormRefusal | undefined {
  const [one] = seen;
  const settings = entry === undefined ? undefined : formSettings(entry);
  const type = which === 'initiation' ? 1 : 2;
  if (one === undefined || entry === undefined || settings === undefined) return undefined;
  if (dropForForm(entry, one.wire, type) === undefined) return undefined;
  return { which, seen, entry, onWire: wordsFor(one.wire, type), wanted: wantedBy(entry, settings, one.wire, type) };
}

function wordsFor(wire: WireForm | undefined, type: HandshakeType): string {
  if (wire === undefined) return 'plain WireGuard';
  return wire.padding === undefined
    ? wire.variant
    : `AmneziaWG with S${type} = ${wire.padding} and H${type} = ${wire.header ?? type}`;
}

function wantedBy(
  { name }: ConfEntry,
  settings: AmneziaSettings,
  wire: WireForm | undefined,
  type: HandshakeType,
): string {
  if (settings === PLAIN_SETTINGS)
    return wire?.padding === undefined ? `${name} is a plain WireGuard` : `${name} has no AmneziaWG settings`;
  const range = settings.types[type - 1] ?? { low: type, high: type };
  const own = `S${type} = ${settings.padding[type - 1] ?? 0} and H${type} = ${formatTypeRange(range)}`;
  return `${name} has ${own}${settings.headerProtection ? ', and its header protection' : ''}`;
}
