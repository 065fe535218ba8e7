/** The rules about running sessions: made-up captures for each side of each rule, and real ones where they are at hand. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { buildWorld } from '../../src/analyze/world.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { AnyRule } from '../../src/diagnose/rule.ts';
import { dataAfterExpiry } from '../../src/diagnose/rules/data-after-expiry.ts';
import { endpointRoamed } from '../../src/diagnose/rules/endpoint-roamed.ts';
import { handshakeLostPeriodically } from '../../src/diagnose/rules/handshake-lost-periodically.ts';
import { icmpUnreachable } from '../../src/diagnose/rules/icmp-unreachable.ts';
import { mtuBlackhole } from '../../src/diagnose/rules/mtu-blackhole.ts';
import { natMappingExpired } from '../../src/diagnose/rules/nat-mapping-expired.ts';
import { outerFragmentation } from '../../src/diagnose/rules/outer-fragmentation.ts';
import { packetLoss } from '../../src/diagnose/rules/packet-loss.ts';
import { packetReplayed } from '../../src/diagnose/rules/packet-replayed.ts';
import { packetTooOld } from '../../src/diagnose/rules/packet-too-old.ts';
import { packetUnsealable } from '../../src/diagnose/rules/packet-unsealable.ts';
import { pathFiltered } from '../../src/diagnose/rules/path-filtered.ts';
import { peerRestarted } from '../../src/diagnose/rules/peer-restarted.ts';
import { peerWentAway } from '../../src/diagnose/rules/peer-went-away.ts';
import { rekeyFailed } from '../../src/diagnose/rules/rekey-failed.ts';
import { responderSilent } from '../../src/diagnose/rules/responder-silent.ts';
import { sessionUnconfirmed } from '../../src/diagnose/rules/session-unconfirmed.ts';
import type { Finding } from '../../src/diagnose/run.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { judge, Scene } from './scene.ts';
import { findingsOf } from './world.ts';

const RULES: readonly AnyRule[] = [
  natMappingExpired,
  mtuBlackhole,
  rekeyFailed,
  peerRestarted,
  outerFragmentation,
  packetUnsealable,
  dataAfterExpiry,
  packetLoss,
  peerWentAway,
  endpointRoamed,
  packetReplayed,
  packetTooOld,
];

const CLIENT = '10.0.0.2:5000';
const SERVER = '198.51.100.10:51820';
const OUTSIDE = '203.0.113.1:40001';
const OUTSIDE_LATER = '203.0.113.1:40002';

const short = (findings: readonly Finding[]): string[] =>
  findings.map(({ rule, severity, certainty }) => `${rule.name} ${severity} ${certainty}`);
const said = (...scenes: readonly Scene[]): string[] => short(judge(RULES, ...scenes));

/** Pings from the client, one a second, answered unless `answered` says no. */
function pings(scene: Scene, from: number, to: number, counter: number, answered = true): Scene {
  for (let s = from; s < to; s++) {
    scene.data(s, CLIENT, SERVER, 1001, counter + s - from);
    if (answered) scene.data(s + 0.01, SERVER, CLIENT, 1, counter + s - from);
  }
  return scene;
}

describe('handshake-lost-periodically', () => {
  /** A session every 200 s; before each but the first, what `before` sends from ten seconds before it on. */
  const tunnel = (sessions: readonly number[], before: (scene: Scene, at: number, n: number) => void): Scene => {
    const scene = new Scene('a', CLIENT);
    for (const [i, at] of sessions.entries()) {
      if (i > 0) before(scene, at - 10, 10 * i);
      scene.session(at, CLIENT, SERVER, 10 * i + 5);
    }
    return scene;
  };
  const lost = (scene: Scene, at: number, n: number): Scene =>
    scene.initiation(at, CLIENT, SERVER, n).initiation(at + 5, CLIENT, SERVER, n + 1);
  /** Both ends at once, twice: each answers the other and forgets its own. */
  const crossed = (scene: Scene, at: number, n: number): void => {
    for (const i of [0, 1]) {
      const t = at + 5 * i;
      scene.initiation(t, CLIENT, SERVER, n + i).initiation(t + 0.01, SERVER, CLIENT, 500 + n + i);
      scene.response(t + 0.02, CLIENT, SERVER, 600 + n + i, 500 + n + i);
      scene.response(t + 0.03, SERVER, CLIENT, 700 + n + i, n + i);
    }
  };

  test.each<readonly [string, Scene, readonly string[]]>([
    ['three outages', tunnel([0, 200, 400, 600], lost), ['handshake-lost-periodically error deduced']],
    ['two are one interval only', tunnel([0, 200, 400], lost), ['handshake-lost-periodically warning suspected']],
    [
      'two, and dead at the end',
      lost(tunnel([0, 200, 400], lost), 590, 90).nothing(620),
      ['handshake-lost-periodically warning suspected'],
    ],
    ['one', tunnel([0, 200], lost), []],
    ['at any time', tunnel([0, 200, 400, 800, 1000], lost), []],
    [
      'one lost message each time',
      tunnel([0, 200, 400, 600], (scene, at, n) => scene.initiation(at, CLIENT, SERVER, n)),
      [],
    ],
    ['what crosses was not lost', tunnel([0, 200, 400, 600], crossed), []],
  ])('%s', (_, scene, expected) => {
    expect(short(judge([handshakeLostPeriodically], scene))).toEqual(expected);
  });
});

