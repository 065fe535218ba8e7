/** A trace as JSON in the layout of the drop corpus: what `wgwhy trace --vector` and other test suites read. */
import { toBase64 } from '../base/base64.ts';
import { type Bytes, toHex, u32le } from '../base/bytes.ts';
import { figuresOf, isWhole, type TraceDocument, type TraceRun, valueText } from './trace-document.ts';
import { firstDifference, type TraceRow, type TraceValue } from './trace-rows.ts';

type Texts = Record<string, string>;

/** The names of a trace in the corpus are those of its message; the rest stands beside it. */
const BESIDE = /^(dh_|initial_)/;

/** Whole hexadecimal with `showSecrets`, else fingerprints (`#…`) in the place of secrets and no private keys. */
export function traceJson(document: TraceDocument, tool: string, showSecrets: boolean): object {
  const { title, runs, packets, keys } = document;
  const [first, second] = runs;
  const shown = (value: TraceValue): string => valueText(document, value, showSecrets);
  const figures = [...figuresOf(first.rows)];
  const named = (message: TraceRow['message'], kept: (figure: string) => boolean): Texts =>
    Object.fromEntries(
      figures.flatMap(([name, value]) => {
        const figure = name.slice(message.length + 1);
        return name.startsWith(`${message}.`) && kept(figure) ? [[figure, shown(value)]] : [];
      }),
    );
  const trace = (message: TraceRow['message']): Texts => named(message, (figure) => !BESIDE.test(figure));
  const secrets = [...keys].filter(([name]) => showSecrets || name.endsWith('_public'));
  const difference = second && firstDifference(first.rows, second.rows);
  const differing = difference && (first.rows[difference.row] ?? second?.rows[difference.row]);
  const stopped = first.rows.find(({ missing, refused }) => missing !== undefined || refused !== undefined);
  return {
    schema: 'wgwhy/trace/1',
    source: tool,
    note: title,
    secrets: showSecrets ? 'shown' : 'fingerprints',
    keys: Object.fromEntries(secrets.map(([name, bytes]) => [name, toHex(bytes)])),
    keys_base64: Object.fromEntries(secrets.map(([name, bytes]) => [name, toBase64(bytes)])),
    ...indices(packets),
    constants: named('initiation', (figure) => figure.startsWith('initial_')),
    dh: { ...named('initiation', isDh), ...named('response', isDh) },
    trace_initiation: trace('initiation'),
    trace_response: trace('response'),
    ...(first.rows.some(({ message }) => message === 'data') ? { trace_data: trace('data') } : {}),
    cases: cases(packets, isWhole(document)),
    psk: first.name,
    steps: steps(first, shown),
    ...(stopped === undefined ? {} : { stopped: end(stopped) }),
    ...(second === undefined
      ? {}
      : {
          other: { psk: second.name, steps: steps(second, shown) },
          first_difference:
            differing === undefined || difference === undefined
              ? null
              : {
                  message: differing.message,
                  token: differing.token,
                  symbol:
                    (differing.values[difference.value] ?? second.rows[difference.row]?.values[difference.value])
                      ?.symbol ?? '',
                },
        }),
  };
}

const isDh = (figure: string): boolean => figure.startsWith('dh_');

function indices({ initiation, response }: TraceDocument['packets']): Record<string, number> {
  return {
    ...(initiation === undefined ? {} : { initiator_index: u32le(initiation.bytes, 4) }),
    ...(response === undefined ? {} : { responder_index: u32le(response.bytes, 4) }),
  };
}

interface Case {
  readonly id: string;
  readonly at: 'initiator' | 'responder';
  readonly packet: string;
  readonly length: number;
  readonly expect?: string;
}

/** What did not open, or was not reached, has no verdict: its case is named without `.ok`. */
function cases({ initiation, response, data }: TraceDocument['packets'], whole: boolean): Case[] {
  const made = (id: string, at: Case['at'], bytes: Bytes | undefined): Case[] =>
    bytes === undefined
      ? []
      : [
          {
            id: whole ? `${id}.ok` : id,
            at,
            packet: toHex(bytes),
            length: bytes.length,
            ...(whole ? { expect: 'ACCEPT' } : {}),
          },
        ];
  const toResponder = data === undefined || response === undefined || u32le(data, 4) === u32le(response.bytes, 4);
  return [
    ...made('init', 'responder', initiation?.bytes),
    ...made('resp', 'initiator', response?.bytes),
    ...made('data', toResponder ? 'responder' : 'initiator', data),
  ];
}

function steps({ rows }: TraceRun, shown: (value: TraceValue) => string): object[] {
  return rows.map((row) => {
    const { message, token, spec, values, state } = row;
    return {
      message,
      token,
      spec,
      values: values.map((value) => ({
        symbol: value.symbol,
        ...(value.formula === undefined ? {} : { formula: value.formula }),
        value: shown(value),
      })),
      ...(state === undefined ? {} : { state: stateOf(row, state, shown) }),
      ...end(row, false),
    };
  });
}

/** All four after the token, whether it changed them or not. */
function stateOf(
  { token, message }: TraceRow,
  state: NonNullable<TraceRow['state']>,
  shown: (value: TraceValue) => string,
): object {
  const open = message === 'initiation' && ['start', '← s', 'e'].includes(token);
  const value = (bytes: Bytes, hidden: boolean): string =>
    shown({ symbol: '', bytes, secrecy: hidden && !open ? 'secret' : 'public' });
  return {
    ck: value(state.chainingKey, true),
    h: value(state.hash, false),
    k: state.key === undefined ? null : value(state.key, true),
    n: state.key === undefined ? null : 0,
  };
}

function end({ message, token, missing, refused }: TraceRow, whole = true): object {
  return {
    ...(whole ? { message, token } : {}),
    ...(missing === undefined ? {} : { missing }),
    ...(refused === undefined ? {} : { refused }),
  };
}
