/** Whole handshakes: made byte for byte, read from every side, with every step equal to independent figures. */
import { describe, expect, test } from 'vitest';
import { type Bytes, equal, toHex } from '../../../src/base/bytes.ts';
import { type PublicKey, presharedKey, privateKey, ZERO_PSK } from '../../../src/base/keys.ts';
import { noble } from '../../../src/crypto/noble.ts';
import { mac1Key, stampMacs, verifyMac1 } from '../../../src/wg/mac.ts';
import type { Initiation } from '../../../src/wg/message/initiation.ts';
import type { Response } from '../../../src/wg/message/response.ts';
import { consumeInitiation, createInitiation } from '../../../src/wg/noise/initiation.ts';
import { kdf3 } from '../../../src/wg/noise/kdf.ts';
import { consumeResponse, createResponse, prepareResponse } from '../../../src/wg/noise/response.ts';
import {
  initiatorKeys,
  observedInitiationKeys,
  observedResponseKeys,
  responderKeys,
  sharedBy,
} from '../../../src/wg/noise/shared.ts';
import type { Snapshot, Trace, TraceStep } from '../../../src/wg/noise/trace.ts';
import { tai64n } from '../../../src/wg/tai64n.ts';
import { SHARED_ABSENT, shared } from '../../shared.ts';
import { dictionary, fields, hex, int, list, optional, type Reader, readVectors, text } from '../../vectors.ts';
import { corpus, packetOf, TRACE_INITIATION, TRACE_RESPONSE } from '../corpus.ts';
import { flip, initiationOf, responseOf, value } from './parties.ts';

type Figures = { readonly [name: string]: Bytes };

interface Handshake {
  readonly initiatorStatic: Bytes;
  readonly responderStatic: Bytes;
  readonly initiatorEphemeral: Bytes;
  readonly responderEphemeral: Bytes;
  readonly psk: Bytes;
  readonly initiation: Bytes;
  readonly response: Bytes;
  readonly traceInitiation: Figures;
  readonly traceResponse: Figures;
}

function recorder(): { readonly trace: Trace; readonly seen: Map<string, Snapshot> } {
  const seen = new Map<string, Snapshot>();
  return { seen, trace: (step) => seen.set(tokenOf(step), step.state) };
}

function tokenOf(step: TraceStep): string {
  if (step.kind === 'dh') return step.token;
  if (step.kind === 'ephemeral') return 'e';
  if (step.kind !== 'sealed') return step.kind;
  if (step.field === 'static') return 's';
  return step.message === 'initiation' ? 't' : 'empty';
}

function initiationFigures(seen: ReadonlyMap<string, Snapshot>): Figures {
  const at = (token: string): Snapshot => seen.get(token) ?? expect.fail(token);
  return {
    hash_after_responder_static: at('responder-static').hash,
    hash_after_e: at('e').hash,
    ck_after_e: at('e').chainingKey,
    ck_after_es: at('es').chainingKey,
    key_static: at('es').key ?? expect.fail(),
    hash_after_s: at('s').hash,
    ck_after_ss: at('ss').chainingKey,
    key_timestamp: at('ss').key ?? expect.fail(),
    hash_after_t: at('t').hash,
  };
}

function responseFigures(seen: ReadonlyMap<string, Snapshot>, psk: Bytes): Figures {
  const at = (token: string): Snapshot => seen.get(token) ?? expect.fail(token);
  return {
    hash_after_e: at('e').hash,
    ck_after_e: at('e').chainingKey,
    ck_after_ee: at('ee').chainingKey,
    ck_after_se: at('se').chainingKey,
    ck_after_psk: at('psk').chainingKey,
    tau: kdf3(noble, at('se').chainingKey, psk)[1],
    key_empty: at('psk').key ?? expect.fail(),
    hash_after_psk: at('psk').hash,
    hash_final: at('empty').hash,
  };
}

const hexes = (figures: Figures): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(figures).map(([name, bytes]) => [name, toHex(bytes)]));

