/** Rules on cookies: real cookie replies and MAC2s, each with one thing wrong, and near misses of each. */
import { expect, test } from 'vitest';
import { ask, cookieOf, giveCookie } from './handshakes.ts';
import { fittingFiles, OTHER } from './keys.ts';
import { type Brief, type Made, running, tell, tries } from './told.ts';
import { NAT_END, type Sent } from './traffic.ts';

const COOKIE = cookieOf(7);
const CLIENT_TEXT = '10.99.1.2:51821';
const SERVER_TEXT = '203.0.113.10:51820';
const files = { 'client.conf': fittingFiles()['client.conf'] ?? '' };

const atInitiator = (...packets: readonly Sent[]): Made => ({
  packets: [...packets, running(160)],
  files,
  at: 'initiator',
});

const [one, two, three] = tries(0, 1);
const withCookie = (cookie: Uint8Array): Sent[] => [ask(5.2, 2, { cookie }), ask(10.4, 3, { cookie })];
/** A retry every 5.2 s with this cookie, from the second initiation on. */
const retries = (count: number): Sent[] =>
  Array.from({ length: count }, (_, i) => ask((i + 1) * 5.2, 2 + i, { cookie: COOKIE }));

/** The other uplink of the client. */
const UPLINK = { ip: [192, 168, 8, 100], port: 51821 } as const;
const uplinks = ((): Sent[] => {
  const a = ask(0, 1);
  const b = ask(5.2, 2, { cookie: cookieOf(1), from: UPLINK });
  const c = ask(10.4, 3, { cookie: cookieOf(2) });
  const d = ask(15.6, 4, { cookie: cookieOf(3), from: UPLINK });
  return [a, b, c, d].flatMap((asked, i) => [asked, giveCookie(asked, cookieOf(i + 1))]);
})();

/** As the router in between sees them: with the inner address, then with the outer one, or the other way round. */
const outward = (sent: Sent): Sent[] => [sent, { ...sent, at: sent.at + 0.0002, from: NAT_END, ttl: 63 }];
const inward = (sent: Sent): Sent[] => [
  { ...sent, to: NAT_END, ttl: 60 },
  { ...sent, at: sent.at + 0.0002, ttl: 59 },
];
/** As they reach the server, from this port of the NAT. */
const natted = (sent: Sent, port: number): Sent => ({
  ...sent,
  at: sent.at + 0.01,
  from: { ip: NAT_END.ip, port },
  ttl: 60,
});

const throughNat = (ports: readonly [number, number, number]): Made => {
  const [a, ...more] = [one, ...withCookie(COOKIE)];
  const cookie = giveCookie(one, COOKIE);
  return {
    client: [one, { ...cookie, at: 0.04 }, ...more, running(30)],
    server: [
      ...[a, ...more].flatMap((sent, i) => (sent === undefined ? [] : [natted(sent, ports[i] ?? 0)])),
      { ...cookie, to: { ip: NAT_END.ip, port: ports[0] } },
      running(30),
    ],
    files,
  };
};

