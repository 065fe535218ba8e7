/** A DNS message as far as its names go: questions and answers (RFC 1035 §4.1). Reads any bytes. */
import { formatIp } from '../../base/address.ts';
import { type Bytes, u8, u16be, u32be } from '../../base/bytes.ts';

export interface DnsEntry {
  /** Without the dot at its end; `.` for the root. What is no printable ASCII is `\DDD` (RFC 1035 §5.1). */
  readonly name: string;
  readonly type: number;
  /** Within the message. */
  readonly at: number;
  readonly length: number;
  /** Answers only: an address or a name, where the type holds one of these. */
  readonly value?: string;
  readonly ttl?: number;
}

export interface DnsMessage {
  readonly id: number;
  readonly flags: number;
  /** What the header claims: questions, answers, authorities, additional records. */
  readonly counts: readonly [number, number, number, number];
  readonly questions: readonly DnsEntry[];
  readonly answers: readonly DnsEntry[];
  /** All questions and answers that it claims were read. */
  readonly whole: boolean;
}

const HEADER_BYTES = 12;
const NAME_LIMIT = 255;
const ENTRIES_LIMIT = 32;
const POINTER = 0xc0;

const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  41: 'OPT',
  43: 'DS',
  48: 'DNSKEY',
  64: 'SVCB',
  65: 'HTTPS',
  255: 'ANY',
};

const CODES: readonly string[] = [
  'no error',
  'format error',
  'server failure',
  'no such name',
  'not implemented',
  'refused',
];

export const dnsTypeName = (type: number): string => TYPES[type] ?? `type ${type}`;
export const dnsCodeName = (flags: number): string => CODES[flags & 15] ?? `code ${flags & 15}`;
export const isDnsAnswer = (flags: number): boolean => (flags & 0x8000) !== 0;

/** Undefined where there is no whole header. */
export function readDns(bytes: Bytes): DnsMessage | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const counts = [u16be(bytes, 4), u16be(bytes, 6), u16be(bytes, 8), u16be(bytes, 10)] as const;
  const questions: DnsEntry[] = [];
  const answers: DnsEntry[] = [];
  let at: number | undefined = HEADER_BYTES;
  for (let i = 0; i < counts[0] && at !== undefined && questions.length < ENTRIES_LIMIT; i++)
    at = readEntry(bytes, at, false, questions);
  for (let i = 0; i < counts[1] && at !== undefined && answers.length < ENTRIES_LIMIT; i++)
    at = readEntry(bytes, at, true, answers);
  const whole = questions.length === counts[0] && answers.length === counts[1];
  return { id: u16be(bytes, 0), flags: u16be(bytes, 2), counts, questions, answers, whole };
}

/** Gives where the next one begins; undefined where this one is not whole. */
function readEntry(bytes: Bytes, at: number, isRecord: boolean, into: DnsEntry[]): number | undefined {
  const name = readName(bytes, at);
  if (name === undefined) return undefined;
  const fixed = isRecord ? 10 : 4;
  if (name.end + fixed > bytes.length) return undefined;
  const type = u16be(bytes, name.end);
  if (!isRecord) {
    into.push({ name: name.text, type, at, length: name.end + fixed - at });
    return name.end + fixed;
  }
  const data = name.end + fixed;
  const length = u16be(bytes, name.end + 8);
  if (data + length > bytes.length) return undefined;
  const value = addressOrName(bytes, type, data, length);
  into.push({
    name: name.text,
    type,
    at,
    length: data + length - at,
    ttl: u32be(bytes, name.end + 4),
    ...(value === undefined ? {} : { value }),
  });
  return data + length;
}

function addressOrName(bytes: Bytes, type: number, at: number, length: number): string | undefined {
  if ((type === 1 && length === 4) || (type === 28 && length === 16)) return formatIp(bytes.subarray(at, at + length));
  return type === 2 || type === 5 || type === 12 ? readName(bytes, at)?.text : undefined;
}

/** A pointer leads back only (RFC 1035 §4.1.4), so that there is an end. */
function readName(bytes: Bytes, start: number): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  let total = 0;
  let lowest = start;
  for (;;) {
    if (at >= bytes.length) return undefined;
    const size = u8(bytes, at);
    if (size === 0) return { text: labels.length === 0 ? '.' : labels.join('.'), end: end ?? at + 1 };
    if ((size & POINTER) === POINTER) {
      if (at + 1 >= bytes.length) return undefined;
      end ??= at + 2;
      const to = u16be(bytes, at) & 0x3fff;
      if (to >= lowest) return undefined;
      lowest = to;
      at = to;
      continue;
    }
    if ((size & POINTER) !== 0 || at + 1 + size > bytes.length) return undefined;
    total += size + 1;
    if (total > NAME_LIMIT) return undefined;
    labels.push(labelText(bytes.subarray(at + 1, at + 1 + size)));
    at += 1 + size;
  }
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function labelText(label: Bytes): string {
  let text = '';
  for (const byte of label) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== DOT && byte !== BACKSLASH;
    text += plain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}