/** Everything one handshake must show, whoever made it. */
function checkHandshake(h: Handshake): void {
  const local = { secret: privateKey(h.initiatorStatic), publicKey: noble.publicKey(privateKey(h.initiatorStatic)) };
  const remote = { secret: privateKey(h.responderStatic), publicKey: noble.publicKey(privateKey(h.responderStatic)) };
  const psk = presharedKey(h.psk);
  const transport = {
    initiatorToResponder: h.traceResponse['transport_key_initiator_to_responder'],
    responderToInitiator: h.traceResponse['transport_key_responder_to_initiator'],
  };
  const initiation = initiationOf(h.initiation);
  const response = responseOf(h.response);

  // The initiator makes the captured bytes.
  const made = recorder();
  const created = value(
    createInitiation(
      noble,
      {
        local,
        remote: remote.publicKey,
        ephemeral: privateKey(h.initiatorEphemeral),
        sender: initiation.sender,
        timestamp: tai64n(h.traceInitiation['timestamp'] ?? expect.fail()),
      },
      made.trace,
    ),
  );
  expect(mac1Key(noble, remote.publicKey)).toEqual(h.traceInitiation['mac1_key']);
  expect(stampMacs(noble, mac1Key(noble, remote.publicKey), undefined, created.bytes)).toEqual(
    h.traceInitiation['mac1'],
  );
  expect(toHex(created.bytes)).toBe(toHex(h.initiation));

  // The responder reads them.
  const read = recorder();
  const known = (identity: PublicKey) =>
    equal(identity, local.publicKey) ? { ss: noble.dh(remote.secret, identity), name: 'the client' } : undefined;
  const consumed = value(consumeInitiation(noble, responderKeys(noble, remote, known), initiation, read.trace));
  expect(consumed.peer.name).toBe('the client');
  expect(consumed.identity).toEqual(h.traceInitiation['initiator_static_pub']);
  expect(consumed.timestamp).toEqual(h.traceInitiation['timestamp']);
  const figures = hexes(h.traceInitiation);
  expect(figures).toMatchObject(hexes(initiationFigures(made.seen)));
  expect(figures).toMatchObject(hexes(initiationFigures(read.seen)));

  // It answers with the captured bytes, and the initiator reads those.
  const answered = recorder();
  const input = { sender: response.sender, ephemeral: privateKey(h.responderEphemeral), psk };
  const answer = value(createResponse(noble, consumed, input, answered.trace));
  expect(stampMacs(noble, mac1Key(noble, local.publicKey), undefined, answer.bytes)).toEqual(h.traceResponse['mac1']);
  expect(toHex(answer.bytes)).toBe(toHex(h.response));
  expect(verifyMac1(noble, h.traceResponse['mac1_key'] ?? expect.fail(), h.response)).toBe(true);
  expect(answer.keys).toEqual(transport);
  const finished = recorder();
  const keys = initiatorKeys(noble, local.secret, privateKey(h.initiatorEphemeral));
  expect(value(consumeResponse(created, keys, response, psk, finished.trace))).toEqual(transport);
  for (const { seen } of [answered, finished]) {
    expect(hexes(h.traceResponse)).toMatchObject(hexes(responseFigures(seen, psk)));
  }

  checkObservers(h, initiation, response);
}

