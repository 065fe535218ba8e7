/** `wgwhy keys` as text: the keys and their places, what each opens, the handshakes, and what is missing. */
import { NO_PSK } from '../analyze/key-set.ts';
import { decodeKeyText } from '../base/base64.ts';
import { publicKey, shortKey } from '../base/keys.ts';
import { labels } from '../report/inputs.ts';
import type { KeysCapture, KeysEntry, KeysHandshake, KeysMissing, KeysReport } from '../report/keys-model.ts';
import { count } from '../report/text-verdict.ts';
import { sanitise, wrap } from '../report/text-wrap.ts';

const KINDS: Readonly<Record<KeysEntry['kind'], string>> = {
  private: 'private key of',
  public: 'public key',
  ephemeral: 'ephemeral private key of',
  preshared: 'preshared key',
  traffic: 'traffic key of index',
};

/** Without a capture: what such a key opens at all. */
const GIVES: Readonly<Record<KeysEntry['kind'], string>> = {
  private: 'opens initiations to it; with an ephemeral of the same end also responses and data',
  public: 'tells which messages were made for it (MAC1), opens cookie replies of it',
  ephemeral: 'opens its handshake and the data of it, with the static private key of the same end',
  preshared: 'opens responses, where an ephemeral of the handshake is known',
  traffic: 'opens data sent to this index',
};

const HANDSHAKES_SHOWN = 20;
const PLACES_SHOWN = 4;

