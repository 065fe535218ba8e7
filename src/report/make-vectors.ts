/** A fresh handshake from a seed as test vectors: keys, messages, every intermediate value, and a PSK that does not fit. */
import { toBase64 } from '../base/base64.ts';
import { type Bytes, concat, putU16be, toHex, u32le, utf8 } from '../base/bytes.ts';
import { clamped, presharedKey, privateKey, ZERO_PSK } from '../base/keys.ts';
import type { Crypto } from '../crypto/port.ts';
import { Summer } from '../packet/checksum.ts';
import { mac1Key, stampMacs } from '../wg/mac.ts';
import { createInitiation } from '../wg/noise/initiation.ts';
import { createResponse, type ResponseCreated } from '../wg/noise/response.ts';
import type { TraceStep } from '../wg/noise/trace.ts';
import { tai64nFromUnix } from '../wg/tai64n.ts';
import { HEADROOM, OVERHEAD, sealInPlace } from '../wg/transport.ts';
import { figuresOf } from './trace-document.ts';
import { macRow, traceRows } from './trace-rows.ts';

/** 2001-09-09 to 2033-05-18: whatever the seed, a time that clocks have had or will have. */
const EARLIEST_SEC = 1_000_000_000;
const SPAN_SEC = 1_000_000_000;
const INNER_BYTES = 49;

/** BLAKE2s over the seed and a name: whoever has the seed can make the same keys with a few lines of his own. */
function drawn(crypto: Crypto, seed: string, name: string): Bytes {
  return crypto.hash(utf8(`wgwhy vectors\n${seed}\n${name}`));
}

/** The same seed gives the same bytes. Keys in it are test keys: they protect nothing. */
export function makeVectors(crypto: Crypto, seed: string, tool: string): object {
  const draw = (name: string): Bytes => drawn(crypto, seed, name);
  const secret = (name: string) => privateKey(clamped(draw(name)));
  const [si, sr] = [secret('initiator_static_private'), secret('responder_static_private')];
  const [ei, er] = [secret('initiator_ephemeral_private'), secret('responder_ephemeral_private')];
  const [psk, other] = [presharedKey(draw('psk')), presharedKey(draw('psk_other'))];
  const [initiator, responder] = [crypto.publicKey(si), crypto.publicKey(sr)];
  const [senderI, senderR] = [u32le(draw('initiator_index'), 0), u32le(draw('responder_index'), 0)];
  const sec = EARLIEST_SEC + (u32le(draw('unix_time'), 0) % SPAN_SEC);
  const timestamp = tai64nFromUnix({ sec, nsec: 0 }, { base: 10, whiten: true });

  const steps: TraceStep[] = [];
  const input = {
    local: { secret: si, publicKey: initiator },
    remote: responder,
    ephemeral: ei,
    sender: senderI,
    timestamp,
  };
  const initiation = made(createInitiation(crypto, input, (step) => steps.push(step)));
  stampMacs(crypto, mac1Key(crypto, responder), undefined, initiation.bytes);
  const answer = (with_: typeof psk): { readonly response: ResponseCreated; readonly steps: TraceStep[] } => {
    const told: TraceStep[] = [];
    const asked = { sender: senderR, ephemeral: er, psk: with_ };
    const response = made(createResponse(crypto, initiation, asked, (step) => told.push(step)));
    stampMacs(crypto, mac1Key(crypto, initiator), undefined, response.bytes);
    return { response, steps: told };
  };
  const [fitting, unlike, absent] = [answer(psk), answer(other), answer(ZERO_PSK)];
  const inner = innerPacket(draw('inner'));
  const first = figuresOf([...traceRows(steps), macRow(crypto, 'initiation', initiation.bytes, responder)]);
  const traceOf = ({ response, steps: told }: ReturnType<typeof answer>) =>
    corpusTrace('response', figuresOf([...traceRows(told), macRow(crypto, 'response', response.bytes, initiator)]));
  const keys: Record<string, Bytes> = {
    initiator_static_private: si,
    initiator_static_public: initiator,
    responder_static_private: sr,
    responder_static_public: responder,
    initiator_ephemeral_private: ei,
    responder_ephemeral_private: er,
    psk,
    psk_other: other,
  };
  const each = (write: (bytes: Bytes) => string) =>
    Object.fromEntries(Object.entries(keys).map(([name, bytes]) => [name, write(bytes)]));
  const vectors = {
    schema: 'wgwhy/vectors/1',
    source: tool,
    note: `a fresh handshake from the seed ${JSON.stringify(seed)}: each private key and PSK is BLAKE2s-256("wgwhy vectors\\n" + seed + "\\n" + its name), private keys clamped`,
    seed,
    keys: each(toHex),
    keys_base64: each(toBase64),
    initiator_index: senderI,
    responder_index: senderR,
    unix_time: sec,
    tai64n: toHex(timestamp),
    constants: pick(first, 'initiation', (figure) => figure.startsWith('initial_')),
    dh: {
      ...pick(first, 'initiation', (figure) => figure.startsWith('dh_')),
      ...pick(figuresOf(traceRows(fitting.steps)), 'response', (figure) => figure.startsWith('dh_')),
    },
    trace_initiation: corpusTrace('initiation', first),
    trace_response: traceOf(fitting),
    trace_response_psk_other: traceOf(unlike),
    trace_response_psk_missing_on_responder: traceOf(absent),
    inner_ping: toHex(inner),
    cases: [
      oneCase('init.ok', 'responder', initiation.bytes, 'ACCEPT'),
      oneCase('resp.ok', 'initiator', fitting.response.bytes, 'ACCEPT'),
      oneCase('resp.psk_other', 'initiator', unlike.response.bytes, 'RESP_EMPTY_AEAD'),
      oneCase('resp.psk_missing_on_responder', 'initiator', absent.response.bytes, 'RESP_EMPTY_AEAD'),
      oneCase(
        'data.ok',
        'responder',
        dataMessage(crypto, senderR, fitting.response.keys.initiatorToResponder, inner),
        'ACCEPT',
      ),
    ],
  };
  initiation.noise.wipe();
  return vectors;
}