/** The same handshake seen by whoever knows this much; `yes` reads all, else what is missing. */
function checkObservers(h: Handshake, initiation: Initiation, response: Response): void {
  const { initiatorStatic: si, responderStatic: sr, initiatorEphemeral: ei, responderEphemeral: er } = h;
  const rows: readonly (readonly [known: readonly Bytes[], initiation: string, response: string])[] = [
    [[], 'es', '-'],
    [[si], 'es', '-'],
    [[sr], 'yes', 'ee,se'],
    [[ei], 'ss', '-'],
    [[er], 'es', '-'],
    [[sr, si], 'yes', 'ee'],
    [[ei, si], 'yes', 'yes'],
    [[sr, er], 'yes', 'yes'],
    [[sr, ei], 'yes', 'se'],
    [[ei, er], 'ss', '-'],
    [[ei, er, si], 'yes', 'yes'],
  ];
  const responder = noble.publicKey(privateKey(sr));
  for (const [known, wantedInitiation, wantedResponse] of rows) {
    const secrets = known.map(privateKey);
    const between = sharedBy(noble, (key) => secrets.find((secret) => equal(noble.publicKey(secret), key)));
    const seen = value(consumeInitiation(noble, observedInitiationKeys(between, responder), initiation));
    expect(seen.kind === 'undecided' ? seen.missing.join() : 'yes').toBe(wantedInitiation);
    const opened = wantedInitiation === 'es' ? undefined : h.traceInitiation['initiator_static_pub'];
    expect(seen.identity).toEqual(opened);
    if (seen.kind === 'undecided') continue;
    const prepared = value(prepareResponse(seen, observedResponseKeys(between, seen), response));
    expect(prepared.kind === 'undecided' ? prepared.missing.join() : 'yes').toBe(wantedResponse);
    if (prepared.kind === 'undecided') continue;
    const wrong = presharedKey(flip(h.psk, 31));
    expect(prepared.tryPsk(wrong)).toEqual({ ok: false, error: { kind: 'empty-unsealable' } });
    const right = {
      initiatorToResponder: h.traceResponse['transport_key_initiator_to_responder'],
      responderToInitiator: h.traceResponse['transport_key_responder_to_initiator'],
    };
    expect(value(prepared.tryPsk(presharedKey(h.psk)))).toEqual(right);
    expect(value(prepared.tryPsk(presharedKey(h.psk)))).toEqual(right);
    prepared.wipe();
    expect(prepared.tryPsk(presharedKey(h.psk)).ok).toBe(false);
  }
}

const { keys } = corpus;
const CORPUS: Handshake = {
  initiatorStatic: keys.initiator_static_private,
  responderStatic: keys.responder_static_private,
  initiatorEphemeral: keys.initiator_ephemeral_private,
  responderEphemeral: keys.responder_ephemeral_private,
  psk: keys.psk,
  initiation: packetOf('init.ok'),
  response: packetOf('resp.ok'),
  traceInitiation: corpus.trace_initiation,
  traceResponse: corpus.trace_response,
};

test('the corpus handshake, with a PSK', () => checkHandshake(CORPUS), 20_000);

const anything: Reader<unknown> = (v) => v;

describe.skipIf(SHARED_ABSENT)('a Linux kernel’s handshakes of 2018', () => {
  const load = () =>
    readVectors(
      shared('vectors/session_wireshark_ping_tcp.json'),
      fields({
        description: text,
        source_packets: text,
        source_keys: text,
        expectations_from_wireshark_tests: anything,
        note: text,
        keys_base64: anything,
        preshared_key_hex: hex,
        expected_keys_hex: dictionary(hex),
        constants: anything,
        frames: list((frame, path) => dictionary(anything)(frame, path)),
      }),
    );
  const common = { frame: int, udp_payload: hex };
  type File = ReturnType<typeof load>;
  const message = <T extends Readonly<Record<string, Reader<unknown>>>>(file: File, number: number, trace: T) => {
    const frame = file.frames.find((candidate) => candidate['frame'] === number) ?? expect.fail(`frame ${number}`);
    const rest = { time: text, src: text, dst: text, ip_tos: text, type: text, sender_index: int };
    const optionals = { receiver_index: optional(int), tai64_label: optional(text), tai64_nanoseconds: optional(int) };
    return fields({ ...common, ...rest, ...optionals, trace: fields(trace) })(frame, `frame ${number}`);
  };

  test.each([
    [1, 2, 'epriv_i0', 'epriv_r0'],
    [13, 14, 'epriv_i1', 'epriv_r1'],
  ])(
    'frames %i and %i',
    (first, second, initiatorEphemeral, responderEphemeral) => {
      const file = load();
      const key = (name: string): Bytes => file.expected_keys_hex[name] ?? expect.fail(name);
      const initiation = message(file, first, TRACE_INITIATION);
      const response = message(file, second, TRACE_RESPONSE);
      expect(file.preshared_key_hex).toEqual(ZERO_PSK);
      checkHandshake({
        initiatorStatic: key('spriv_i'),
        responderStatic: key('spriv_r'),
        initiatorEphemeral: key(initiatorEphemeral),
        responderEphemeral: key(responderEphemeral),
        psk: file.preshared_key_hex,
        initiation: initiation.udp_payload,
        response: response.udp_payload,
        traceInitiation: initiation.trace as Figures,
        traceResponse: response.trace as Figures,
      });
    },
    20_000,
  );
});