export function keysText(report: KeysReport, width: number): string {
  const { keys, captures, missing, problems, inputs } = report;
  const lines: string[] = [];
  const short = labels(inputs.map(({ name }) => name));
  const nameOf = (id: string): string => {
    const at = inputs.findIndex((input) => input.id === id || input.name === id);
    return short[at] ?? id;
  };
  lines.push(keys.length === 0 ? 'keys: none in these files' : 'keys');
  for (const entry of keys) lines.push(...keyLines(entry, captures.length > 0, width));
  for (const capture of captures) lines.push('', ...captureLines(capture, nameOf(capture.input), width));
  if (missing.length > 0) lines.push('', 'missing');
  for (const one of missing) lines.push(...missingLines(one, nameOf, width));
  if (problems.length > 0) lines.push('', 'problems');
  for (const { input, line, column, offset, message, hint } of problems) {
    const place = [nameOf(input), line, line === undefined ? undefined : column]
      .filter((part) => part !== undefined)
      .join(':');
    const byte = offset === undefined ? '' : ` (byte ${offset})`;
    lines.push(...wrap(sanitise(`${place}: ${message}${byte}`), width, '  - '));
    if (hint !== undefined) lines.push(...wrap(sanitise(hint), width, '      hint: ', '      '));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function keyLines(
  { kind, publicKey: half, index, where, psks, opens, secret }: KeysEntry,
  inUse: boolean,
  width: number,
) {
  const name = half === null ? (index ?? '') : shorten(half);
  const hidden = where.length - PLACES_SHOWN;
  const places = [...where.slice(0, PLACES_SHOWN), ...(hidden > 0 ? [`${hidden} more places`] : [])].join(', ');
  const bound = psks.length === 0 ? '' : `; PSK of it: ${psks.join(', ')}`;
  const head = [KINDS[kind], name].filter((part) => part !== '').join(' ');
  return [
    ...wrap(sanitise(`${head}: ${places}${bound}`), width, '  ', '      '),
    ...wrap(inUse ? opensText(kind, opens) : GIVES[kind], width, '      '),
    ...(secret === undefined ? [] : [`      secret: ${secret}`]),
  ];
}

function shorten(text: string): string {
  const bytes = decodeKeyText(text, true);
  return bytes instanceof Uint8Array ? shortKey(publicKey(bytes)) : text;
}

function opensText(kind: KeysEntry['kind'], { madeFor, initiations, responses, data }: KeysEntry['opens']): string {
  const opened = [
    [initiations, 'initiation'],
    [responses, 'response'],
    [data, 'data message'],
  ] as const;
  const list = opened.flatMap(([n, what]) => (n === 0 ? [] : [count(n, what)]));
  const parts = madeFor === 0 ? [] : [`${count(madeFor, 'message')} made for it`];
  if (list.length > 0) parts.push(`opens ${list.join(', ')}`);
  if (parts.length > 0) return parts.join('; ');
  return kind === 'public' ? 'no message here was made for it' : 'opens nothing here';
}

function captureLines({ handshakes, orphans, data }: KeysCapture, name: string, width: number): string[] {
  const { messages, opened, cut } = data;
  const short = cut === 0 ? '' : `, ${cut} of them cut by the capture`;
  const lines = wrap(
    sanitise(
      `${name}: ${count(handshakes.length, 'handshake')}, ${count(messages, 'data message')}, ${opened} opened${short}`,
    ),
    width,
    '',
    '  ',
  );
  for (const handshake of handshakes.slice(0, HANDSHAKES_SHOWN)) lines.push(...handshakeLines(handshake, width));
  for (const { index, from, to, frame, data: its } of orphans.slice(0, HANDSHAKES_SHOWN)) {
    const text = `${index} from frame ${frame}, ${from} → ${to}: its handshake is not in the capture, ${ofData(its)}`;
    lines.push(...wrap(text, width, '  ', '      '));
  }
  const hidden = [handshakes, orphans].reduce((sum, list) => sum + Math.max(0, list.length - HANDSHAKES_SHOWN), 0);
  if (hidden > 0) lines.push(`  ${hidden} more: --json lists all of them`);
  return lines;
}

function handshakeLines({ indices, frames, initiation, response, psk, data }: KeysHandshake, width: number): string[] {
  const where = [frames.initiation, frames.response].filter((frame) => frame !== null);
  const said: string[] = [STATES.initiation[initiation], STATES.response[response]];
  if (response === 'opens') said[1] = `${STATES.response.opens} (${pskText(psk)})`;
  if (data.messages > 0) said.push(ofData(data));
  const head = `${indices[0]}/${indices[1] ?? 'no response'}, ${where.length === 1 ? 'frame' : 'frames'} ${where.join(' and ')}`;
  return wrap(sanitise(`${head}: ${said.join(', ')}`), width, '  ', '      ');
}

const pskText = (psk: string | null): string => (psk === null || psk === NO_PSK.where ? 'no PSK' : `PSK of ${psk}`);

const STATES = {
  initiation: {
    opens: 'initiation opens',
    closed: 'initiation stays closed',
    absent: 'initiation not in the capture',
  },
  response: { opens: 'response opens', closed: 'response stays closed', absent: 'no response' },
} as const;

const ofData = ({ messages, opened }: KeysHandshake['data']): string =>
  `${opened} of ${count(messages, 'data message')} opened`;

function missingLines(
  { key, because, handshakes, data, at }: KeysMissing,
  nameOf: (id: string) => string,
  width: number,
) {
  const worth = [
    ...(handshakes === 0 ? [] : [count(handshakes, 'handshake')]),
    ...(data === 0 ? [] : [count(data, 'data message')]),
  ];
  const places = at.map(({ input, frame }) => `${nameOf(input)} frame ${frame}`).join(', ');
  return [
    ...wrap(sanitise(because === undefined ? key : `${key}: ${because}`), width, '  - '),
    ...wrap(sanitise(`for ${worth.join(' and ')}: ${places}`), width, '      '),
    ...howToGet(key).flatMap((text) => wrap(text, width, '      how: ')),
  ];
}

/** An ephemeral is gone once its handshake is over: what can be had then is less. */
function howToGet(key: string): readonly string[] {
  if (key.startsWith('an ephemeral')) {
    return [
      'for handshakes to come, on either end: wgwhy up CONF --key-log FILE, or contrib/extract-handshakes of wireguard-tools beside the kernel, each begun before the handshake',
      'for a session that lives still: contrib/extract-keys prints its traffic keys; a session that is over stays closed',
    ];
  }
  if (key.includes('traffic key')) return ['contrib/extract-keys of wireguard-tools, while the session lives'];
  if (key.includes('public key')) return ['--public-key NAME=KEY; wg show INTERFACE public-key prints it'];
  if (key.includes('PSK')) return ['the configuration of either end, or a key log that has it after its ephemeral'];
  return [];
}
