/** A capture of any size, made while it is read: many peers, each with a handshake every two minutes, and data with gaps. */
import { putU16be, putU32be, putU32le } from '../../src/base/bytes.ts';
import { pcapHeader } from '../../src/capture/write-pcap.ts';

export interface BigCapture {
  readonly peers: number;
  /** Handshakes of each peer. */
  readonly rounds: number;
  /** Data messages of each session to the responder; as many short ones come back. */
  readonly data: number;
  /** Payload of a data message to the responder, bytes. */
  readonly size: number;
  /** In every so manieth session the counter before the last is missing. */
  readonly lossEvery: number;
}

const RAW_IP = 101;
const HEADERS = 16 + 20 + 8;
const SERVER = 0xcb00_710a;
const START = 1_700_000_000;
const CHUNK = 1 << 20;
const RESPONSE = 92;
const SHORT = 32;

/** One session's frames: both handshake messages, and `data` each way. */
const framesPerSession = ({ data }: BigCapture): number => 2 + 2 * data;

export function expected(capture: BigCapture) {
  const sessions = capture.peers * capture.rounds;
  const bytes = HEADERS * framesPerSession(capture) + 148 + RESPONSE + capture.data * (capture.size + SHORT);
  return {
    sessions,
    frames: sessions * framesPerSession(capture),
    lost: Math.ceil(sessions / capture.lossEvery),
    bytes: 24 + sessions * bytes,
  };
}

/** Chunks of about a megabyte, each a fresh one. */
export async function* bigCapture(capture: BigCapture): AsyncGenerator<Uint8Array> {
  yield pcapHeader({ linkType: RAW_IP });
  const { peers, rounds, data, size, lossEvery } = capture;
  let out = new Uint8Array(CHUNK);
  let used = 0;
  let time = 0;

  /** Room for one record; gives where its UDP payload starts. */
  const record = (payload: number, toServer: boolean, peer: number): number => {
    const at = used;
    used += HEADERS + payload;
    putU32le(out, at, START + Math.floor(time / 1e6));
    putU32le(out, at + 4, time % 1e6);
    putU32le(out, at + 8, 28 + payload);
    putU32le(out, at + 12, 28 + payload);
    const ip = at + 16;
    putU16be(out, ip, 0x4500);
    putU16be(out, ip + 2, 28 + payload);
    putU16be(out, ip + 8, (toServer ? 57 : 64) * 256 + 17);
    const client = 0x0a00_0000 + peer;
    putU32be(out, ip + 12, toServer ? client : SERVER);
    putU32be(out, ip + 16, toServer ? SERVER : client);
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += ((out[ip + i] ?? 0) << 8) | (out[ip + i + 1] ?? 0);
    sum = (sum & 0xffff) + (sum >>> 16);
    putU16be(out, ip + 10, ~(sum + (sum >>> 16)) & 0xffff);
    putU16be(out, ip + 20, 51820);
    putU16be(out, ip + 22, 51820);
    putU16be(out, ip + 24, 8 + payload);
    time += 1000;
    return ip + 28;
  };

  const room = framesPerSession(capture) * (HEADERS + Math.max(148, size));
  const perSession = Math.floor(120e6 / peers);
  for (let n = 0; n < peers * rounds; n++) {
    if (used + room > CHUNK) {
      yield out.subarray(0, used);
      out = new Uint8Array(CHUNK);
      used = 0;
    }
    const peer = n % peers;
    time = n * perSession;
    const ours = scatter(2 * n);
    const theirs = scatter(2 * n + 1);

    const initiation = record(148, true, peer);
    out[initiation] = 1;
    putU32le(out, initiation + 4, ours);
    for (let i = 8; i < 132; i += 4) putU32le(out, initiation + i, scatter(n * 64 + i));

    const response = record(RESPONSE, false, peer);
    out[response] = 2;
    putU32le(out, response + 4, theirs);
    putU32le(out, response + 8, ours);
    for (let i = 12; i < 76; i += 4) putU32le(out, response + i, scatter(n * 64 + i + 1));

    for (let counter = 0; counter < data; counter++) {
      const gap = n % lossEvery === 0 && counter === data - 1 ? 1 : 0;
      for (const toServer of [true, false]) {
        const at = record(toServer ? size : SHORT, toServer, peer);
        out[at] = 4;
        putU32le(out, at + 4, toServer ? theirs : ours);
        putU32le(out, at + 8, counter + (toServer ? gap : 0));
      }
    }
  }
  yield out.subarray(0, used);
}

/** Different for each n below 2^32: an odd factor is a bijection. */
const scatter = (n: number): number => Math.imul(n, 0x9e37_79b1) >>> 0;
