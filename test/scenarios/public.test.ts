/** Wireshark's own captures and key logs: what its tests assert, from our own events; and one capture in 30 containers. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { type Bytes, copy, fromHex, u8, u16be } from '../../src/base/bytes.ts';
import { publicKey } from '../../src/base/keys.ts';
import { formatTime, type Time } from '../../src/base/time.ts';
import { openCapture } from '../../src/capture/open.ts';
import { parseKeyLog } from '../../src/config/key-log.ts';
import { noble } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type Crypto, TAG } from '../../src/crypto/port.ts';
import { Decoder } from '../../src/packet/decode.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { WgwhyEvent } from '../../src/report/event.ts';
import type { Report } from '../../src/report/model.ts';
import { readTai64n, tai64n, unixTime } from '../../src/wg/tai64n.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { bytesSource } from './lab.ts';

type Message = Extract<WgwhyEvent, { event: 'message' }>;
type Cell = string | boolean;

interface WiresharkCase {
  readonly id: string;
  readonly file: string;
  readonly uat: readonly { readonly type: 'Public' | 'Private'; readonly name: string; readonly key: string }[];
  readonly keylog: readonly string[];
  readonly filter?: string;
  readonly fields: readonly string[];
  readonly expect_row_count?: number;
  readonly expect: readonly { readonly frame: number; readonly row: readonly Cell[] }[];
}

interface Cases {
  readonly wireshark_cases: readonly WiresharkCase[];
  readonly ping_tcp_frames: readonly {
    readonly frame: number;
    readonly time: string;
    readonly src: string;
    readonly dst: string;
    readonly udp_payload: number;
    readonly type: number;
    readonly sender: string | null;
    readonly receiver: string | null;
    readonly counter: number | null;
    readonly response_to: number | null;
    readonly inner: string | null;
  }[];
  readonly timestamps: readonly {
    readonly file: string;
    readonly keylog?: string;
    readonly frame: number;
    readonly tai64_label: string;
    readonly nanoseconds: number;
    readonly unix_with_wireguard_offset_10: string;
  }[];
  readonly format_variants: Readonly<
    Record<
      string,
      {
        readonly wg_messages: number;
        readonly handshake_ok_frames: readonly string[];
        readonly inner_icmp_tcp_dns: number;
        readonly first_time: string;
      }
    >
  >;
}

const load = (name: string): Uint8Array => new Uint8Array(readFileSync(shared(`captures/public/${name}`)));
const loadText = (name: string): string => new TextDecoder().decode(load(name));

interface Ran {
  readonly report: Report;
  readonly messages: readonly Message[];
  readonly sessions: readonly Extract<WgwhyEvent, { event: 'session' }>[];
  /** Decrypted inner packets, by frame. */
  readonly inner: ReadonlyMap<number, Bytes>;
}

/** The events carry lengths, never contents: the plaintext is taken where the AEAD gives it. */
async function run(
  capture: string,
  keyLog?: string,
  publicKeys: readonly string[] = [],
  backend: Crypto = noble,
): Promise<Ran> {
  let opened: Bytes | undefined;
  const crypto: Crypto = {
    ...backend,
    aeadKey: (bytes) => {
      const key = backend.aeadKey(bytes);
      return {
        sealInto: (...given) => key.sealInto(...given),
        openInto: (low, high, sealed, sealedAt, sealedLength, out, outAt) => {
          const ok = key.openInto(low, high, sealed, sealedAt, sealedLength, out, outAt);
          if (ok) opened = copy(out, outAt, outAt + sealedLength - TAG);
          return ok;
        },
        wipe: () => key.wipe(),
      };
    },
  };
  const messages: Message[] = [];
  const sessions: Extract<WgwhyEvent, { event: 'session' }>[] = [];
  const inner = new Map<number, Bytes>();
  const sources = [bytesSource(capture, load(capture))];
  if (keyLog !== undefined) sources.push(bytesSource('case.keys', new TextEncoder().encode(keyLog)));
  const { report } = await diagnose(sources, {
    crypto,
    publicKeys,
    onEvent: (event) => {
      if (event.event === 'session') sessions.push(event);
      if (event.event !== 'message') return;
      messages.push(event);
      if (event.innerLength !== undefined && opened?.length === event.innerLength) inner.set(event.at.frame, opened);
      opened = undefined;
    },
  });
  return { report, messages, sessions, inner };
}

