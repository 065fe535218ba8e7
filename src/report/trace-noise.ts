/** Test vectors of plain Noise IKpsk2, any prologue and any payload, as things to trace. */
import { type Bytes, concat, EMPTY } from '../base/bytes.ts';
import { type PrivateKey, presharedKey, privateKey } from '../base/keys.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/port.ts';
import { startHandshake, writeInitiation } from '../wg/noise/initiation.ts';
import { writeResponse } from '../wg/noise/response.ts';
import type { TraceStep } from '../wg/noise/trace.ts';
import { type TraceRow, type TraceValue, traceRows } from './trace-rows.ts';
import type { NamedPsk } from './trace-run.ts';
import { hex, type Json, key, NO_KEYS, records, type Traceable } from './vector-json.ts';

/** Plain Noise IKpsk2: both messages are written by the engine's own code, and the transport messages sealed. */
export function noiseVectors(crypto: Crypto, entries: readonly Json[]): Result<readonly Traceable[], string> {
  const all: Traceable[] = [];
  for (const [i, entry] of entries.entries()) {
    const [si, sr, ei, er] = ['init_static', 'resp_static', 'init_ephemeral', 'resp_ephemeral'].map((name) =>
      key(entry, name),
    );
    const psk = key(entry, 'psk');
    if (si === undefined || sr === undefined || ei === undefined || er === undefined || psk === undefined)
      return fail(`vector ${i + 1}: ${NO_KEYS}`);
    const messages = records(entry['messages']);
    const payloads = messages.map((message) => hex(message, 'payload') ?? EMPTY);
    const named: NamedPsk = { psk: presharedKey(psk), where: 'psk of the vector' };
    const secrets = { si: privateKey(si), sr: privateKey(sr), ei: privateKey(ei), er: privateKey(er) };
    const expected = new Map<string, Bytes>();
    const expect = (name: string, bytes: Bytes | undefined) => bytes && expected.set(name, bytes);
    for (const [at, message] of messages.entries()) expect(messageFigure(at), hex(message, 'ciphertext'));
    expect('response.hash_final', hex(entry, 'handshake_hash') ?? hex(entry, 'handshake_hash_derived'));
    expect('response.transport_key_initiator_to_responder', hex(entry, 'transport_key_i_to_r'));
    expect('response.transport_key_responder_to_initiator', hex(entry, 'transport_key_r_to_i'));
    all.push({
      title: `vector ${i + 1}: Noise IKpsk2, ${String(entry['origin'] ?? 'no origin given')}`,
      parties: [{ symbol: 'Q', text: named.where }],
      keys: new Map<string, Bytes>([
        ['initiator_static_private', si],
        ['responder_static_private', sr],
        ['initiator_ephemeral_private', ei],
        ['responder_ephemeral_private', er],
        ['psk', psk],
      ]),
      packets: {},
      expected,
      psk: named,
      rowsWith: (other) => noiseRows(crypto, secrets, hex(entry, 'prologue') ?? EMPTY, payloads, other),
    });
  }
  return ok(all);
}

const messageFigure = (at: number): string =>
  `${at === 0 ? 'initiation' : at === 1 ? 'response' : 'data'}.message_${at}`;

function noiseRows(
  crypto: Crypto,
  { si, sr, ei, er }: Readonly<Record<'si' | 'sr' | 'ei' | 'er', PrivateKey>>,
  prologue: Bytes,
  [first = EMPTY, second = EMPTY, ...later]: readonly Bytes[],
  { psk }: NamedPsk,
): TraceRow[] {
  const steps: TraceStep[] = [];
  const trace = (step: TraceStep) => steps.push(step);
  const rows = (): TraceRow[] => traceRows(steps.splice(0), { plain: true });
  const remote = crypto.publicKey(sr);
  const local = { secret: si, publicKey: crypto.publicKey(si) };
  const noise = startHandshake(crypto, remote, trace, prologue);
  const written = writeInitiation(crypto, noise, { local, remote, ephemeral: ei }, first, trace);
  if (!written.ok) return rows();
  const { ephemeral, sealedStatic, sealedPayload } = written.value;
  const all = rows();
  all.push(wire('initiation', 0, 'e ‖ msg.static ‖ msg.payload', concat(ephemeral, sealedStatic, sealedPayload)));
  const transcript = { noise, ephemeral, identity: local.publicKey };
  const answered = writeResponse(crypto, transcript, { ephemeral: er, psk }, second, trace);
  all.push(...rows());
  if (!answered.ok) return all;
  const { keys, ...response } = answered.value;
  all.push(wire('response', 1, 'e ‖ msg.payload', concat(response.ephemeral, response.sealedPayload)));
  for (const [i, payload] of later.entries()) {
    const [symbol, secret] =
      i % 2 === 0 ? ['T_i^send', keys.initiatorToResponder] : ['T_r^send', keys.responderToInitiator];
    const sealed = crypto.seal(secret, i >>> 1, 0, EMPTY, payload);
    all.push(wire('data', i + 2, `Aead(${symbol}, ${i >>> 1}, payload, ε)`, sealed));
  }
  return all;
}

function wire(message: TraceRow['message'], at: number, formula: string, bytes: Bytes): TraceRow {
  const value: TraceValue = { symbol: `message ${at}`, formula, figure: `message_${at}`, bytes, secrecy: 'public' };
  return { message, token: 'wire', spec: 'Noise §5.3', values: [value] };
}
