/** How long a NAT keeps a mapping, by the pauses that were survived and the one that was not, and the keepalive for it. */
import { describe, expect, test } from 'vitest';
import { natMappingExpired } from '../../src/diagnose/rules/nat-mapping-expired.ts';
import { pings } from './inner-flows.ts';
import { CLIENT_IN, opened, ping, pong, SERVER_IN, Tunnel } from './inside.ts';
import { fittingFiles } from './keys.ts';
import { judge, Scene } from './scene.ts';
import { NAT_END, SERVER_END } from './traffic.ts';
import { findingsOf } from './world.ts';

const OUTSIDE = '203.0.113.1:40001';
const LATER = '203.0.113.1:40002';
const SERVER = '198.51.100.10:51820';

/** The server asks after each of these pauses, seconds; the client answers but for the last. */
function pauses(...lengths: readonly number[]): Scene {
  const scene = new Scene('b', SERVER).session(0, OUTSIDE, SERVER).keepalive(0.1, OUTSIDE, SERVER, 1001, 1);
  let [at, sent, got] = [0.1, 1, 2];
  for (const length of lengths.slice(0, -1)) {
    at += length;
    scene.data(at, SERVER, OUTSIDE, 1, sent++).data(at + 0.05, OUTSIDE, SERVER, 1001, got++);
    at += 0.05;
  }
  at += lengths.at(-1) ?? 0;
  for (let i = 0; i < 15; i++) scene.data(at + i, SERVER, OUTSIDE, 1, sent++);
  return scene
    .data(at + 16, LATER, SERVER, 1001, got++)
    .data(at + 16.01, SERVER, LATER, 1, sent)
    .nothing(at + 40);
}

describe('between the longest pause that was survived and the one that was not', () => {
  test.each<[readonly number[], string, number]>([
    [
      [60],
      'at most 60 s without traffic (10 s: RouterOS udp-timeout in many exports; 30 s: Linux and RouterOS for UDP that goes one way)',
      25,
    ],
    [
      [20, 45],
      'more than 20 s and at most 45 s without traffic (30 s: Linux and RouterOS for UDP that goes one way)',
      25,
    ],
    [[35, 28, 90], 'more than 35 s and at most 90 s without traffic', 25],
    [[12], 'at most 12 s without traffic (10 s: RouterOS udp-timeout in many exports)', 5],
    [[22], 'at most 22 s without traffic (10 s: RouterOS udp-timeout in many exports)', 10],
    [
      [50, 40],
      'at most 40 s without traffic (10 s: RouterOS udp-timeout in many exports; 30 s: Linux and RouterOS for UDP that goes one way)',
      25,
    ],
  ])('%j', (lengths, wanted, keepalive) => {
    const [finding] = judge([natMappingExpired], pauses(...lengths));
    expect(finding?.notes).toContain(`by this capture the NAT forgets after ${wanted}`);
    expect(finding?.facts).toMatchObject({ keepalive });
  });

  test('a shorter keepalive is named where the shortest timeout is not ruled out', () => {
    const fix = (...lengths: readonly number[]) => judge([natMappingExpired], pauses(...lengths))[0]?.fix.linux?.[0];
    expect(fix(60)).toMatch(/persistent-keepalive 25 {3}\(if that does not hold it: 8, some NATs forget after 10 s\)$/);
    expect(fix(20, 60)).toMatch(/persistent-keepalive 25$/);
  });
});

describe('what the file of the end behind the NAT says', () => {
  const outside = { from: NAT_END, to: SERVER_END };
  const expired = () => {
    const on = pings(new Tunnel(outside), CLIENT_IN, SERVER_IN, 2).there(new Uint8Array(0)).wait(40);
    for (let i = 0; i < 15; i++) on.back(ping(SERVER_IN, CLIENT_IN), 1);
    const known = on.packets.length;
    on.there(ping(CLIENT_IN, SERVER_IN), 5).back(pong(SERVER_IN, CLIENT_IN)).idle(20);
    const later = { ...NAT_END, port: 40_002 };
    const moved = on.packets.splice(known).map((sent) => ({
      ...sent,
      from: sent.from === NAT_END ? later : sent.from,
      to: sent.to === NAT_END ? later : sent.to,
    }));
    on.packets.push(...moved);
    return [on];
  };
  const files = (keepalive: string) => ({
    ...fittingFiles(),
    'client.conf': (fittingFiles()['client.conf'] ?? '').replace(/\n$/, `${keepalive}\n`),
  });

  test.each([
    [
      '',
      'client.conf line 6 sets no PersistentKeepalive',
      [{ line: 7, kind: 'insert-after', text: 'PersistentKeepalive = 25' }],
    ],
    [
      '\nPersistentKeepalive = 120',
      'client.conf line 10 has PersistentKeepalive = 120, which is too seldom',
      [{ line: 10, kind: 'replace', text: 'PersistentKeepalive = 25' }],
    ],
    [
      '\nPersistentKeepalive = 20',
      'client.conf line 10 has PersistentKeepalive = 20, which should have kept it: that end was down, or this file is not what ran',
      [],
    ],
  ])('%j', async (line, note, edits) => {
    const given = opened(expired(), { confs: files(line) });
    const [finding] = await findingsOf([natMappingExpired], { ...given, at: { a: 'responder' } });
    expect(finding?.notes).toContain(note);
    expect(finding?.edits).toMatchObject(edits);
  });
});
