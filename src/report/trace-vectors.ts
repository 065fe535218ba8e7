/** Test vectors of handshakes as things to trace: the drop corpus, `wgwhy vectors`, sessions with keys, plain Noise. */
import { type Bytes, EMPTY, equal, fromHex, isZero, toHex, u32le } from '../base/bytes.ts';
import { type PrivateKey, type PublicKey, presharedKey, privateKey, publicKey, ZERO_PSK } from '../base/keys.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/port.ts';
import { PADDING_MULTIPLE, TYPE } from '../wg/constants.ts';
import { decodeData } from '../wg/message/data.ts';
import type { Figures } from './trace-document.ts';
import { noiseVectors } from './trace-noise.ts';
import { type NamedPsk, runTrace, secretsBy, type TraceInput } from './trace-run.ts';
import { hex, isHex, type Json, key, NO_KEYS, record, records, type Traceable } from './vector-json.ts';

const UNKNOWN = 'it has none of the layouts that are read: keys and cases, frames, or Noise vectors';

/** What is wrong with the file as a whole, or every handshake in it; `frame` picks one where they have numbers. */
export function readVectors(crypto: Crypto, json: unknown, frame?: number): Result<readonly Traceable[], string> {
  if (Array.isArray(json) && json.length > 0) {
    const all = json.map((one) => (Array.isArray(one) ? fail(UNKNOWN) : readVectors(crypto, one, frame)));
    return all.find((one) => !one.ok) ?? ok(all.flatMap((one) => (one.ok ? one.value : [])));
  }
  const file = record(json);
  const plain = records(file['vectors'] ?? file['cases']).filter((entry) => 'init_static' in entry);
  if (frame !== undefined && !('frames' in file)) return fail('its handshakes have no frame numbers');
  if (plain.length > 0) return noiseVectors(crypto, plain);
  if ('frames' in file) return sessionVectors(crypto, file, frame);
  if ('keys' in file && 'cases' in file) return corpusVectors(crypto, file);
  return fail(UNKNOWN);
}

/** `prefix.name` for every value of a trace that is hexadecimal. */
function figures(...traces: readonly (readonly [prefix: string, trace: unknown])[]): Figures {
  const all = new Map<string, Bytes>();
  for (const [prefix, trace] of traces)
    for (const [name, value] of Object.entries(record(trace)))
      if (isHex(value)) all.set(`${prefix}.${name}`, fromHex(value));
  return all;
}

function corpusVectors(crypto: Crypto, file: Json): Result<readonly Traceable[], string> {
  const keys = record(file['keys']);
  const packet = (...ids: readonly string[]): Bytes | undefined => {
    const found = records(file['cases']).find(({ id }) => ids.some((wanted) => wanted === id));
    return found && hex(found, 'packet');
  };
  const named = ['initiator_static', 'responder_static', 'initiator_ephemeral', 'responder_ephemeral'] as const;
  const secrets = named.flatMap((name) => {
    const secret = key(keys, `${name}_private`);
    return secret === undefined ? [] : [[`${name}_private`, privateKey(secret)] as const];
  });
  if (secrets.length === 0) return fail(`${NO_KEYS}; a trace has them with --show-secrets`);
  const initiation = packet('init.ok', 'init');
  if (initiation?.length !== 148) return fail('it has no case init.ok of 148 bytes');
  const response = packet('resp.ok', 'resp');
  const own = secrets.find(([name]) => name === 'responder_static_private')?.[1];
  const given = key(keys, 'responder_static_public');
  const responder = own === undefined ? given : crypto.publicKey(own);
  if (responder === undefined) return fail('it has no responder_static_public');
  const psk = key(keys, 'psk');
  const data = packet('data.ok', 'data.ping');
  const inner = hex(file, 'inner_ping');
  const plaintext = data === undefined || inner === undefined ? {} : { plaintext: toHex(padded(inner)) };
  return ok([
    traceable(crypto, {
      title: 'initiation and response of the file',
      initiation,
      response,
      responder: publicKey(responder),
      secrets,
      psk: psk === undefined ? undefined : { psk: presharedKey(psk), where: 'psk of the file' },
      data,
      expected: figures(
        ['initiation', file['constants']],
        ['initiation', file['trace_initiation']],
        ['response', file['trace_response']],
        ['data', plaintext],
        ['data', file['trace_data']],
      ),
    }),
  ]);
}

/** With zeros to a multiple of 16 bytes, as it is sealed (wp §5.4.6). */
function padded(inner: Bytes): Bytes {
  const out = new Uint8Array(Math.ceil(inner.length / PADDING_MULTIPLE) * PADDING_MULTIPLE);
  out.set(inner);
  return out;
}

interface Parts {
  readonly title: string;
  readonly initiation: Bytes | undefined;
  readonly response?: Bytes | undefined;
  readonly data?: Bytes | undefined;
  readonly responder: PublicKey;
  readonly secrets: readonly (readonly [name: string, secret: PrivateKey])[];
  readonly psk: NamedPsk | undefined;
  readonly frames?: Traceable['frames'];
  readonly expected: Figures;
}

