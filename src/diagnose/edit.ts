/** The line of a file as it should read: what `check` shows beside a finding, and as a diff. Never holds a secret. */
import type { ConfEntry } from '../analyze/key-set.ts';
import { formatPrefix, maskIp, type Prefix } from '../base/address.ts';
import type { WgPeer } from '../config/wg-conf.ts';

export interface Edit {
  /** The input's letter. */
  readonly input: string;
  readonly line: number;
  /** Takes the line's place, or comes after it; without text the line goes. */
  readonly kind: 'replace' | 'insert-after' | 'delete';
  readonly text?: string;
}

/** In a wg-quick file only: what other texts print is changed by commands. */
export function settingEdit(entry: ConfEntry, line: number | undefined, setting: string, value: string): Edit[] {
  if (entry.origin.kind !== 'wg-quick' || line === undefined) return [];
  return [{ input: entry.input, line, kind: 'replace', text: `${setting} = ${value}` }];
}

/** The AllowedIPs of a peer with others: as one line, where they stand in one. */
export function allowedIpsEdit(
  entry: ConfEntry,
  { allowedIps, publicKey, line }: WgPeer,
  wanted: readonly Prefix[],
): Edit[] {
  const value = wanted.map(({ ip, bits }) => formatPrefix({ ip: maskIp(ip, bits), bits })).join(', ');
  const lines = new Set(allowedIps.map((one) => one.line));
  const [first] = lines;
  if (lines.size === 1) return settingEdit(entry, first, 'AllowedIPs', value);
  if (lines.size > 1 || entry.origin.kind !== 'wg-quick') return [];
  return [{ input: entry.input, line: publicKey?.line ?? line, kind: 'insert-after', text: `AllowedIPs = ${value}` }];
}