describe('session-unconfirmed', () => {
  const unused = (scene: Scene, at: number): Scene => {
    for (const n of [50, 51]) {
      scene.initiation(at, CLIENT, SERVER, n).response(at + 0.01, SERVER, CLIENT, 100 + n, n);
      at += 5;
    }
    return scene.data(at + 5, CLIENT, SERVER, 9999, 70);
  };
  const scene = (): Scene => new Scene('a', SERVER);
  const found = (of: Scene): string[] =>
    judge([sessionUnconfirmed], of).flatMap(({ message, notes }) => [message, ...notes]);

  test('from the first on, and after a session', () => {
    const [why, ...notes] = found(unused(scene(), 0));
    expect([why, notes.length]).toEqual([expect.stringMatching(/does not get them, or the preshared keys differ$/), 1]);
    const [later, ...more] = found(unused(scene().session(0, CLIENT, SERVER), 150));
    expect(later).toMatch(/no longer gets them, or a preshared key was changed$/);
    expect(more.at(-1)).toMatch(/^a session of these two began 2 min 30 s earlier: /);
  });

  test('who takes an answer begins again after 15 s, not after 5: its data may be what is lost', () => {
    const of = scene();
    for (const [i, n] of [50, 51].entries())
      of.initiation(16 * i, CLIENT, SERVER, n).response(16 * i + 0.01, SERVER, CLIENT, 100 + n, n);
    const [finding] = judge([sessionUnconfirmed], of.nothing(30));
    expect(finding?.certainty).toBe('suspected');
    expect(finding?.message).toMatch(/, or its data does not arrive here$/);
    expect(judge([sessionUnconfirmed], unused(scene(), 0))[0]?.certainty).toBe('deduced');
  });

  test('one that is used', () => {
    expect(found(unused(scene(), 0).session(20, CLIENT, SERVER))).toEqual([]);
  });
});

describe('path-filtered', () => {
  interface Story {
    /** What each round after the working session lets through. */
    readonly up?: boolean;
    readonly down?: boolean;
    readonly rounds?: number;
    /** After each handshake: by the timer, or whenever it likes. */
    readonly every?: number;
    readonly length?: number;
    /** Seconds between keepalives of a server that has nothing to say. */
    readonly passive?: number;
    readonly after?: boolean;
  }
  /** Pings for ten seconds that work, then rounds of them, as seen at the client, at the server, or by both. */
  const story = (
    at: 'client' | 'server',
    { up = true, down = true, rounds = 3, every = 16, length = 128, passive, after = false }: Story,
  ): Scene => {
    const seesUp = at === 'client' || up;
    const seesDown = up && (at === 'server' || down);
    const scene = new Scene(at, at === 'client' ? CLIENT : SERVER);
    const exchange = (from: number, to: number, n: number, sent: boolean, back: boolean): void => {
      scene.initiation(from, CLIENT, SERVER, n).response(from + 0.01, SERVER, CLIENT, 1000 + n, n);
      if (sent) scene.keepalive(from + 0.02, CLIENT, SERVER, 1000 + n, 0);
      for (let s = 0; from + 1 + s < to; s++) {
        if (sent) scene.data(from + 1 + s, CLIENT, SERVER, 1000 + n, 1 + s, { length });
        const passes = passive === undefined ? true : s > 0 && s % passive === 0;
        const counter = s / (passive ?? 1);
        if (back && passes)
          scene.data(from + 1.01 + s, SERVER, CLIENT, n, counter, { length: passive === undefined ? 128 : 32 });
      }
    };
    exchange(0, 14, 1, true, true);
    for (let i = 0; i < rounds; i++) exchange(30 + every * i, 30 + every * (i + 1), 10 + i, seesUp, seesDown);
    if (after) exchange(30 + every * rounds, 60 + every * rounds, 90, true, true);
    return scene;
  };
  const filtered = (...scenes: readonly Scene[]): string[] =>
    short(judge([pathFiltered, sessionUnconfirmed, peerRestarted, packetLoss], ...scenes));
  const UP = { up: false };
  const DOWN = { down: false };

  test.each<readonly [string, Scene, readonly string[]]>([
    ['upwards, at the client', story('client', UP), ['path-filtered error suspected']],
    ['upwards, at the server', story('server', UP), ['path-filtered error suspected']],
    ['downwards, at the client', story('client', DOWN), ['path-filtered error suspected']],
    ['downwards, at the server', story('server', DOWN), ['path-filtered error suspected']],
    ['it passes again', story('client', { ...DOWN, after: true }), ['path-filtered warning suspected']],
    ['one such session', story('client', { ...DOWN, rounds: 1 }), []],
    ['large data only', story('client', { ...DOWN, length: 1400 }), []],
    ['one-way data, answered by keepalives', story('client', { passive: 10, every: 120 }), []],
    ['handshakes that no timer asks for', story('client', { ...DOWN, every: 40 }), []],
    ['answered each time', story('client', {}), []],
  ])('%s', (_, scene, expected) => {
    expect(filtered(scene)).toEqual(expected);
  });

  test('both captures prove it, and say whose data is lost', () => {
    for (const [lost, from] of [
      [UP, CLIENT],
      [DOWN, SERVER],
    ] as const) {
      const scenes = [story('client', lost), story('server', lost).nothing(100)];
      scenes[0]?.nothing(100);
      expect(filtered(...scenes)).toEqual(['path-filtered error proven']);
      expect(judge([pathFiltered], ...scenes)[0]?.facts).toMatchObject({ lostFrom: from, recovered: false });
    }
    expect(filtered(story('client', {}), story('server', {}))).toEqual([]);
  });
});

