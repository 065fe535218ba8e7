/** Log lines of every implementation, with the prefixes that terminals, journals and forums put before them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../../src/base/base64.ts';
import { formatTime } from '../../../src/base/time.ts';
import type { LogEvent } from '../../../src/config/log/event.ts';
import { parseLog } from '../../../src/config/log/parse.ts';
import type { LogTime } from '../../../src/config/log/time.ts';
import { lines } from '../../../src/config/text.ts';
import { SHARED_ABSENT, shared } from '../../shared.ts';
import { readVectors } from '../../vectors.ts';
import { KEYS } from '../samples.ts';

function only(line: string): LogEvent {
  const events = parseLog(line);
  expect(events).toHaveLength(1);
  const [event] = events;
  if (event === undefined) throw new Error('no event');
  return event;
}

const when = (time: LogTime | undefined): string => {
  if (time === undefined) return '';
  if (time.kind === 'yearless') return `${time.month}-${time.day} ${formatTime(time.ofDay).slice(11, 23)}`;
  if (time.kind === 'clock') return formatTime(time.ofDay).slice(11, 23);
  return `${time.kind} ${time.kind === 'boot' ? `${time.time.sec}.${time.time.nsec}` : formatTime(time.time).slice(0, 23)}`;
};

const TOLD = 'wireguard: wg0: Receiving handshake initiation from peer 1 (198.51.100.7:51820)';
test.each([
  ['[  123.456789] ', 'boot 123.456789000'],
  ['<7>[12345.000001] ', 'boot 12345.1000'],
  ['[Sat Nov 21 02:15:36 2026] ', 'wall 2026-11-21T02:15:36.000'],
  ['Nov 21 01:59:30 host kernel: ', '11-21 01:59:30.000'],
  ['Nov  1 01:59:30.123456 host kernel: [  123.456789] ', '11-1 01:59:30.123'],
  ['2026-11-21T01:59:30.123456+02:00 host kernel: ', 'instant 2026-11-20T23:59:30.123'],
  ['2026-11-21T01:59:30+0000 host kernel: ', 'instant 2026-11-21T01:59:30.000'],
  ['2026-11-21T01:59:30Z host kernel: ', 'instant 2026-11-21T01:59:30.000'],
  ['', ''],
])('kernel, prefix %j', (prefix, time) => {
  const event = only(`${prefix}${TOLD}`);
  expect(event).toMatchObject({
    kind: 'initiation-received',
    implementation: 'linux',
    line: 1,
    interface: 'wg0',
    text: TOLD.slice(16),
    peer: { kind: 'number', number: 1 },
    endpoint: { text: '198.51.100.7:51820' },
    reasons: [],
  });
  expect(when(event.time)).toBe(time);
});

describe('kernel messages', () => {
  test.each<[string, Partial<LogEvent>]>([
    ['Sending handshake initiation to peer 12 ([2001:db8::1]:51820/0%0)', { kind: 'initiation-sent' }],
    ['Sending handshake response to peer 1 (192.0.2.1:5)', { kind: 'response-sent' }],
    ['Receiving handshake response from peer 1 (192.0.2.1:5)', { kind: 'response-received' }],
    ['Sending keepalive packet to peer 1 (192.0.2.1:5)', { kind: 'keepalive-sent' }],
    ['Receiving keepalive packet from peer 1 (192.0.2.1:5)', { kind: 'keepalive-received' }],
    ['Keypair 4 created for peer 1', { kind: 'session-created' }],
    ['Keypair 3 destroyed for peer 1', { kind: 'session-ended' }],
    [
      'Handshake for peer 1 (192.0.2.1:5) did not complete after 5 seconds, retrying (try 2)',
      { kind: 'handshake-retried', attempt: 2 },
    ],
    [
      'Handshake for peer 1 ((einval)) did not complete after 20 attempts, giving up',
      { kind: 'handshake-gave-up', reasons: ['TX_GAVE_UP'] },
    ],
    [
      'Retrying handshake with peer 1 (192.0.2.1:5) because we stopped hearing back after 15 seconds',
      { kind: 'silence-noticed' },
    ],
    [
      "Zeroing out all keys for peer 1 (192.0.2.1:5), since we haven't received a new one in 540 seconds",
      { kind: 'keys-wiped' },
    ],
    ['Receiving cookie response from 192.0.2.1:5', { kind: 'cookie-reply-received' }],
    [
      'Invalid MAC of handshake, dropping packet from 192.0.2.1:5',
      { kind: 'refused', reasons: ['MAC1_INVALID', 'RATE_LIMITED', 'NO_PRIVATE_KEY'] },
    ],
    [
      'Packet has unallowed src IP (10.9.9.9) from peer 1 (192.0.2.1:5)',
      { kind: 'refused', reasons: ['INNER_SRC_NOT_ALLOWED'], innerAddress: '10.9.9.9' },
    ],
    [
      'No peer has allowed IPs matching 10.9.9.9',
      { kind: 'not-sent', reasons: ['TX_NO_PEER'], innerAddress: '10.9.9.9' },
    ],
    ['No route to 192.0.2.1:5, error -101', { kind: 'not-sent', reasons: ['TX_SOCKET_ERROR'] }],
    ['Peer 1 created', { kind: 'peer-created' }],
    ['Interface created', { kind: 'interface-up' }],
  ])('%s', (message, wanted) => {
    const kernel = only(`[1.5] wireguard: wg0: ${message}`);
    expect(kernel).toMatchObject(wanted);
    if (/192\.0\.2\.1:5\b/.test(message)) expect(kernel.endpoint?.text).toBe('192.0.2.1:5');
    if (message.includes('db8')) expect(kernel.endpoint?.text).toBe('[2001:db8::1]:51820');
    if (/peer \d/i.test(message)) expect(kernel.peer).toMatchObject({ kind: 'number' });
    // The driver for Windows says the same.
    expect(only(`2026-09-05 04:23:26.170384: [TUN] [office 1] ${message}`)).toEqual({
      ...kernel,
      implementation: 'windows',
      interface: 'office 1',
      time: { kind: 'wall', time: { sec: 1_788_582_206, nsec: 170_384_000 } },
    });
  });
});

describe('wireguard-go', () => {
  const PEER = 'peer(8mD5…LLjo) - ';
  test.each<[string, Partial<LogEvent>]>([
    [`${PEER}Sending handshake initiation`, { kind: 'initiation-sent' }],
    [`${PEER}Received handshake response`, { kind: 'response-received' }],
    [`${PEER}Handshake did not complete after 5 seconds, retrying (try 3)`, { kind: 'handshake-retried', attempt: 3 }],
    [
      `${PEER}Handshake did not complete after 20 attempts, giving up`,
      { kind: 'handshake-gave-up', reasons: ['TX_GAVE_UP'] },
    ],
    [`${PEER}Retrying handshake because we stopped hearing back after 15 seconds`, { kind: 'silence-noticed' }],
    [`${PEER}ConsumeMessageInitiation: handshake flood`, { kind: 'refused', reasons: ['INIT_FLOOD'] }],
    [
      `${PEER}ConsumeMessageInitiation: handshake replay @ 2001-01-01 00:00:03.939524096 +0000 UTC`,
      {
        kind: 'refused',
        reasons: ['INIT_TIMESTAMP_REPLAY'],
        refusedTimestamp: { sec: 978_307_203, nsec: 939_524_096 },
      },
    ],
    [
      `${PEER}Failed to send handshake initiation: no known endpoint for peer`,
      { kind: 'not-sent', reasons: ['TX_NO_ENDPOINT'] },
    ],
    [
      `${PEER}Failed to send handshake initiation: write udp4 0.0.0.0:58007->192.0.2.1:51820: sendto: network is unreachable`,
      { kind: 'not-sent', reasons: ['TX_SOCKET_ERROR'] },
    ],
    ['Received packet with invalid mac1', { kind: 'refused', reasons: ['MAC1_INVALID', 'NO_PRIVATE_KEY'] }],
    ['Received message with unknown type', { kind: 'refused', reasons: ['RX_UNKNOWN_TYPE', 'RX_RESERVED_NONZERO'] }],
    ['Interface state was Down, requested Up, now Up', { kind: 'interface-up' }],
  ])('%s', (message, wanted) => {
    const event = only(`DEBUG: (wg0) 2026/11/21 02:01:05 ${message}`);
    expect(event).toMatchObject({ ...wanted, implementation: 'wireguard-go', interface: 'wg0' });
    expect(when(event.time)).toBe('wall 2026-11-21T02:01:05.000');
    if (message.startsWith(PEER)) expect(event.peer).toEqual({ kind: 'short-key', start: '8mD5', end: 'LLjo' });
  });

  test.each([
    [
      '2021-02-10 16:08:58.676514: [TUN] [client] peer(8mD5…LLjo) - Sending handshake initiation',
      'wall 2021-02-10T16:08:58.676',
    ],
    [
      '2021-02-10 16:08:58.676514: [NET] peer(8mD5…LLjo) - Sending handshake initiation',
      'wall 2021-02-10T16:08:58.676',
    ],
    [
      'time=2024-07-27T10:40:08.907+03:30 level=DEBUG msg="peer(8mD5…LLjo) - Sending handshake initiation" subsystem=wireguard-go',
      'instant 2024-07-27T07:10:08.907',
    ],
    [
      '2025/03/19 15:18:34.652935 [Debug] peer(8mD5…LLjo) - Sending handshake initiation',
      'wall 2025-03-19T15:18:34.652',
    ],
    [
      '04-04 04:37:17.563 25007 30026 D WireGuard/GoBackend/home: peer(8mD5â€¦LLjo) - Sending handshake initiation',
      '4-4 04:37:17.563',
    ],
    [
      'Nov 21 02:01:05 host wireguard-go[77]: DEBUG: (wg0) 2026/11/21 02:01:06 peer(8mD5…LLjo) - Sending handshake initiation',
      'wall 2026-11-21T02:01:06.000',
    ],
  ])('%s', (line, time) => {
    const event = only(line);
    expect(event).toMatchObject({
      kind: 'initiation-sent',
      implementation: 'wireguard-go',
      text: 'Sending handshake initiation',
      peer: { kind: 'short-key', start: '8mD5', end: 'LLjo' },
    });
    expect(when(event.time)).toBe(time);
  });
});

describe('boringtun', () => {
  test.each<[string, Partial<LogEvent>]>([
    ['DEBUG boringtun::noise: Sending handshake_initiation', { kind: 'initiation-sent' }],
    [
      'DEBUG boringtun::noise: Received handshake_response local_idx=6252037 remote_idx=6836995',
      { kind: 'response-received' },
    ],
    ['DEBUG boringtun::noise: New session session=6252037 index=24422', { kind: 'session-created' }],
    ['DEBUG boringtun::noise: New session, session: 3544592385', { kind: 'session-created' }],
    ['DEBUG boringtun::noise::timers: SESSION_EXPIRED(REJECT_AFTER_TIME) session=6252035', { kind: 'session-ended' }],
    [' WARN boringtun::noise::timers: HANDSHAKE(REKEY_TIMEOUT)', { kind: 'handshake-retried' }],
    [' WARN boringtun::noise::timers: HANDSHAKE(KEEPALIVE + REKEY_TIMEOUT)', { kind: 'silence-noticed' }],
    [
      'ERROR boringtun::noise::timers: CONNECTION_EXPIRED(REKEY_ATTEMPT_TIME)',
      { kind: 'handshake-gave-up', reasons: ['TX_GAVE_UP'] },
    ],
    [
      'ERROR boringtun::device: Decapsulate error error=WrongTai64nTimestamp public_key="8mD5"',
      { kind: 'refused', reasons: ['INIT_TIMESTAMP_REPLAY'] },
    ],
    ['ERROR neptun::device: Decapsulate error, error: InvalidMac', { kind: 'refused', reasons: ['MAC1_INVALID'] }],
  ])('%s', (message, wanted) => {
    const event = only(`2023-09-09T13:59:37.890Z ${message}`);
    expect(event).toMatchObject({ ...wanted, implementation: 'boringtun' });
    expect(when(event.time)).toBe('instant 2023-09-09T13:59:37.890');
  });
});

describe('RouterOS', () => {
  const KEY = KEYS[0][1];
  test.each([
    [`14:25:01 wireguard,debug,packet wg1: [phone] ${KEY}: `, '14:25:01.000'],
    [`2026-03-14 09:21:55 wireguard,debug wg1: [phone] ${KEY}: `, 'wall 2026-03-14T09:21:55.000'],
    [`mar/14/2026 09:21:55 wireguard,debug wg1: [phone] ${KEY}: `, 'wall 2026-03-14T09:21:55.000'],
    [` mar/14 09:21:55 wireguard,debug wg1: [phone] ${KEY}: `, '3-14 09:21:55.000'],
    [`03-14 09:21:55 memory wireguard,debug wg1: [phone] ${KEY}: `, '3-14 09:21:55.000'],
    [`jan/02/1970 00:00:12 wireguard,debug wg1: [phone] ${KEY}: `, 'wall 1970-01-02T00:00:12.000'],
  ])('%s', (prefix, time) => {
    const event = only(`${prefix}Receiving keepalive packet from peer (109.74.57.32:13231)`);
    expect(event).toMatchObject({
      kind: 'keepalive-received',
      implementation: 'routeros',
      interface: 'wg1',
      endpoint: { text: '109.74.57.32:13231' },
      text: 'Receiving keepalive packet from peer (109.74.57.32:13231)',
    });
    expect(event.peer?.kind === 'key' && [toBase64(event.peer.key), event.peer.name]).toEqual([KEY, 'phone']);
    expect(when(event.time)).toBe(time);
  });

  test('without a key, and without a name', () => {
    const named = only(
      'wireguard,info wg1: [peer1] Handshake for peer did not complete after 5 seconds, retrying (try 2)',
    );
    expect(named).toMatchObject({ kind: 'handshake-retried', attempt: 2, peer: { kind: 'name', name: 'peer1' } });
    const bare = only('12:00:00 wireguard,info wg1: Handshake for peer did not complete after 20 attempts, giving up');
    expect(bare).toMatchObject({ kind: 'handshake-gave-up', interface: 'wg1' });
    expect(bare).not.toHaveProperty('peer');
  });
});

test('everything else is passed over', () => {
  const log = `Nov 21 01:59:30 host systemd[1]: Starting WireGuard via wg-quick(8) for wg0...
Nov 21 01:59:30 host wg-quick[123]: [#] ip link add wg0 type wireguard
DEBUG: (wg0) 2026/11/21 02:01:05 peer(8mD5…LLjo) - Routine: sequential receiver - started
14:25:01 system,info,account user admin logged in from 192.168.88.5 via winbox
[    0.000000] Linux version 6.8.0
2026-11-21 99:99:99 wireguard: nothing
\u001b[1m[ 5.5] wireguard: wg0: Interface created\u001b[0m
`;
  expect(parseLog(log).map((e) => [e.line, e.kind])).toEqual([[7, 'interface-up']]);
});

describe.skipIf(SHARED_ABSENT)('the reasons that are documented', () => {
  interface Row {
    readonly code: string;
    readonly kernel: readonly string[];
    readonly wireguard_go: readonly string[];
  }
  const rows: readonly Row[] = SHARED_ABSENT
    ? []
    : readVectors(
        shared('vectors/drop_reasons.json'),
        (value) => (value as { readonly reasons: readonly Row[] }).reasons,
      );

  /** Each line that a row quotes; "same" goes on with the one above. */
  const quoted = (pick: (row: Row) => string): [string, string][] => {
    let last = '';
    return rows.flatMap((row) => {
      // "same text" of wireguard-go is that of the kernel.
      const said = /same text$/.test(pick(row)) ? (row.kernel[0] ?? '') : pick(row);
      const text = /"([^"]+)"/.exec(said)?.[1];
      if (text !== undefined) last = text;
      return text !== undefined || /\bsame\b/.test(said) ? [[row.code, last] as [string, string]] : [];
    });
  };
  /** Numbers that mean this cause and no other. */
  const NONCES: Readonly<Record<string, string>> = {
    DATA_COUNTER_LIMIT: '18446744073709543423 (max 9)',
    DATA_REPLAY_DUPLICATE: '872 (max 9000)',
    DATA_REPLAY_TOO_OLD: '870 (max 9000)',
  };
  const filled = (text: string, code: string): string =>
    text
      .replace(/peer %llu \(%s\)/g, 'peer 1 (192.0.2.1:5)')
      .replace(/%llu \(max %llu\)/, NONCES[code] ?? '')
      .replace(/(allowed IPs matching|src IP) \(?%s\)?/, (all) => all.replace('%s', '10.0.0.9'))
      .replace(/error %d/, 'error -101')
      .replace(/handshake replay @ %v/, 'handshake replay @ 2001-01-01 00:00:03.9 +0000 UTC')
      .replace(/%llu/g, '1')
      .replace(/dropping packet$/, 'dropping packet from %s')
      .replace(/%s|%v/g, '192.0.2.1:5');

  test.each(quoted((row) => row.kernel[0] ?? ''))('kernel: %s', (code, text) => {
    const line = filled(text, code).replace(
      /^Packet (is neither ipv4 nor ipv6|has incorrect size)$/,
      'Packet $1 from peer 1 (192.0.2.1:5)',
    );
    expect(only(`[1.5] wireguard: wg0: ${line}`).reasons).toContain(code);
  });

  test.each(quoted((row) => row.wireguard_go[0] ?? ''))('wireguard-go: %s', (code, text) => {
    const line = filled(text, code)
      .replace(/^192\.0\.2\.1:5 - /, '')
      .replace('IPv4/IPv6', 'IPv6');
    const whole = line === 'no known endpoint for peer' ? `Failed to send handshake initiation: ${line}` : line;
    expect(only(`DEBUG: (wg0) 2026/11/21 02:01:05 peer(8mD5…LLjo) - ${whole}`).reasons).toContain(code);
  });

  test('no event has another', () => {
    const known = new Set(rows.map((row) => row.code));
    const told = [...quoted((row) => row.kernel[0] ?? ''), ...quoted((row) => row.wireguard_go[0] ?? '')];
    expect(told.filter(([code]) => !known.has(code))).toEqual([]);
    expect(told.length).toBeGreaterThan(30);
  });
});

test.skipIf(!existsSync(fileURLToPath(shared('captures/lab/'))))('the logs of the lab are understood', () => {
  const lab = fileURLToPath(shared('captures/lab/'));
  const seen = new Set<string>();
  for (const name of readdirSync(lab)) {
    for (const end of ['client', 'server']) {
      const text = readFileSync(`${lab}${name}/${end}.log`, 'utf8');
      const events = parseLog(text);
      for (const event of events) seen.add(`${event.implementation} ${event.kind}`);
      const told = [...lines(text)].filter(
        (line) => /handshake|keepalive packet|invalid/i.test(line.text) && !/worker|latest/.test(line.text),
      );
      expect(told.map(({ number }) => number).filter((n) => !events.some((e) => e.line === n))).toEqual([]);
    }
  }
  expect([...seen].sort()).toContain('linux session-created');
  expect(seen.size).toBeGreaterThan(12);
});
