/** Messages for people: each as a tree with offsets, or as a line. */
import type { Dissected, DissectedField, DissectedMessage, DissectedOther } from './dissect-model.ts';
import { absolute } from './text-time.ts';
import { type Paint, pad, painter, sanitiseAll, wrap } from './text-wrap.ts';

export interface DissectTextOptions {
  readonly width: number;
  readonly colour: boolean;
  /** One line for each message. */
  readonly linesOnly: boolean;
}

type Shown = DissectedMessage | DissectedOther;

/** Right behind offset and length. */
const NAME_AT = 13;
const VALUE_AT = 37;
/** What is shorter is shown beside its value, as it stands on the wire. */
const SHORT_BYTES = 8;
const ROW_BYTES = 16;
/** For machines: the words beside their field say it already. */
const SAID_ALREADY = new Set(['known', 'privateKeyKnown', 'state', 'keepalive', 'handshakeOk']);

export class DissectText {
  readonly #options: DissectTextOptions;
  readonly #paint: Paint;
  #captures = 0;

  constructor(options: DissectTextOptions) {
    this.#options = options;
    this.#paint = painter(options.colour);
  }

  /** With a line feed at its end, or empty. No control character but our own colours gets out. */
  render(raw: Dissected): string {
    const item = sanitiseAll(raw);
    switch (item.kind) {
      case 'capture':
        return this.#capture(item.name, item.format, item.gzip);
      case 'message':
      case 'malformed':
      case 'unread':
        return this.#options.linesOnly ? `${this.#line(item)}\n` : `${this.#tree(item)}\n\n`;
      case 'damage': {
        const resumed =
          item.resumedAt === undefined ? 'nothing was read behind it' : `read on from byte ${item.resumedAt}`;
        return `damage after frame ${item.framesBefore}, at byte ${item.offset}: ${item.message}; ${resumed}\n${this.#options.linesOnly ? '' : '\n'}`;
      }
      case 'problem': {
        const place = [item.input, item.line, item.column].filter((part) => part !== undefined).join(':');
        return `${place}: ${item.message}\n${item.hint === undefined ? '' : `  ${item.hint}\n`}`;
      }
      case 'end':
        return this.#end(item);
    }
  }