describe('packet-loss', () => {
  const received = (lost: (n: number) => boolean, packets: number, local: string | undefined, timed = true): Scene => {
    const scene = new Scene('a', local, timed).session(0, CLIENT, SERVER);
    for (let n = 1; n < packets; n++) {
      if (!lost(n)) scene.data(1 + n / 100, CLIENT, SERVER, 1001, n);
      scene.data(1.001 + n / 100, SERVER, CLIENT, 1, n);
    }
    return scene;
  };

  test.each([
    ['3 % at the receiver', received((n) => n % 33 === 5, 1000, SERVER), ['packet-loss warning proven']],
    ['less than 1 %', received((n) => n % 200 === 5, 1000, SERVER), ['packet-loss info proven']],
    ['fewer than 20 packets', received((n) => n % 10 === 5, 100, SERVER), ['packet-loss info proven']],
    ['at the sender it is the capture that lost them', received((n) => n % 33 === 5, 1000, CLIENT), []],
    [
      'where it was captured is unknown',
      received((n) => n % 33 === 5, 1000, undefined),
      ['packet-loss info suspected'],
    ],
    ['without times', received((n) => n % 33 === 5, 1000, SERVER, false), ['packet-loss warning proven']],
    [
      'one long interruption is not the usual loss',
      received((n) => n > 100 && n < 800, 1000, SERVER),
      ['packet-loss info proven'],
    ],
    ['coarse runs are still counted', received((n) => n % 7 === 3, 10_000, SERVER), ['packet-loss warning proven']],
    [
      'every other packet: sent elsewhere in turn',
      received((n) => n % 2 === 1, 200, SERVER),
      ['packet-loss info suspected'],
    ],
    ['nothing lost', received(() => false, 500, SERVER), []],
  ])('%s', (_name, scene, wanted) => {
    expect(said(scene)).toEqual(wanted);
  });

  /** Both ends send, and each capture has lost what `drops` says of it: packets n from the client and to it. */
  const both = (
    packets: number,
    sides: readonly (readonly [Scene, (n: number, back: boolean) => boolean])[],
    length = 128,
  ): Scene[] =>
    sides.map(([scene, drops]) => {
      scene.session(0, CLIENT, SERVER);
      for (let n = 1; n < packets; n++) {
        if (!drops(n, false)) scene.data(1 + n / 100, CLIENT, SERVER, 1001, n, { length });
        if (!drops(n, true)) scene.data(1.004 + n / 100, SERVER, CLIENT, 1, n);
      }
      return scene;
    });
  const none = (): boolean => false;
  const some = (n: number, back: boolean): boolean => n % 20 === (back ? 5 : 11);

  test.each([
    ['its own host’s packets are missing, too', both(1000, [[new Scene('a', SERVER), some]]), 'info suspected'],
    [
      'far fewer of its own host’s are missing',
      both(1000, [[new Scene('a', SERVER), (n, back) => (back ? n === 500 : n % 20 === 11)]]),
      'warning deduced',
    ],
    [
      'of its own host’s there are too few to tell',
      both(1000, [[new Scene('a', SERVER), (n, back) => (back ? n > 20 : n % 20 === 11)]]),
      'info suspected',
    ],
    [
      'the second of two captures misses what the first got from there',
      both(1000, [
        [new Scene('a', CLIENT), none],
        [new Scene('b'), some],
      ]),
      'info suspected',
    ],
  ])('a capture that drops frames: %s', (_name, scenes, wanted) => {
    expect(said(...scenes)).toEqual([`packet-loss ${wanted}`]);
  });

  test('what a capture farther along holds was not lost', () => {
    const scenes = both(1000, [
      [new Scene('a', CLIENT), none],
      [new Scene('b'), some],
      [new Scene('c', SERVER), none],
    ]);
    expect(said(...scenes)).toEqual([]);
  });

  test.each([
    ['as long as several messages', 256, ['packet-loss info suspected']],
    ['as long as one that fills the MTU', 1452, ['packet-loss warning proven']],
  ])('frames that were cut, %s', (_name, length, wanted) => {
    const [scene] = both(1000, [[new Scene('a', SERVER, true, 64), (n, back) => !back && n % 20 === 11]], length);
    expect(scene === undefined ? [] : said(scene)).toEqual(wanted);
  });

  test('both ends go on from other addresses, under the same indices', () => {
    const scene = pings(new Scene('a', SERVER).session(0, CLIENT, SERVER), 1, 30, 1);
    const [client, server] = ['[2001:db8::2]:5000', '[2001:db8:1::10]:51820'];
    for (let n = 30; n < 60; n++) scene.data(n, client, server, 1001, n).data(n + 0.01, server, client, 1, n);
    expect(said(pings(scene, 60, 90, 60))).toEqual([]);
  });

  test('reordering is not loss, nor is what came before the first packet seen', () => {
    const scene = new Scene('a', SERVER);
    for (const n of [50, 52, 51, 54, 53, 55]) scene.data(n / 10, CLIENT, SERVER, 1001, n);
    scene.data(6, SERVER, CLIENT, 1, 7);
    expect(said(scene)).toEqual([]);
  });

  test('a counter that leaps is no loss', () => {
    const scene = new Scene('a', SERVER).session(0, CLIENT, SERVER);
    scene.data(1, CLIENT, SERVER, 1001, 1).data(2, CLIENT, SERVER, 1001, 4_000_000_000);
    expect(said(scene)).toEqual([]);
  });

  test('two captures: the last one is too near the end of the other capture to count', () => {
    const sides = [new Scene('a', CLIENT), new Scene('b', SERVER)] as const;
    for (const side of sides) side.session(0, CLIENT, SERVER);
    for (let n = 1; n <= 1000; n++) {
      for (const side of sides) side.data(n / 50, SERVER, CLIENT, 1, n);
      sides[0].data(n / 50, CLIENT, SERVER, 1001, n);
      if (n % 40 !== 0) sides[1].data(n / 50, CLIENT, SERVER, 1001, n);
    }
    const [finding] = judge(RULES, ...sides);
    expect(finding).toMatchObject({
      certainty: 'proven',
      severity: 'warning',
      facts: { lost: 24, sent: 1000, percent: 2.4 },
    });
  });
});