const FIRES: readonly (readonly [string, string, Made, Brief])[] = [
  [
    'cookie-ignored',
    'each retry goes without MAC2, though its sender got a cookie',
    atInitiator(...[one, two, three].flatMap((asked) => [asked, giveCookie(asked, COOKIE)])),
    {
      severity: 'error',
      certainty: 'proven',
      subject: 'handshake:0x00000001',
      frames: 'a2 a4 a6 a3 a5',
      facts: { from: CLIENT_TEXT, retries: 2 },
    },
  ],
  [
    'cookie-unsealable',
    'sealed by the owner of another key',
    atInitiator(one, giveCookie(one, COOKIE, { by: OTHER }), two, three),
    {
      severity: 'error',
      certainty: 'proven',
      subject: 'handshake:0x00000001',
      frames: 'a2 a1 a3 a4',
      facts: { from: SERVER_TEXT, cookies: 1 },
    },
  ],
  [
    'mac2-invalid',
    'made with another cookie than the one that came',
    atInitiator(one, giveCookie(one, COOKIE), ...withCookie(cookieOf(8))),
    {
      severity: 'error',
      certainty: 'proven',
      subject: 'handshake:0x00000001',
      frames: 'a2 a3 a4',
      facts: { from: CLIENT_TEXT, how: 'invalid', retries: 2 },
    },
  ],
  [
    'mac2-invalid',
    'two uplinks in turn, each with the cookie of the other',
    atInitiator(...uplinks),
    {
      severity: 'error',
      certainty: 'proven',
      subject: 'handshake:0x00000001',
      frames: 'a2 a6 a5',
      facts: { from: CLIENT_TEXT, how: 'other-address', retries: 1 },
    },
  ],
  [
    'mac2-invalid',
    'a NAT that gives each initiation another port, seen from both ends',
    throughNat([4001, 4002, 4003]),
    {
      severity: 'error',
      certainty: 'proven',
      subject: 'handshake:0x00000001',
      frames: 'a2 a3 b3 a4 b4',
      facts: { from: CLIENT_TEXT, how: 'other-address', retries: 2 },
    },
  ],
  [
    'mac2-invalid',
    'a cookie that is used for longer than two minutes',
    atInitiator(one, giveCookie(one, COOKIE), ...retries(25)),
    {
      severity: 'error',
      certainty: 'proven',
      subject: 'handshake:0x00000001',
      frames: 'a2 a26 a27',
      facts: { from: CLIENT_TEXT, how: 'expired', retries: 2 },
    },
  ],
  [
    'under-load-cookie',
    'only the second initiation got one: its index is the subject',
    atInitiator(one, two, giveCookie(two, COOKIE), ask(10.4, 3, { cookie: COOKIE })),
    {
      severity: 'warning',
      certainty: 'proven',
      subject: 'handshake:0x00000002',
      frames: 'a3 a4',
      facts: { cookies: 1, from: SERVER_TEXT, to: CLIENT_TEXT, passed: false, validRetries: 1 },
    },
  ],
];

test.each(FIRES)('%s: %s', async (rule, _name, made, wanted) => {
  expect((await tell(made)).finding(rule)).toEqual(wanted);
});

const ANY_COOKIE = 'warning proven under-load-cookie';

const QUIET: readonly (readonly [string, Made, readonly string[]])[] = [
  ['the retries carry the right MAC2', atInitiator(one, giveCookie(one, COOKIE), ...withCookie(COOKIE)), [ANY_COOKIE]],
  [
    'retries without MAC2 at the responder: the cookies may be lost on the way back',
    {
      ...atInitiator(...[one, two, three].flatMap((asked) => [asked, giveCookie(asked, COOKIE)])),
      at: 'responder',
    },
    [ANY_COOKIE],
  ],
  [
    'a cookie for an initiation that its sender had already replaced',
    atInitiator(one, two, giveCookie(one, COOKIE, { after: 5.3 }), three),
    [ANY_COOKIE],
  ],
  [
    'the kernel lets go of a cookie five seconds before its end',
    atInitiator(one, giveCookie(one, COOKIE), ...retries(22), ask(118, 90)),
    [ANY_COOKIE],
  ],
  ['the retry came before the cookie', atInitiator(one, two, giveCookie(two, COOKIE)), [ANY_COOKIE]],
  [
    'no key of the responder: neither cookie nor MAC2 can be checked',
    { ...atInitiator(one, giveCookie(one, COOKIE, { by: OTHER }), ...withCookie(cookieOf(8))), files: {} },
    [ANY_COOKIE, 'info proven key-missing'],
  ],
  [
    'both sides of a NAT in one capture: the cookie has two addresses',
    {
      packets: [
        ...outward(one),
        ...inward(giveCookie(one, COOKIE)),
        ...withCookie(COOKIE).flatMap(outward),
        running(30),
      ],
      files,
    },
    [ANY_COOKIE, 'info proven duplicate-frames'],
  ],
  ['a NAT that keeps the port, seen from both ends', throughNat([4001, 4001, 4001]), [ANY_COOKIE]],
];

test.each(QUIET)('no fault of cookies: %s', async (_name, made, wanted) => {
  const { lines, hidden } = await tell(made);
  expect(lines).toEqual(wanted);
  expect(hidden.filter((rule) => /^(?:cookie|mac2)-/.test(rule))).toEqual([]);
});