const NO_PSK: NamedPsk = { psk: ZERO_PSK, where: 'no PSK (zero)' };

function traceable(crypto: Crypto, parts: Parts): Traceable {
  const { title, responder, secrets, frames, expected } = parts;
  const psk = parts.psk ?? NO_PSK;
  const initiation = parts.initiation && { bytes: parts.initiation };
  const response = parts.response && { bytes: parts.response };
  const decoded = parts.data && decodeData(parts.data);
  const toResponder = response && decoded?.ok && u32le(response.bytes, 4) === decoded.value.receiver;
  const from = toResponder ? 'initiator' : 'responder';
  const data = decoded?.ok ? ({ message: decoded.value, from } as const) : undefined;
  const secretOf = secretsBy(
    crypto,
    secrets.map(([, secret]) => secret),
  );
  const input: TraceInput = { initiation, response, data, responder, secretOf };
  return {
    title,
    parties: [{ symbol: 'Q', text: psk.where }],
    keys: new Map<string, Bytes>([['responder_static_public', responder], ...secrets, ['psk', psk.psk]]),
    packets: { initiation, response, ...(parts.data === undefined ? {} : { data: parts.data }) },
    ...(frames === undefined ? {} : { frames }),
    expected,
    psk,
    rowsWith: (other) => runTrace(crypto, input, other.psk),
  };
}

/** A captured session with every key: `spriv_r`, `epriv_i0`, and frames with their UDP payloads. */
function sessionVectors(crypto: Crypto, file: Json, wanted: number | undefined): Result<readonly Traceable[], string> {
  const keys = record(file['expected_keys_hex']);
  const secret = (name: string): PrivateKey | undefined => {
    const bytes = key(keys, name);
    return bytes && privateKey(bytes);
  };
  const [initiator, own] = [secret('spriv_i'), secret('spriv_r')];
  if (initiator === undefined || own === undefined) return fail(`${NO_KEYS}, spriv_i and spriv_r`);
  const ephemerals = Object.keys(keys).flatMap((name) => (/^epriv_/.test(name) ? (secret(name) ?? []) : []));
  const frames = records(file['frames']).map((frame) => ({
    frame,
    number: frame['frame'],
    bytes: hex(frame, 'udp_payload') ?? EMPTY,
  }));
  const psk = key(file, 'preshared_key_hex');
  const ownedBy = (at: Bytes | undefined) => at && ephemerals.find((one) => equal(crypto.publicKey(one), at));
  const chosen = frames.filter(({ number, bytes }) =>
    wanted === undefined ? bytes[0] === TYPE.response : number === wanted,
  );
  if (chosen.length === 0) return fail(wanted === undefined ? 'it holds no response' : `it holds no frame ${wanted}`);
  return ok(
    chosen.map((last) => {
      const before = frames.slice(0, frames.indexOf(last) + 1);
      const isData = last.bytes[0] === TYPE.data;
      const receiver = u32le(last.bytes, 4);
      const response = isData
        ? before.findLast(
            ({ bytes }) => bytes[0] === TYPE.response && [u32le(bytes, 4), u32le(bytes, 8)].includes(receiver),
          )
        : last.bytes[0] === TYPE.response
          ? last
          : undefined;
      const asked = response && u32le(response.bytes, 8);
      const initiation =
        last.bytes[0] === TYPE.initiation
          ? last
          : before.findLast(({ bytes }) => bytes[0] === TYPE.initiation && u32le(bytes, 4) === asked);
      const ei = ownedBy(initiation?.bytes.subarray(8, 40));
      const er = ownedBy(response?.bytes.subarray(12, 44));
      const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
      const plaintext = isData ? [['data', { plaintext: last.frame['plaintext'] }] as const] : [];
      return traceable(crypto, {
        title: `frame ${String(last.number)}: ${String(last.frame['type'])}`,
        initiation: initiation?.bytes,
        response: response?.bytes,
        data: isData ? last.bytes : undefined,
        responder: crypto.publicKey(own),
        secrets: [
          ['initiator_static_private', initiator],
          ['responder_static_private', own],
          ...(ei === undefined ? [] : [['initiator_ephemeral_private', ei] as const]),
          ...(er === undefined ? [] : [['responder_ephemeral_private', er] as const]),
        ],
        psk:
          psk === undefined || isZero(psk)
            ? undefined
            : { psk: presharedKey(psk), where: 'preshared_key_hex of the file' },
        frames: {
          initiation: number(initiation?.number),
          response: number(response?.number),
          data: isData ? number(last.number) : undefined,
        },
        expected: figures(
          ['initiation', file['constants']],
          ['initiation', initiation?.frame['trace']],
          ['response', response?.frame['trace']],
          ...plaintext,
        ),
      });
    }),
  );
}