describe('mtu-blackhole', () => {
  const twoSides = (large: number, seconds: readonly number[], arrives = false): readonly [Scene, Scene] => {
    const sides = [new Scene('a', CLIENT), new Scene('b', SERVER)] as const;
    for (const side of sides) {
      side.session(0, CLIENT, SERVER);
      let answers = 1;
      for (let s = 1; s < 12; s++) {
        if (seconds.includes(s)) {
          if (side === sides[0] || arrives) side.data(s, CLIENT, SERVER, 1001, s, { length: large });
        } else side.data(s, CLIENT, SERVER, 1001, s).data(s + 0.02, SERVER, CLIENT, 1, answers++);
      }
    }
    return sides;
  };

  test('two captures: large data leaves and never arrives', () => {
    const [finding, ...more] = judge(RULES, ...twoSides(1452, [3, 5, 7]));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      certainty: 'proven',
      severity: 'error',
      facts: { greatestPassed: 128, leastLost: 1452, outerLost: 1480, outerPassed: 156, mtu: 1280, messages: 3 },
    });
    expect(finding?.message).toContain('1452 + 28 = 1480');
    expect(finding?.fix.linux?.join(' ')).toContain('--clamp-mss-to-pmtu');
  });

  test.each([
    ['large data arrives', twoSides(1452, [3, 5, 7], true), []],
    ['small data is lost all the same', twoSides(128, [3, 5, 7]), ['packet-loss info suspected']],
    ['two are too few', twoSides(1452, [3, 5]), ['packet-loss info suspected']],
    ['no path is that narrow', twoSides(300, [3, 5, 7]), ['packet-loss info suspected']],
  ])('two captures: %s', (_name, sides, wanted) => {
    expect(said(...sides)).toEqual(wanted);
  });

  const oneSide = (
    gaps: readonly number[],
    options: { small?: boolean; answered?: boolean; local?: string } = {},
  ): Scene => {
    const scene = new Scene('a', options.local ?? CLIENT).session(0, CLIENT, SERVER);
    let [at, sent, got] = [1, 1, 1];
    for (const gap of gaps) {
      scene.data(at, CLIENT, SERVER, 1001, sent++, { length: 1452 });
      if (options.answered) scene.data(at + 0.02, SERVER, CLIENT, 1, got++);
      if (options.small !== false) {
        scene.data(at + 0.05, CLIENT, SERVER, 1001, sent++).data(at + 0.07, SERVER, CLIENT, 1, got++);
      }
      at += gap;
    }
    return scene;
  };

  test.each([
    [
      'repeated with growing gaps, small data answered',
      oneSide([0.2, 0.4, 0.8, 1.6, 3.2]),
      ['mtu-blackhole error suspected'],
    ],
    ['the same where it was received: it arrived', oneSide([0.2, 0.4, 0.8, 1.6, 3.2], { local: SERVER }), []],
    ['too few repetitions', oneSide([0.2, 0.4, 0.8]), []],
    ['no small data in between: everything may be down', oneSide([0.2, 0.4, 0.8, 1.6, 3.2], { small: false }), []],
    ['each one answered', oneSide([0.2, 0.4, 0.8, 1.6, 3.2], { answered: true }), []],
    ['gaps that grow as no timer does', oneSide([0.3, 0.49, 0.79, 1.25, 2]), []],
    ['pings of one size at equal gaps', oneSide([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]), []],
    ['an upload', oneSide(Array.from({ length: 50 }, () => 0.001)), []],
  ])('one capture: %s', (_name, scene, wanted) => {
    expect(said(scene)).toEqual(wanted);
  });
});

