/** Whether an end, as its file describes it, reads the form that a handshake message came in. */
import { type AmneziaSettings, PLAIN_SETTINGS } from '../../config/amnezia.ts';
import type { Drop } from '../../wg/drop.ts';
import type { ConfEntry } from '../key-set.ts';
import type { WireForm } from '../timeline.ts';
import { VARIANT } from '../variants.ts';

/** Message types 1 and 2. */
export type HandshakeType = 1 | 2;

/** Undefined where the file has settings of AmneziaWG whose values are not known. */
export function formSettings({ conf, origin }: ConfEntry): AmneziaSettings | undefined {
  if (conf.interface.amnezia !== undefined) return conf.interface.amnezia;
  const hidden = origin.kind === 'wg-show' && origin.status.amnezia.length > 0;
  return hidden || conf.faults.some(({ kind }) => kind === 'amnezia-setting') ? undefined : PLAIN_SETTINGS;
}

/** What that end drops the message with for its form alone; undefined where it reads it, or where that cannot be told. */
export function dropForForm(entry: ConfEntry, wire: WireForm | undefined, type: HandshakeType): Drop | undefined {
  const settings = formSettings(entry);
  if (settings === undefined) return undefined;
  const variant = wire?.variant;
  const word = wire?.header ?? type;
  if (variant === VARIANT.warp) {
    // gotatun alone reads past the reserved bytes
    if (settings !== PLAIN_SETTINGS) return undefined;
    const reserved = wire?.reserved ?? [0, 0, 0];
    return { kind: 'reserved-nonzero', message: type === 1 ? 'initiation' : 'response', reserved };
  }
  if (variant === VARIANT.lwo) {
    // who else speaks it the file of a tunnel does not say
    return entry.origin.kind === 'routeros' ? { kind: 'unknown-type', type: word } : undefined;
  }
  if (variant !== undefined && variant !== VARIANT.amnezia) return undefined;
  const range = settings.types[type - 1] ?? { low: type, high: type };
  const padding = settings.padding[type - 1] ?? 0;
  const placed = (wire?.padding ?? 0) === padding || settings.randomTrailers;
  const taken = placed && word >= range.low && word <= range.high && !settings.headerProtection;
  return taken ? undefined : { kind: 'unknown-type', type: word };
}
