/** Settings of AmneziaWG as its own programs read them: padding, message types, junk; what is not set is as in WireGuard. */

/** Message types that a receiver takes for one kind, both ends included; a sender picks any of them. */
export interface TypeRange {
  readonly low: number;
  readonly high: number;
}

/** In the order of message types 1 to 4: initiation, response, cookie reply, data. */
export type PerType<T> = readonly [T, T, T, T];

export interface AmneziaSettings {
  /** S1 to S4: bytes before a message. */
  readonly padding: PerType<number>;
  /** H1 to H4. */
  readonly types: PerType<TypeRange>;
  /** HeaderProtectionKey (3.x) is set; the key itself is not kept. */
  readonly headerProtection: boolean;
  /** RandomTrailers (3.x): handshake messages have no one length. */
  readonly randomTrailers: boolean;
}

const one = (type: number): TypeRange => ({ low: type, high: type });

export const PLAIN_SETTINGS: AmneziaSettings = {
  padding: [0, 0, 0, 0],
  types: [one(1), one(2), one(3), one(4)],
  headerProtection: false,
  randomTrailers: false,
};

const MAX_U32 = 0xffff_ffff;
/** A datagram has no room for more. */
const MAX_PADDING = 65_535;

/** `settings` with one more; undefined where the value is none that AmneziaWG takes. Others than S, H and 3.x change nothing. */
export function withAmneziaSetting(settings: AmneziaSettings, name: string, text: string): AmneziaSettings | undefined {
  const index = Number(name.slice(1)) - 1;
  if (/^S[1-4]$/.test(name)) {
    const bytes = number(text, MAX_PADDING);
    return bytes === undefined ? undefined : { ...settings, padding: replaced(settings.padding, index, bytes) };
  }
  if (/^H[1-4]$/.test(name)) {
    const range = typeRange(text);
    return range === undefined ? undefined : { ...settings, types: replaced(settings.types, index, range) };
  }
  if (name === 'HeaderProtectionKey') return { ...settings, headerProtection: text !== '' };
  if (name === 'RandomTrailers') return { ...settings, randomTrailers: /^(on|true|1)$/i.test(text) };
  return settings;
}

/** Whether a plain WireGuard would not read what an end with these settings sends. */
export function changesMessages({ padding, types, headerProtection, randomTrailers }: AmneziaSettings): boolean {
  const moved = padding.some((bytes) => bytes !== 0);
  const renamed = types.some(({ low, high }, i) => low !== i + 1 || high !== i + 1);
  return moved || renamed || headerProtection || randomTrailers;
}

/** `1234567891`, or `5-9`. */
export function formatTypeRange({ low, high }: TypeRange): string {
  return low === high ? `${low}` : `${low}-${high}`;
}

function replaced<T>([a, b, c, d]: PerType<T>, index: number, value: T): PerType<T> {
  return [index === 0 ? value : a, index === 1 ? value : b, index === 2 ? value : c, index === 3 ? value : d];
}

function number(text: string, most: number): number | undefined {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= most ? value : undefined;
}

function typeRange(text: string): TypeRange | undefined {
  const [first = '', second, ...rest] = text.split('-').map((part) => part.trim());
  const low = number(first, MAX_U32);
  const high = second === undefined ? low : number(second, MAX_U32);
  if (low === undefined || high === undefined || high < low || rest.length > 0) return undefined;
  return { low, high };
}