describe('outer-fragmentation', () => {
  test('fragments tell the path MTU', () => {
    const scene = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
    scene.data(1, CLIENT, SERVER, 1001, 1, { length: 1452, fragments: 2, ipLength: 1396 });
    const [finding] = judge(RULES, scene);
    expect(finding).toMatchObject({
      severity: 'warning',
      certainty: 'proven',
      facts: { pathMtu: 1396, tunnelMtu: 1336 },
    });
  });

  test('over IPv6 the tunnel MTU is 80 less', () => {
    const [client, server] = ['[2001:db8::2]:5000', '[2001:db8::1]:51820'];
    const scene = new Scene('a', client).session(0, client, server);
    scene.data(1, client, server, 1001, 1, { length: 1452 });
    scene.icmp(1.01, '[2001:db8::ffff]', 'fragmentation-needed', client, server, 1492);
    expect(judge(RULES, scene)[0]).toMatchObject({ facts: { pathMtu: 1492, tunnelMtu: 1412, fragmented: false } });
  });

  test.each([
    ['a figure that everything fits into', 1500, CLIENT],
    ['another flow', 1400, '10.0.0.9:5000'],
  ])('not for %s', (_name, mtu, from) => {
    const scene = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
    scene.data(1, CLIENT, SERVER, 1001, 1, { length: 1452 });
    scene.icmp(1.01, '192.0.2.1', 'fragmentation-needed', from, SERVER, mtu);
    expect(said(scene)).toEqual([]);
  });
});

describe('nat-mapping-expired', () => {
  /** The server’s view: the client behind a NAT, a pause, data from the server that nobody answers. */
  const atServer = (pause: number, resume: ((scene: Scene, at: number) => void) | undefined): Scene => {
    const scene = new Scene('b', SERVER).session(0, OUTSIDE, SERVER);
    if (pause > 10) scene.keepalive(10.01, OUTSIDE, SERVER, 1001, 1);
    for (let i = 0; i < 20; i++) scene.data(pause + i, SERVER, OUTSIDE, 1, 1 + i);
    resume?.(scene, pause + 21);
    return scene.nothing(pause + 40);
  };
  const atClient = (pause: number): Scene =>
    new Scene('a', CLIENT)
      .session(0, CLIENT, SERVER)
      .keepalive(10.01, CLIENT, SERVER, 1001, 1)
      .data(pause + 21, CLIENT, SERVER, 1001, 2)
      .data(pause + 21.01, SERVER, CLIENT, 1, 21)
      .nothing(pause + 40);
  const from = (address: string) => (scene: Scene, at: number) =>
    scene.data(at, address, SERVER, 1001, 2).data(at + 0.01, SERVER, address, 1, 21);

  test.each([
    ['back from another port', [atServer(30, from(OUTSIDE_LATER))], 'nat-mapping-expired error deduced'],
    ['back from the same port', [atServer(30, from(OUTSIDE))], 'nat-mapping-expired error suspected'],
    ['never back', [atServer(30, undefined)], 'nat-mapping-expired warning suspected'],
    ['its own capture was running', [atClient(30), atServer(30, from(OUTSIDE))], 'nat-mapping-expired error deduced'],
  ])('%s', (_name, scenes, wanted) => {
    expect(said(...scenes)).toContain(wanted);
  });

  test.each([
    ['no pause: it has simply gone', [atServer(1, undefined)]],
    ['no pause, back from the same port', [atServer(1, from(OUTSIDE))]],
    ['another network', [atServer(30, from('192.0.2.77:40001'))]],
    [
      'it answered the initiation: packets do arrive',
      [
        atServer(30, (scene, at) =>
          scene.initiation(at, SERVER, OUTSIDE, 7).response(at + 0.01, OUTSIDE, SERVER, 8, 7),
        ),
      ],
    ],
    [
      'persistent keepalives need no answer',
      [
        new Scene('b', SERVER)
          .session(0, OUTSIDE, SERVER)
          .keepalive(25, SERVER, OUTSIDE, 1, 1)
          .keepalive(50, SERVER, OUTSIDE, 1, 2)
          .nothing(90),
      ],
    ],
  ])('not: %s', (_name, scenes) => {
    expect(said(...scenes).filter((name) => name.startsWith('nat'))).toEqual([]);
  });

  test('not for the end that did not begin: its address is configured', () => {
    const scene = pings(new Scene('a', CLIENT).session(0, CLIENT, SERVER), 40, 62, 1, false).nothing(80);
    expect(said(scene)).toEqual([]);
  });
});

