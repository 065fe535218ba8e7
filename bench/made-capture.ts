/** A capture as a host at one end would take it, of any size, with its key log: two devices talk on a virtual clock. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { type Endpoint, endpoint, parsePrefix } from '../src/base/address.ts';
import { type Bytes, putU16be, putU32be, putU32le } from '../src/base/bytes.ts';
import { type PrivateKey, privateKey } from '../src/base/keys.ts';
import { pcapHeader } from '../src/capture/write-pcap.ts';
import type { Crypto } from '../src/crypto/port.ts';
import { Device } from '../src/wg/device.ts';
import type { Input, Step } from '../src/wg/step.ts';
import { numbers, randomBytes } from './subject.ts';

/** `imix`: 40, 576 and 1420 bytes at 7 : 4 : 1. */
export type Mix = number | 'imix';

export interface Made {
  readonly frames: number;
  readonly bytes: number;
}

const START = 1_700_000_000;
const PER_SECOND = 2000;
const RAW_IP = 101;
const HEADERS = 16 + 20 + 8;
const BUFFER = 1 << 20;

/** Writes `packets` data packets, half of them each way, and the handshakes between them. */
export function makeCapture(crypto: Crypto, packets: number, mix: Mix, pcap: string, keyLog: string): Made {
  const next = numbers();
  const lines: string[] = [];
  const party = (n: number) => {
    const secret = privateKey(randomBytes(next, 32));
    const device = new Device({
      crypto,
      random: (out) => void out.set(randomBytes(next, out.length)),
      keyLog: (line) => lines.push(line),
    });
    const address = endpoint(Uint8Array.of(192, 0, 2, n), 51820);
    return { device, secret, publicKey: crypto.publicKey(secret), address, inner: Uint8Array.of(10, 0, 0, n) };
  };
  type Party = ReturnType<typeof party>;
  const [a, b] = [party(1), party(2)];
  const clock = (ms: number) => {
    return { monoMs: ms, wall: { sec: START + Math.floor(ms / 1000), nsec: Math.round((ms % 1000) * 1e6) } };
  };
  const file = new Writer(pcap);
  const from = (sender: Party, step: Step, ms: number): void => {
    const receiver = sender === a ? b : a;
    for (const effect of step.effects) {
      if (effect.kind !== 'send') continue;
      file.datagram(sender.address, receiver.address, effect.bytes, ms);
      from(
        receiver,
        handle(receiver, { kind: 'datagram', bytes: effect.bytes, from: sender.address, queueDepth: 0 }, ms),
        ms,
      );
    }
  };
  const handle = ({ device }: Party, input: Input, ms: number): Step => device.handle(input, clock(ms));
  const configure = (own: Party, other: Party): void => {
    const secret: PrivateKey = own.secret;
    handle(own, { kind: 'configure', change: 'private-key', privateKey: secret }, 0);
    const allowed = parsePrefix(`10.0.0.${other.inner[3]}/32`);
    if (allowed === undefined) throw new Error('no prefix');
    const peer = { publicKey: other.publicKey, endpoint: other.address, allowedIps: [allowed] };
    handle(own, { kind: 'configure', change: 'peer', ...peer }, 0);
  };
  configure(a, b);
  configure(b, a);
  for (let i = 0; i < packets; i++) {
    const ms = (i * 1000) / PER_SECOND;
    const [sender, receiver] = i % 2 === 0 ? [a, b] : [b, a];
    const bytes = inner(sender.inner, receiver.inner, sizeOf(mix, i), next());
    from(sender, handle(sender, { kind: 'packet', bytes }, ms), ms);
    if (i % PER_SECOND === 0) for (const one of [a, b]) from(one, handle(one, { kind: 'tick' }, ms), ms);
  }
  file.close();
  writeFileSync(keyLog, `${[...new Set(lines)].join('\n')}\n`, { mode: 0o600 });
  return { frames: file.frames, bytes: file.bytes };
}

/** Messages of so many pairs of ends in turn, as they look without keys: a handshake each, then data with rising counters. */
export function makeConversations(conversations: number, packets: number, pcap: string): Made {
  const next = numbers();
  const file = new Writer(pcap);
  const server = endpoint(Uint8Array.of(203, 0, 113, 10), 51820);
  const clients = Array.from({ length: conversations }, (_, i) =>
    endpoint(Uint8Array.of(10, i >>> 16, i >>> 8, i), 40_000),
  );
  const message = (type: number, length: number, ...words: readonly number[]): Bytes => {
    const bytes = randomBytes(next, length);
    for (const [at, word] of [type, ...words].entries()) putU32le(bytes, 4 * at, word);
    return bytes;
  };
  for (const [i, client] of clients.entries()) {
    file.datagram(client, server, message(1, 148, 1 + i), i / 100);
    file.datagram(server, client, message(2, 92, 0x100_0000 + i, 1 + i), i / 100 + 0.1);
  }
  const start = conversations / 100 + 1;
  for (let i = 0; i < packets; i++) {
    const at = i % conversations;
    const counter = Math.floor(i / conversations);
    const client = clients[at] ?? server;
    file.datagram(client, server, message(4, 128, 0x100_0000 + at, counter, 0), start + i / 10);
  }
  file.close();
  return { frames: file.frames, bytes: file.bytes };
}

function sizeOf(mix: Mix, i: number): number {
  if (mix !== 'imix') return mix;
  const turn = i % 12;
  return turn < 7 ? 40 : turn < 11 ? 576 : 1420;
}

/** UDP from one to the other. */
function inner(from: Bytes, to: Bytes, size: number, filler: number): Bytes {
  const packet = new Uint8Array(size).fill(filler & 0xff, 28);
  packet[0] = 0x45;
  putU16be(packet, 2, size);
  packet[8] = 64;
  packet[9] = 17;
  packet.set(from, 12);
  packet.set(to, 16);
  putU16be(packet, 20, 5000);
  putU16be(packet, 22, 7778);
  putU16be(packet, 24, size - 20);
  return packet;
}

/** Records of raw IPv4, gathered before they are written. */
class Writer {
  frames = 0;
  bytes = 0;
  readonly #file: number;
  readonly #buffer = new Uint8Array(BUFFER);
  #used = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
    this.#put(pcapHeader({ linkType: RAW_IP }));
  }

  datagram(from: Endpoint, to: Endpoint, payload: Bytes, ms: number): void {
    const record = new Uint8Array(HEADERS + payload.length);
    const length = 28 + payload.length;
    putU32le(record, 0, START + Math.floor(ms / 1000));
    putU32le(record, 4, Math.round((ms % 1000) * 1000));
    putU32le(record, 8, length);
    putU32le(record, 12, length);
    record[16] = 0x45;
    putU16be(record, 18, length);
    putU32be(record, 20, 0x4000);
    record[24] = 64;
    record[25] = 17;
    record.set(from.ip, 28);
    record.set(to.ip, 32);
    putU16be(record, 36, from.port);
    putU16be(record, 38, to.port);
    putU16be(record, 40, 8 + payload.length);
    record.set(payload, HEADERS);
    this.#put(record);
    this.frames++;
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #put(bytes: Bytes): void {
    if (this.#used + bytes.length > BUFFER) this.#flush();
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    this.bytes += bytes.length;
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer, 0, this.#used);
    this.#used = 0;
  }
}