/** The keys are fresh: a point of low order among them would be a defect. */
function made<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error('a fresh key gave an all-zero secret');
  return result.value;
}

const pick = (figures: ReturnType<typeof figuresOf>, message: string, kept: (figure: string) => boolean) =>
  Object.fromEntries(
    [...figures].flatMap(([name, { bytes }]) => {
      const figure = name.slice(message.length + 1);
      return name.startsWith(`${message}.`) && kept(figure) ? [[figure, toHex(bytes)]] : [];
    }),
  );

const corpusTrace = (message: string, figures: ReturnType<typeof figuresOf>) =>
  pick(figures, message, (figure) => !/^(dh_|initial_)/.test(figure));

const oneCase = (id: string, at: string, bytes: Bytes, expect: string) => ({
  id,
  at,
  packet: toHex(bytes),
  length: bytes.length,
  expect,
});

/** An IPv4 packet of the experiments' protocol 253 (RFC 3692) from 10.9.0.2 to 10.9.0.1: long enough to be padded. */
function innerPacket(filling: Bytes): Bytes {
  const header = Uint8Array.of(0x45, 0, 0, INNER_BYTES, 0, 0, 0x40, 0, 64, 253, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1);
  const checksum = 0xffff - (new Summer().sum(header, 0, header.length) % 0xffff);
  putU16be(header, 10, checksum);
  return concat(header, filling.subarray(0, INNER_BYTES - header.length));
}

function dataMessage(crypto: Crypto, receiver: number, secret: Bytes, inner: Bytes): Bytes {
  const plainLength = Math.ceil(inner.length / 16) * 16;
  const out = new Uint8Array(plainLength + OVERHEAD);
  out.set(inner, HEADROOM);
  const key = crypto.aeadKey(secret);
  sealInPlace(key, receiver, 0, 0, out, plainLength);
  key.wipe();
  return out;
}