describe('peer-went-away', () => {
  const gone = (): Scene => {
    const scene = new Scene('b', SERVER).session(0, CLIENT, SERVER);
    for (let i = 0; i < 20; i++) scene.data(1 + i, SERVER, CLIENT, 1, 1 + i);
    return scene;
  };
  const initiations = (scene: Scene, at: number): Scene => {
    for (let i = 0; i < 5; i++) scene.initiation(at + i * 5.1, SERVER, CLIENT, 50 + i);
    return scene.nothing(at + 40);
  };

  test('data to a learned address stays unanswered to the end', () => {
    expect(said(gone().nothing(40))).toEqual(['peer-went-away info suspected']);
  });

  test('initiations alone show it too, and they are no failed rekey', () => {
    const scene = initiations(
      new Scene('b', SERVER).session(0, CLIENT, SERVER).keepalive(0.5, CLIENT, SERVER, 1001, 1),
      60,
    );
    expect(said(scene)).toEqual(['peer-went-away info suspected']);
  });

  test.each([
    [
      'the capture ends too soon',
      new Scene('b', SERVER).session(0, CLIENT, SERVER).data(1, SERVER, CLIENT, 1, 1).nothing(8),
    ],
    [
      'it was never heard: only one direction is captured',
      new Scene('b', SERVER).data(1, SERVER, CLIENT, 1, 1).data(30, SERVER, CLIENT, 1, 2).nothing(60),
    ],
    [
      'it answers with a keepalive after ten seconds',
      new Scene('b', SERVER)
        .session(0, CLIENT, SERVER)
        .data(1, SERVER, CLIENT, 1, 1)
        .keepalive(11.02, CLIENT, SERVER, 1001, 1)
        .nothing(60),
    ],
    [
      'without times',
      (() => {
        const scene = new Scene('b', SERVER, false).session(0, CLIENT, SERVER);
        for (let i = 0; i < 20; i++) scene.data(1, SERVER, CLIENT, 1, 1 + i);
        return scene;
      })(),
    ],
  ])('not: %s', (_name, scene) => {
    expect(said(scene)).toEqual([]);
  });

  test('not when its own capture shows that it lives', () => {
    const own = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
    for (let i = 0; i < 20; i++) own.data(1 + i, CLIENT, SERVER, 1001, 1 + i);
    expect(said(own.nothing(40), gone().nothing(40)).filter((name) => name.startsWith('peer'))).toEqual([]);
  });
});

describe('peer-restarted', () => {
  interface Story {
    readonly age?: number;
    readonly silence?: number;
    readonly answer?: number;
    readonly refused?: boolean;
    readonly initiations?: number;
    readonly both?: boolean;
    readonly works?: boolean;
  }
  const story = ({
    age = 10,
    silence = 15.2,
    answer = 0.01,
    refused = false,
    initiations = 1,
    both = true,
    works = true,
  }: Story): Scene => {
    const scene = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
    if (both) pings(scene, age - 3, age, 1);
    for (let s = 0; s < silence; s++) scene.data(age + s, CLIENT, SERVER, 1001, 10 + s);
    if (refused) scene.icmp(age + 0.1, '198.51.100.10', 'port-unreachable', CLIENT, SERVER);
    for (let i = 0; i < initiations; i++) scene.initiation(age + silence + i * 5.1, CLIENT, SERVER, 20 + i);
    const at = age + silence + (initiations - 1) * 5.1 + answer;
    scene.response(at, SERVER, CLIENT, 30, 20 + initiations - 1).data(at + 0.01, CLIENT, SERVER, 30, 0);
    if (works) scene.data(at + 0.02, SERVER, CLIENT, 20 + initiations - 1, 0);
    return scene.nothing(at + 30);
  };

  test.each([
    ['data unanswered, then the first initiation is answered at once', story({}), ['peer-restarted warning suspected']],
    ['and “port unreachable” came from there', story({ refused: true }), ['peer-restarted warning deduced']],
    ['the path was down: only the third try is answered', story({ initiations: 3 }), []],
    ['answered late', story({ answer: 3 }), []],
    ['the session had run out', story({ age: 170 }), []],
    ['a single lost packet', story({ silence: 0.5 }), []],
    ['the new session brings nothing back either', story({ works: false }), []],
  ])('%s', (_name, scene, wanted) => {
    expect(said(scene)).toEqual(wanted);
  });
});