  #capture(name: string, format: string, gzip: boolean): string {
    const gap = this.#captures++ === 0 ? '' : '\n';
    return `${gap}${this.#paint('bold', name)}  ${format}${gzip ? ', gzip' : ''}\n${this.#options.linesOnly ? '' : '\n'}`;
  }

  #end({ frames, found, shown, skipped }: Extract<Dissected, { kind: 'end' }>): string {
    const reasons = Object.entries(skipped).map(([reason, count]) => `${reason} ${count}`);
    const without = reasons.length === 0 ? '' : `; frames without a datagram: ${reasons.join(', ')}`;
    const some = shown === found ? '' : `, ${shown} of them shown`;
    return `${count(frames, 'frame')}, ${count(found, 'message')}${some}${without}\n`;
  }

  #line(item: Shown): string {
    const { at, sinceStart, from, to, summary, captured, length } = item;
    const cut = captured < length && item.kind === 'message' ? ` (cut: ${captured} of ${length} bytes)` : '';
    const time = sinceStart === undefined ? '' : `${seconds(sinceStart).padStart(12)}  `;
    return `${String(at.frame).padStart(6)}  ${time}${from} → ${to}  ${this.#toned(summary)}${cut}`;
  }

  #toned(summary: string): string {
    return summary.replace(/; refused: /, (words) => this.#paint('red', words));
  }

  #tree(item: Shown): string {
    const { at, sinceStart, from, to, length, captured } = item;
    const what =
      item.kind === 'unread' ? 'not read' : item.kind === 'malformed' ? `malformed ${item.message}` : item.message;
    const since = sinceStart === undefined ? 'no time' : `${seconds(sinceStart)} s  ${absolute(at.time)}`;
    const cut = captured < length ? `, ${captured} captured` : '';
    const head = this.#paint('bold', `frame ${at.frame}  ${what}, ${length} bytes${cut}`);
    const lines = [`${head}  ${from} → ${to}`, `  ${since}`, ...wrap(carried(item), this.#options.width, '  ')];
    lines.push(...wrap(item.summary, this.#options.width, '  '));
    for (const field of item.fields ?? []) this.#field(field, 0, lines);
    return lines.join('\n');
  }

  #field(field: DissectedField, depth: number, lines: string[]): void {
    if (SAID_ALREADY.has(field.name)) return;
    const { at, length, meaning, fields = [], bytes, wire } = field;
    const place = at === undefined ? ' '.repeat(NAME_AT) : `${String(at).padStart(6)} ${String(length).padStart(4)}  `;
    const name = `${'  '.repeat(depth)}${words(field.name)}`;
    const start = `${pad(`${place}${name}`, VALUE_AT - 2)}  `;
    const shown = [valueText(field), shortBytes(field)].filter((part) => part !== undefined).join(' ');
    const said = [shown, meaning].filter((part) => part !== undefined && part !== '').join(': ');
    const wrapped = wrap(said, this.#options.width, start, ' '.repeat(VALUE_AT));
    lines.push(...wrapped.map((line) => line.trimEnd()).map((line) => this.#tonedField(field, line)));
    if (wire !== undefined)
      lines.push(...wrap(`on the wire ${spaced(wire)}`, this.#options.width, ' '.repeat(VALUE_AT)));
    // without parts of its own, what is long has its bytes nowhere else
    if (bytes !== undefined && fields.length === 0 && (length ?? 0) > ROW_BYTES && field.value === undefined)
      lines.push(...rows(bytes, at ?? 0));
    for (const inner of fields) this.#field(inner, depth + 1, lines);
  }

  #tonedField({ name, value }: DissectedField, line: string): string {
    if (name !== 'verdict' || (value !== 'refused' && value !== 'accepted')) return line;
    return line.replace(value, () => this.#paint(value === 'refused' ? 'red' : 'green', value));
  }
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** To the microsecond, which is what most captures have. */
function seconds(sinceStart: string): string {
  const text = sinceStart.slice(0, -3);
  return text.startsWith('-') ? text : `+${text}`;
}

function carried({ carrier }: Shown): string {
  const { path, ttl, tos, ipId, dontFragment, fragments, checksum, direction, datagramLength, messageAt, frameAt } =
    carrier;
  const parts = [
    `carried by ${path.join(' / ')}`,
    ...(direction === undefined ? [] : [direction === 'in' ? 'incoming' : 'outgoing']),
    `ttl ${ttl}`,
    `tos 0x${tos.toString(16).padStart(2, '0')}`,
    `id 0x${ipId.toString(16).padStart(4, '0')}${dontFragment ? ' DF' : ''}`,
    ...(fragments === 1 ? [] : [`put together from ${fragments} fragments`]),
    `UDP checksum ${checksum}`,
    ...(messageAt === 0 ? [] : [`begins at byte ${messageAt} of a datagram of ${datagramLength}`]),
    ...(frameAt === undefined ? [] : [`at byte ${frameAt} of the frame`]),
  ];
  return parts.join(', ');
}

/** `sealedStatic` → `sealed static`, `ageMs` → `age`. */
const words = (name: string): string =>
  name.replace(MILLISECONDS, '').replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const MILLISECONDS = /Ms$/;

function valueText({ name, value, bytes, length = 0, fields = [] }: DissectedField): string | undefined {
  if (MILLISECONDS.test(name)) return `${String(value)} ms`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null) return 'unknown';
  if (value !== undefined) return typeof value === 'object' ? value.join('; ') : String(value);
  return bytes !== undefined && fields.length === 0 && length <= ROW_BYTES ? bytes : undefined;
}

/** As they stand on the wire, where the value reads otherwise. */
function shortBytes({ value, bytes, length = 0, fields = [] }: DissectedField): string | undefined {
  if (value === undefined || bytes === undefined || length > SHORT_BYTES || length < 2) return undefined;
  if (fields.some(({ at }) => at !== undefined)) return undefined;
  const shown = String(value);
  return shown === bytes || shown === `0x${bytes}` ? undefined : `(${spaced(bytes)})`;
}

const spaced = (hex: string): string => hex.replace(/../g, '$& ').trimEnd();

function rows(hex: string, at: number): string[] {
  const lines: string[] = [];
  for (let i = 0; i < hex.length; i += 2 * ROW_BYTES) {
    lines.push(`${String(at + i / 2).padStart(6)}       ${spaced(hex.slice(i, i + 2 * ROW_BYTES))}`);
  }
  return lines;
}
