/** Log lines by which an implementation says what it dropped: what they stand for, how often, and whether it passed. */
import { describe, expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { buildWorld } from '../../src/analyze/world.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { logRefusal } from '../../src/diagnose/rules/log-refusal.ts';
import { type Finding, runRules } from '../../src/diagnose/run.ts';
import { readText } from '../../src/report/read-text.ts';
import { said } from './world.ts';

function findingsIn(...lines: readonly string[]): readonly Finding[] {
  const keys = new KeySet(nodeCrypto);
  const kind = readText('server.log', 'a', new TextEncoder().encode(`${lines.join('\n')}\n`), keys, () => {});
  expect(kind).toBe('log');
  return runRules([logRefusal], buildWorld([], keys, new Map())).findings;
}

const kernel = (text: string): string => `[12345.678901] wireguard: wg0: ${text}`;
const go = (text: string): string => `DEBUG: (wg0) 2026/11/21 01:59:30 ${text}`;

const FLOOD = kernel('Invalid handshake initiation from 203.0.113.5:51820');
const ESTABLISHED = kernel('Keypair 4 created for peer 1');
const REPLAY = kernel('Packet has invalid nonce 7 (max 7)');

describe('told', () => {
  test.each<[string, readonly string[], string]>([
    [
      'the kernel does not say which of several it was',
      [FLOOD, FLOOD],
      'error log-refusal: server.log line 1: the kernel says “Invalid handshake initiation from 203.0.113.5:51820” (2 times), which is unknown-initiator or timestamp-replayed or initiation-flood or static-unsealable or timestamp-unsealable or weak-shared-secret',
    ],
    [
      'wireguard-go says it in one line, and once more in the next',
      [
        go('peer(KBsg…FdR4) - ConsumeMessageInitiation: handshake replay @ 2001-01-01 00:00:03 +0000 UTC'),
        go('Received invalid initiation message from 203.0.113.5:51820'),
        go('peer(KBsg…FdR4) - ConsumeMessageInitiation: handshake replay @ 2001-01-01 00:00:08 +0000 UTC'),
        go('Received invalid initiation message from 203.0.113.5:51820'),
      ],
      'error log-refusal: server.log line 1: wireguard-go says “ConsumeMessageInitiation: handshake replay @ 2001-01-01 00:00:03 +0000 UTC” (2 times), which is timestamp-replayed',
    ],
    [
      'no word of whose it was',
      [go('Received packet with invalid mac1')],
      'warning log-refusal: server.log line 1: wireguard-go says “Received packet with invalid mac1”, which is wrong-responder-key',
    ],
    [
      'from whom, at least',
      [kernel('Invalid MAC of handshake, dropping packet from 203.0.113.5:51820')],
      'warning log-refusal: server.log line 1: the kernel says “Invalid MAC of handshake, dropping packet from 203.0.113.5:51820”, which is wrong-responder-key or initiation-flood',
    ],
    [
      'it passed later',
      [
        kernel('Packet has unallowed src IP (10.9.0.7) from peer 1 (203.0.113.5:51820)'),
        kernel('Packet has unallowed src IP (10.9.0.7) from peer 1 (203.0.113.5:51820)'),
        ESTABLISHED,
      ],
      'info log-refusal: server.log line 1: the kernel says “Packet has unallowed src IP (10.9.0.7) from peer 1 (203.0.113.5:51820)” (2 times), which is source-not-allowed',
    ],
  ])('%s', (_, lines, wanted) => {
    expect(said(findingsIn(...lines))).toEqual([wanted]);
  });
});

describe('quiet, or a remark', () => {
  test.each<[string, readonly string[]]>([
    ['a log of a tunnel that works', [ESTABLISHED, kernel('Receiving keepalive packet from peer 1 (192.0.2.1:5)')]],
    ['the window refuses a duplicate', [ESTABLISHED, REPLAY]],
    ['a cookie', [kernel('Sending cookie response for denied handshake message for 192.0.2.1:5')]],
    ['a line that is not ours', [ESTABLISHED, 'Nov 21 01:59:30 host sshd[77]: Invalid user admin from 203.0.113.5']],
  ])('%s', (_, lines) => {
    expect(findingsIn(...lines).filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  test('one old initiation in the log of a tunnel that works is a remark, two are more', () => {
    const peer = 'peer(KBsg…FdR4) - ';
    const works = go(`${peer}Received handshake response`);
    const replay = go(`${peer}ConsumeMessageInitiation: handshake replay @ 2026-11-21 02:20:35 +0000 UTC`);
    expect(findingsIn(works, replay).map(({ severity }) => severity)).toEqual(['info']);
    expect(findingsIn(works, replay, replay).map(({ severity }) => severity)).toEqual(['error']);
  });
});

test('at most five kinds of lines for one log', () => {
  const lines = Array.from({ length: 50 }, (_, i) =>
    kernel(`Invalid handshake initiation from 203.0.113.${i + 1}:51820`),
  );
  expect(findingsIn(...lines)).toHaveLength(5);
});