describe('icmp-unreachable', () => {
  const refused = (began: string, asked: string, alive = false): Scene => {
    const asks = asked === SERVER ? CLIENT : SERVER;
    const scene = new Scene('a', asks).session(0, began, began === SERVER ? CLIENT : SERVER);
    for (const [i, at] of [30, 35.2, 40.4].entries())
      scene.initiation(at, asks, asked, 20 + i).refused(at + 3, '192.0.2.1', 'host-unreachable', asks, asked, 20 + i);
    if (alive) scene.data(45, asked, asks, asked === began ? 1001 : 1, 5);
    return scene.nothing(60);
  };

  test.each([
    ['an end that answered before', refused(CLIENT, SERVER), 'error', /the Endpoint address is stale/],
    ['one that only ever began itself', refused(CLIENT, CLIENT), 'info', /it may simply be off$/],
    [
      'the same, but it still sends from there',
      refused(CLIENT, CLIENT, true),
      'error',
      /the Endpoint address is stale/,
    ],
  ])('%s', (_name, scene, severity, message) => {
    expect(judge([icmpUnreachable, ...RULES], scene)[0]).toMatchObject({
      rule: { name: 'icmp-unreachable' },
      severity,
      message: expect.stringMatching(message),
    });
  });

  test('initiations of the other end that nobody answers stand beside it, and first', () => {
    const scene = new Scene('a', SERVER).session(0, CLIENT, SERVER).session(20, SERVER, CLIENT, 2);
    for (const [i, at] of [140, 145.2, 150.4].entries()) {
      scene
        .initiation(at, SERVER, CLIENT, 20 + i)
        .refused(at + 1, '192.0.2.1', 'host-unreachable', SERVER, CLIENT, 20 + i);
      scene.initiation(at + 4, CLIENT, SERVER, 30 + i);
    }
    expect(short(judge([icmpUnreachable, responderSilent], scene.nothing(170)))).toEqual([
      'responder-silent error suspected',
      'icmp-unreachable error proven',
    ]);
  });

  test('nobody configured a learned address: nothing to correct', () => {
    const [finding] = judge([icmpUnreachable], refused(CLIENT, CLIENT));
    expect(JSON.stringify([finding?.fix, finding?.notes])).not.toMatch(/dig|stale|look there/);
  });
});

describe('rekey-failed', () => {
  const failing = (who: readonly [string, string], after: number, end = 60): Scene => {
    const scene = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
    pings(scene, 1, 6, 1);
    for (let i = 0; i < 8; i++) scene.initiation(after + i * 5.1, who[0], who[1], 60 + i);
    return scene.nothing(after + end);
  };

  test('a session worked, the later initiations do not', () => {
    const [finding] = judge(RULES, failing([CLIENT, SERVER], 122));
    expect(finding).toMatchObject({ rule: { name: 'rekey-failed' }, severity: 'error', certainty: 'deduced' });
    expect(finding?.facts).toMatchObject({
      initiations: 8,
      sessionBegan: '2023-11-14 22:13:20 UTC',
      sessionExpires: '2023-11-14 22:16:20 UTC',
    });
  });

  test.each([
    ['the other end never answered an initiation', failing([SERVER, CLIENT], 122), ['peer-went-away info suspected']],
    [
      'the capture ends at once',
      new Scene('a', CLIENT).session(0, CLIENT, SERVER).initiation(122, CLIENT, SERVER, 60).nothing(124),
      [],
    ],
    ['traffic goes on', failing([CLIENT, SERVER], 122).data(170, SERVER, CLIENT, 1, 99).nothing(190), []],
    ['a later one succeeds', failing([CLIENT, SERVER], 122).session(190, CLIENT, SERVER, 80), []],
  ])('not: %s', (_name, scene, wanted) => {
    expect(said(scene).filter((name) => !name.startsWith('packet-loss'))).toEqual(wanted);
  });
});

describe('endpoint-roamed', () => {
  const moved = (follows: boolean): Scene =>
    new Scene('b', SERVER)
      .session(0, OUTSIDE, SERVER)
      .data(2, OUTSIDE_LATER, SERVER, 1001, 1)
      .data(2.01, SERVER, follows ? OUTSIDE_LATER : OUTSIDE, 1, 1)
      .nothing(5);

  test('the replies follow', () => {
    const [finding, ...more] = judge(RULES, moved(true));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'info',
      certainty: 'proven',
      facts: { from: OUTSIDE, to: OUTSIDE_LATER, counter: 1 },
    });
  });

  test('not while they do not: anyone can copy a packet', () => {
    expect(said(moved(false))).toEqual([]);
  });
});

