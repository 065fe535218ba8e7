/** What a text is, by its content. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sniffText } from '../../src/config/sniff.ts';

const CAPTURES = fileURLToPath(new URL('../../../shared/captures/', import.meta.url));
const KEY = 'YDCttCs9e1J52/g9vEnwJJa+2x6RqaayAYMpSVQfGEY=';

test.each<[string, string]>([
  ['empty', ''],
  ['empty', ' \r\n\t\n'],
  ['wg-conf', '# home\n\n[Interface]\nPrivateKey = x'],
  ['wg-conf', '\ufeff[peer]'],
  ['wg-conf', '[Peers]\nfoo'],
  ['wg-conf', 'what is this\nAllowedIPs = ::/0'],
  ['key-log', `New handshake session:\n  LOCAL_STATIC_PRIVATE_KEY = ${KEY}`],
  ['traffic-keys', `0x30d037d8 ${KEY}`],
  ['wg-show-dump', `${KEY}\t${KEY}\t51820\toff`],
  ['wg-show-dump', `wg0\t(none)\t(none)\t0\toff`],
  ['wg-show', `interface: wg0\n  public key: ${KEY}`],
  ['wg-show', '\u001b[1m\u001b[32minterface\u001b[0m: wg0'],
  ['uapi', 'private_key=00'],
  ['routeros-export', '# 2026-01-02 03:04:05 by RouterOS 7.16.1\n# software id = X'],
  ['routeros-export', '/interface wireguard\nadd listen-port=13231'],
  ['routeros-print', 'Flags: X - disabled, R - running\n 0  R name="wg0"'],
  ['systemd-netdev', '[NetDev]\nKind=wireguard'],
  ['network-manager', '[connection]\ntype=wireguard'],
  ['lone-key', `${KEY}\n`],
  ['log', 'DEBUG: (wg0) 2026/11/21 01:59:30 Device started'],
  ['log', 'Nov 21 01:59:30 host kernel: something'],
  ['log', '[ 1234.567890] wireguard: wg0: Handshake for peer 1 did not complete'],
  ['firewall-rules', '*filter\n:INPUT DROP [0:0]'],
  ['firewall-rules', 'table inet filter {'],
  ['pem', '-----BEGIN OPENSSH PRIVATE KEY-----'],
  ['html', '<!DOCTYPE html><title>404</title>'],
  ['json', '{"a": 1}'],
  ['unknown', 'dear diary'],
])('%s: %j', (kind, text) => {
  expect(sniffText(text)).toBe(kind);
  if (text.trim() !== '') expect(sniffText(new Uint8Array(Buffer.from(text)))).toBe(kind);
});

test.each<[string, Uint8Array]>([
  ['empty', new Uint8Array(0)],
  ['wg-conf', Buffer.from('\ufeff[Interface]\r\n', 'utf16le')],
  ['key-log', Buffer.from(`PRESHARED_KEY=${KEY}`, 'utf16le').swap16()],
  ['binary', Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0)],
])('bytes: %s', (kind, bytes) => {
  expect(sniffText(new Uint8Array(bytes))).toBe(kind);
});

describe.skipIf(!existsSync(CAPTURES))('the files of the lab', () => {
  const names = existsSync(CAPTURES) ? readdirSync(`${CAPTURES}lab`) : [];
  test.each(names)('%s', (name) => {
    const kinds = [
      'client.conf',
      'server.conf',
      'client.log',
      'server.log',
      'wg-show-client.txt',
      'wg-show-server.txt',
      'truth.json',
    ].map((file) => sniffText(new Uint8Array(readFileSync(`${CAPTURES}lab/${name}/${file}`))));
    // One scene has no listing of its client.
    const shown = name === 'kernel-clock-reset' ? 'empty' : 'wg-show-dump';
    expect(kinds).toEqual(['wg-conf', 'wg-conf', 'log', 'log', shown, 'wg-show-dump', 'json']);
  });

  test('key logs', () => {
    const logs = readdirSync(`${CAPTURES}public`).filter((file) => file.endsWith('.keys'));
    expect(logs.length).toBeGreaterThan(3);
    for (const file of logs) expect(sniffText(readFileSync(`${CAPTURES}public/${file}`, 'utf8'))).toBe('key-log');
  });
});

test('never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 400 })),
      (head) => void sniffText(head),
    ),
  );
});