/** Protocol of a whole inner IPv4 packet; a fragment is none of them (RFC 791 §3.1). */
function innerOf(packet: Bytes | undefined): { icmpType?: number; tcpPort?: number; dns?: true } {
  if (packet === undefined || packet.length < 24 || u8(packet, 0) >> 4 !== 4) return {};
  if ((u16be(packet, 6) & 0x3fff) !== 0) return {};
  const at = (u8(packet, 0) & 15) * 4;
  const protocol = u8(packet, 9);
  if (protocol === 1) return { icmpType: u8(packet, at) };
  if (protocol === 6) return { tcpPort: u16be(packet, at + 2) };
  if (protocol === 17 && (u16be(packet, at) === 53 || u16be(packet, at + 2) === 53)) return { dns: true };
  return {};
}

/** UDP payloads by frame, read without the analysis. */
async function payloads(capture: string): Promise<ReadonlyMap<number, Bytes>> {
  const opened = await openCapture(bytesSource(capture, load(capture)).open());
  if (!opened.ok) throw new Error(opened.error.message);
  const decoder = new Decoder();
  const found = new Map<number, Bytes>();
  for await (const batch of opened.value.batches()) {
    for (const item of batch) {
      for (const one of item.kind === 'frame' ? decoder.decode(item.frame) : []) {
        if (one.kind === 'datagram') found.set(one.frame.number, copy(one.bytes));
      }
    }
  }
  return found;
}

const time = (text: string): Time => {
  const [sec = '', nsec = ''] = text.split('.');
  return { sec: Number(sec), nsec: Number(nsec.padEnd(9, '0')) };
};