describe('packets that the receiver drops', () => {
  test('the same counter later is a repetition, at the receiver', () => {
    const scene = new Scene('b', SERVER)
      .session(0, CLIENT, SERVER)
      .data(1, CLIENT, SERVER, 1001, 1)
      .data(4, CLIENT, SERVER, 1001, 1);
    expect(said(scene)).toEqual(['packet-replayed info proven']);
  });

  test('at the sender it is a copy that the capture made', () => {
    const scene = new Scene('a', CLIENT)
      .session(0, CLIENT, SERVER)
      .data(1, CLIENT, SERVER, 1001, 1)
      .data(4, CLIENT, SERVER, 1001, 1);
    expect(said(scene)).toEqual([]);
  });

  test('far behind the window', () => {
    const scene = new Scene('b', SERVER)
      .session(0, CLIENT, SERVER)
      .data(1, CLIENT, SERVER, 1001, 9000)
      .data(2, CLIENT, SERVER, 1001, 3);
    expect(said(scene)).toContain('packet-too-old info proven');
  });

  test.each([
    [178, []],
    [190, ['data-after-expiry warning proven']],
  ])('data %d s after the handshake', (age, wanted) => {
    const scene = new Scene('b', SERVER).session(0, CLIENT, SERVER).data(age, CLIENT, SERVER, 1001, 1);
    expect(said(scene)).toEqual(wanted);
  });

  test('both ends go on in a session: it was the clock of the capture that went ahead', () => {
    const scene = pings(new Scene('b', SERVER).session(0, CLIENT, SERVER), 1, 60, 1);
    const found = judge(RULES, pings(scene, 3660, 3680, 60));
    expect(short(found)).toEqual(['data-after-expiry info suspected']);
    expect(found[0]?.message).toMatch(/^session 0x\w+ seems to go on 3679(\.\d)? s after/);
    // with a gap it may be another beginning
    const gap = pings(new Scene('b', SERVER).session(0, CLIENT, SERVER), 1, 60, 1);
    expect(said(pings(gap, 3660, 3680, 90))).toContain('data-after-expiry warning proven');
  });

  test('the clock of the capture went back: how long packets were missing is unknown', () => {
    const scene = pings(new Scene('b', SERVER).session(1000, CLIENT, SERVER), 1001, 1100, 1);
    expect(said(pings(scene, 500, 560, 160))).not.toContain('packet-loss warning proven');
  });

  test.each([
    [1, 9, 'packet-unsealable warning proven'],
    [9, 1, 'packet-unsealable error proven'],
  ])('%d fail and %d open', (failed, opened, wanted) => {
    const timeline = new Scene('b', SERVER).session(0, CLIENT, SERVER).finish();
    const half = timeline.sessions[0]?.toResponder;
    if (half === undefined) throw new Error('no session');
    Object.assign(half, { unsealableCount: failed, opened });
    const world = buildWorld([timeline], new KeySet(nodeCrypto), new Map());
    const [view] = world.tunnels[0]?.sessions ?? [];
    const tunnel = world.tunnels[0];
    if (view === undefined || tunnel === undefined) throw new Error('no tunnel');
    const found = packetUnsealable.check({ view, tunnel }, world);
    const [one] = Array.isArray(found) ? found : [];
    expect(`packet-unsealable ${one?.severity ?? packetUnsealable.severity} ${one?.certainty}`).toBe(wanted);
  });
});

describe.skipIf(SHARED_ABSENT)('real captures', () => {
  const MINE = new Set(RULES.map(({ name }) => name));
  const read = async (name: string, sides: readonly string[]): Promise<string[]> => {
    const captures: Record<string, Uint8Array> = {};
    for (const side of sides) {
      const file = shared(`captures/lab/${name}/${side}.pcap`);
      if (existsSync(file)) captures[`${side}.pcap`] = readFileSync(file);
    }
    return short((await findingsOf(RULES, { captures })).filter(({ rule }) => MINE.has(rule.name)));
  };

  test.each([
    ['mtu-blackhole', ['client', 'server'], ['mtu-blackhole error proven']],
    ['mtu-blackhole', ['server'], ['packet-loss info suspected']],
    ['mtu-blackhole', ['client'], []],
    ['nat-expired-silent', ['client', 'server'], ['nat-mapping-expired error deduced']],
    ['nat-expired-silent', ['server'], ['nat-mapping-expired error suspected']],
    ['roaming', ['server'], ['endpoint-roamed info proven']],
    ['roaming', ['client'], []],
    ['rekey-after-120', ['client', 'server'], []],
    ['kernel-clock-reset', ['client', 'server'], []],
    ['any-interface-on-nat-router', ['client'], []],
    ['healthy', ['client', 'server'], []],
    ['healthy-psk-nat', ['client', 'server'], []],
    ['idle-peers-on-server', ['client', 'server'], []],
    ['server-initiates', ['client', 'server'], []],
  ])('%s %j', async (name, sides, wanted) => {
    expect(await read(name, sides)).toEqual(wanted);
  });
});