describe.skipIf(SHARED_ABSENT)("Wireshark's cases", () => {
  const cases: Cases = SHARED_ABSENT
    ? { wireshark_cases: [], ping_tcp_frames: [], timestamps: [], format_variants: {} }
    : JSON.parse(loadText('cases.json'));

  test('there are ten, and thirty formats', () => {
    expect(cases.wireshark_cases.length).toBe(10);
    expect(Object.keys(cases.format_variants).length).toBe(30);
  });

  test.each(cases.wireshark_cases.map((one) => [one.id, one] as const))('%s', async (_, one) => {
    const keyLog = [
      ...one.keylog,
      ...one.uat.flatMap(({ type, key }) => (type === 'Private' ? [`LOCAL_STATIC_PRIVATE_KEY=${key}`] : [])),
    ].join('\n');
    const given = one.uat.filter(({ type }) => type === 'Public');
    const publicKeys = given.map(({ name, key }) => `${name}=${key}`);
    const { messages, inner, report } = await run(one.file, keyLog === '' ? undefined : keyLog, publicKeys);
    expect(report.inputs.length).toBe(1 + given.length + (keyLog === '' ? 0 : 1));

    // which private keys are known is no event: asked of the same key set
    const keys = new KeySet(noble);
    for (const { name, key } of given) keys.addPublic(publicKey(new Uint8Array(Buffer.from(key, 'base64'))), name);
    keys.addKeyLog('case.keys', parseKeyLog(one.id === 'full_initiator_dsb' ? secretsOfDsb() : keyLog).keyLog);
    const known = (text: string): boolean => keys.publics.get(text)?.private !== undefined;
    const bytes = await payloads(one.file);
    const ephemeral = ({ at, message }: Message): Cell => {
      const payload = bytes.get(at.frame) ?? new Uint8Array(64);
      if (message === 'initiation') return keys.ephemerals.has(toBase64(payload.subarray(8, 40)));
      return message === 'response' ? keys.ephemerals.has(toBase64(payload.subarray(12, 44))) : '';
    };
    const cell: Readonly<Record<string, (m: Message) => Cell | undefined>> = {
      'frame.number': ({ at }) => String(at.frame),
      'wg.receiver_pubkey': ({ mac1Owner }) => mac1Owner ?? undefined,
      'wg.receiver_pubkey.known_privkey': ({ mac1Owner }) => (mac1Owner ? known(mac1Owner) : undefined),
      'wg.ephemeral.known_privkey': ephemeral,
      'wg.static': ({ initiator }) => initiator,
      'wg.static.known_pubkey': ({ initiator }) => (initiator === undefined ? undefined : keys.publics.has(initiator)),
      'wg.static.known_privkey': ({ initiator }) => (initiator === undefined ? undefined : known(initiator)),
      'wg.timestamp.nanoseconds': ({ tai64n: stamp }) =>
        stamp === undefined ? undefined : String(readTai64n(tai64n(fromHex(stamp))).nsec),
      'wg.handshake_ok': ({ handshakeOk }) => handshakeOk,
      'icmp.type': ({ at }) => innerOf(inner.get(at.frame)).icmpType?.toString(),
      'tcp.dstport': ({ at }) => innerOf(inner.get(at.frame)).tcpPort?.toString(),
    };
    expect(one.fields.filter((name) => cell[name] === undefined)).toEqual([]);
    const row = (frame: number): Cell[] => {
      const message = messages.find(({ at }) => at.frame === frame);
      return one.fields.map((name) => (message === undefined ? 'absent' : (cell[name]?.(message) ?? '')));
    };
    expect(one.expect.map(({ frame }) => row(frame))).toEqual(one.expect.map((wanted) => wanted.row));

    const rows = messages.filter((message) => one.filter !== 'wg.receiver_pubkey' || message.mac1Owner);
    if (one.filter === 'wg.receiver_pubkey') expect(rows.length).toBe(one.expect_row_count);
    if (one.filter === 'wg.type==1') {
      const initiations = messages.filter(({ message }) => message === 'initiation');
      expect(initiations.map(({ at }) => at.frame)).toEqual(one.expect.map(({ frame }) => frame));
    }
  });

  test('a PSK after the wrong ephemeral: which one it was', async () => {
    const { messages, report } = await run('wireguard-psk.pcap', loadText('psk_wrong_order.keys'));
    const responses = messages.filter(({ message }) => message === 'response');
    expect(responses.map(({ at, handshakeOk, opensWith }) => [at.frame, handshakeOk, opensWith])).toEqual([
      [2, false, 'case.keys:5'],
      [4, false, 'case.keys:6'],
    ]);
    expect(report.findings.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^the key log is out of order: .* case\.keys:5$/),
    );
  });

  test('all frames of one capture: kind, ends, indices, counters, lengths, times, what answers what', async () => {
    const { messages, sessions, inner } = await run('wireguard-ping-tcp.pcap', loadText('full_initiator.keys'));
    const kinds = ['', 'initiation', 'response', 'cookie-reply', 'data'];
    const answers = (message: Message): number | null => {
      if (message.message !== 'response') return null;
      const initiation = messages.find((m) => m.message === 'initiation' && m.sender === message.receiver);
      const session = sessions.find(({ indices }) => indices === `${message.receiver}/${message.sender}`);
      return session === undefined ? -1 : (initiation?.at.frame ?? -1);
    };
    expect(
      messages.map((m) => ({
        frame: m.at.frame,
        time: m.at.time,
        from: m.from,
        to: m.to,
        length: m.length,
        kind: m.message,
        sender: m.sender ?? null,
        receiver: m.receiver ?? null,
        counter: m.counter ?? null,
        answers: answers(m),
      })),
    ).toEqual(
      cases.ping_tcp_frames.map((f) => ({
        frame: f.frame,
        time: formatTime(time(f.time)),
        from: f.src,
        to: f.dst,
        length: f.udp_payload,
        kind: kinds[f.type],
        sender: f.sender,
        receiver: f.receiver,
        counter: f.counter === null ? null : String(f.counter),
        answers: f.response_to,
      })),
    );
    const data = cases.ping_tcp_frames.filter(({ type }) => type === 4);
    expect([...inner.keys()]).toEqual(data.map(({ frame }) => frame));
    for (const { frame, inner: said } of data) {
      const { icmpType, tcpPort, dns } = innerOf(inner.get(frame));
      const what =
        icmpType !== undefined
          ? /^ICMP/
          : tcpPort !== undefined
            ? /^(TCP|TLS)/
            : dns
              ? /^DNS/
              : /^(IPv4 Frag|WireGuard Keep)/;
      expect(said, `frame ${frame}`).toMatch(what);
    }
    expect(inner.get(9)?.length).toBe(0);
    expect(sessions.map(({ at, indices, initiator }) => [at.frame, indices, initiator])).toEqual([
      [3, '0x30d037d8/0xab7df406', '10.9.0.1:43462'],
      [16, '0xbffd41c5/0x26de9eb9', '10.9.0.1:43462'],
    ]);
  });

  test.each(cases.timestamps.map((one) => [`${one.file} ${one.keylog ?? ''} frame ${one.frame}`, one] as const))(
    'timestamp: %s',
    async (_, one) => {
      const { messages } = await run(one.file, loadText(one.keylog ?? 'full_initiator.keys'));
      const stamp = messages.find(({ at }) => at.frame === one.frame)?.tai64n ?? '';
      const { label, nsec } = readTai64n(tai64n(fromHex(stamp)));
      expect([label.toString(), nsec]).toEqual([one.tai64_label, one.nanoseconds]);
      expect(unixTime(tai64n(fromHex(stamp)), 10)).toEqual(time(one.unix_with_wireguard_offset_10));
    },
  );

  describe('one capture in thirty containers and link types', () => {
    const keyLog = SHARED_ABSENT ? '' : loadText('full_initiator.keys');
    test.each(Object.entries(cases.format_variants))('%s', async (name, wanted) => {
      const ownKeys = name === 'dsb-wireguard-be.pcapng';
      const { messages, inner, report } = await run(`formats/${name}`, ownKeys ? undefined : keyLog, [], nodeCrypto);
      expect(messages.length).toBe(wanted.wg_messages);
      const ok = messages.filter(({ handshakeOk }) => handshakeOk === true).map(({ at }) => String(at.frame));
      expect(ok).toEqual(wanted.handshake_ok_frames);
      const read = [...inner.values()].filter((packet) => Object.keys(innerOf(packet)).length > 0);
      expect(read.length).toBe(wanted.inner_icmp_tcp_dns);
      expect(messages[0]?.at.time).toBe(wanted.first_time === '' ? '' : formatTime(time(wanted.first_time)));
      const serious = report.findings.filter(({ severity }) => severity !== 'info').map(({ rule }) => rule);
      expect(serious).toEqual(SERIOUS[name] ?? []);
    });
  });
});

/** What is wrong with some of these files themselves. */
const SERIOUS: Readonly<Record<string, readonly string[]>> = {
  'dsb-unterminated-block.pcapng': ['capture-damaged'],
  'en10mb-ipfrag.pcap': ['outer-fragmentation'],
  'en10mb-snap96.pcap': ['capture-truncated'],
};

/** The key log that stands in the decryption-secrets block. */
function secretsOfDsb(): string {
  const text = new TextDecoder('latin1').decode(load('wireguard-ping-tcp-dsb.pcapng'));
  return text.slice(text.search(/[A-Z_]+_KEY/)).split('\0', 1)[0] ?? '';
}
