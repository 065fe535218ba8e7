/** Keys in configurations: unreadable ones, look-alikes, one key in several peers; each text in the dialects it occurs in. */
import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { privateKey } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { checkTexts, editLines, judge, rows, sentence, type Texts, told } from './checked.ts';
import { CLIENT, FOURTH, fittingFiles, OTHER, PSK_A, SERVER, type TestPair } from './keys.ts';
import { quick, ros, show } from './texts.ts';

const fit = fittingFiles();
const CLIENT_CONF = fit['client.conf'] ?? '';
const SERVER_CONF = fit['server.conf'] ?? '';
function swap(key: string, at: number, to: string): string {
  return `${key.slice(0, at)}${to}${key.slice(at + 1)}`;
}
const short = (key: string): string => `${key.slice(0, 6)}…${key.slice(-4)}`;

/** Two characters that look like no others. */
const MISTYPED = [5, 20].reduce((key, at) => swap(key, at, key.charAt(at) === '+' ? '/' : '+'), SERVER.public);

/** A pair whose public key has such a character, not at its end. */
function pairWith(character: RegExp): TestPair & { readonly at: number } {
  for (let seed = 0; ; seed++) {
    const bytes = new Uint8Array(32).fill(0x5a);
    bytes[0] = seed & 0xff;
    bytes[1] = seed >> 8;
    const key = toBase64(nodeCrypto.publicKey(privateKey(bytes)));
    const at = key.slice(0, 42).search(character);
    if (at >= 0) return { secret: toBase64(bytes), public: key, at };
  }
}

const withKey = (text: string, from: string, to: string): string => text.replace(from, to);

describe('key-malformed', () => {
  const cut = SERVER.public.slice(0, 43);
  test.each<readonly [string, Texts, readonly string[]]>([
    [
      'the = at the end is missing, and the other file has the key',
      { 'client.conf': withKey(CLIENT_CONF, SERVER.public, cut), 'server.conf': SERVER_CONF },
      ['error proven key-malformed: the PublicKey at client.conf line 7 does not have the 44 characters of a key'],
    ],
    [
      'quotation marks',
      { 'client.conf': withKey(CLIENT_CONF, SERVER.public, `"${SERVER.public}"`) },
      ['error proven key-malformed: the PublicKey at client.conf line 7 stands in quotation marks'],
    ],
    [
      'hexadecimal',
      { 'client.conf': withKey(CLIENT_CONF, CLIENT.secret, '01'.repeat(32)) },
      ['error proven key-malformed: the PrivateKey at client.conf line 2 is written in hexadecimal, not in base64'],
    ],
    [
      'a no-break space within',
      {
        'client.conf': withKey(
          CLIENT_CONF,
          SERVER.public,
          `${SERVER.public.slice(0, 20)}\u00a0${SERVER.public.slice(20)}`,
        ),
      },
      [
        'error proven key-malformed: the PublicKey at client.conf line 7 contains a character that base64 does not have',
      ],
    ],
    [
      'bits beyond the 32 bytes',
      { 'client.conf': withKey(CLIENT_CONF, SERVER.public, `${'A'.repeat(42)}B=`) },
      [
        "error proven key-malformed: the PublicKey at client.conf line 7 ends with a character that no key has before its '='",
      ],
    ],
    [
      'a preshared key that was cut',
      { 'client.conf': withKey(CLIENT_CONF, 'Endpoint', `PresharedKey = ${PSK_A.slice(0, 30)}\nEndpoint`) },
      ['error proven key-malformed: the PresharedKey at client.conf line 8 does not have the 44 characters of a key'],
    ],
    [
      'RouterOS',
      {
        'router.rsc': ros(
          '/interface wireguard',
          'add listen-port=13231 name=wg1',
          '/interface wireguard peers',
          `add allowed-address=10.66.66.0/24 interface=wg1 public-key="${cut}"`,
        ),
      },
      ['error proven key-malformed: the PublicKey at router.rsc line 5 does not have the 44 characters of a key'],
    ],
  ])('%s', async (_, texts, wanted) => {
    expect(await told(texts)).toEqual(wanted);
  });

  test('the line as it should read, where one other end has this one as its peer', async () => {
    const texts = { 'client.conf': withKey(CLIENT_CONF, SERVER.public, cut), 'server.conf': SERVER_CONF };
    const [finding] = (await checkTexts(texts)).findings;
    expect(finding === undefined ? [] : editLines(finding)).toEqual([`a 7: PublicKey = ${SERVER.public}`]);
    expect(finding?.fix.linux?.[0]).toBe(`at client.conf line 7: PublicKey = ${SERVER.public}`);
  });

  test.each([
    ['a key that was taken out', withKey(CLIENT_CONF, CLIENT.secret, '(hidden)')],
    [
      'white space within, which wg takes',
      withKey(CLIENT_CONF, SERVER.public, `${SERVER.public.slice(0, 9)} ${SERVER.public.slice(9)}`),
    ],
  ])('nothing is said of %s', async (_, text) => {
    expect(await told({ 'client.conf': text })).toEqual([]);
  });

  test('an empty PrivateKey may have been taken out: information', async () => {
    expect(await told({ 'client.conf': withKey(CLIENT_CONF, CLIENT.secret, '') })).toEqual([
      'info proven key-malformed: the PrivateKey at client.conf line 2 has no value',
    ]);
  });

  test('wg show prints no malformed key: it is a problem of the text', async () => {
    const report = await checkTexts({ 'status.txt': show(SERVER.public, 51820, { key: CLIENT.public.slice(0, 40) }) });
    expect(report.findings).toEqual([]);
    expect(report.problems).toMatchObject([{ input: 'status.txt', line: 6, column: 7 }]);
  });
});

describe('key-confusable', () => {
  const ell = pairWith(/l/);
  const oh = pairWith(/O/);
  const lookAlike = swap(ell.public, ell.at, 'I');

  test('l and I: against the key of the other file, with the line mended', async () => {
    const server = quick(ell.secret, 'ListenPort = 51820', `[Peer] ${CLIENT.public}`, 'AllowedIPs = 10.66.66.2/32');
    const report = await checkTexts({
      'client.conf': withKey(CLIENT_CONF, SERVER.public, lookAlike),
      'server.conf': server,
    });
    expect(report.findings.map(sentence)).toEqual([
      `error deduced key-mismatch: client.conf line 7 has the key ${short(lookAlike)} where the key of server.conf is meant, which by server.conf line 2 is ${short(ell.public)} (one character differs)`,
      `warning deduced key-confusable: the PublicKey at client.conf line 7 is like that of server.conf [Interface], ${short(ell.public)}, but for characters that look alike (character ${ell.at + 1}: I for l)`,
    ]);
    for (const finding of report.findings) expect(editLines(finding)).toEqual([`a 7: PublicKey = ${ell.public}`]);
  });

  test('O and 0: against wg show of the other end', async () => {
    const wrong = swap(oh.public, oh.at, '0');
    expect(
      await told({
        'client.conf': withKey(CLIENT_CONF, SERVER.public, wrong),
        'status.txt': show(oh.public, 51820, { key: OTHER.public, allowed: '10.66.66.9/32' }),
      }),
    ).toEqual([
      `warning deduced key-confusable: the PublicKey at client.conf line 7 is like that of status.txt [Interface], ${short(oh.public)}, but for characters that look alike (character ${oh.at + 1}: 0 for O)`,
    ]);
  });

  test('RouterOS, against a wg-quick file', async () => {
    const router = ros(
      '/interface wireguard',
      'add listen-port=13231 name=wg1',
      '/interface wireguard peers',
      `add allowed-address=10.66.66.0/24 endpoint-address=203.0.113.10 endpoint-port=51820 interface=wg1 public-key="${lookAlike}"`,
    );
    const server = quick(ell.secret, 'ListenPort = 51820', `[Peer] ${CLIENT.public}`, 'AllowedIPs = 10.66.66.2/32');
    expect(await told({ 'router.rsc': router, 'server.conf': server })).toContainEqual(
      `warning deduced key-confusable: the PublicKey at router.rsc line 5 is like that of server.conf [Interface], ${short(ell.public)}, but for characters that look alike (character ${ell.at + 1}: I for l)`,
    );
  });

  test('two peers only: which of them is right is not shown, so nothing is to be mended', async () => {
    const text = quick(
      CLIENT.secret,
      `[Peer] ${ell.public}`,
      'AllowedIPs = 10.0.0.1/32',
      `[Peer] ${lookAlike}`,
      'AllowedIPs = 10.0.0.2/32',
    );
    const report = await checkTexts({ 'hub.conf': text });
    expect(report.findings.map(({ rule, certainty }) => [rule, certainty])).toEqual([['key-confusable', 'suspected']]);
    expect(report.findings.flatMap(editLines)).toEqual([]);
  });

  test.each([
    ['one that is like no known key', swap(SERVER.public, 3, SERVER.public.charAt(3) === 'x' ? 'y' : 'x')],
    ['the very key', SERVER.public],
  ])('near miss: %s', async (_, key) => {
    const said = await told({ 'client.conf': withKey(CLIENT_CONF, SERVER.public, key), 'server.conf': SERVER_CONF });
    expect(said.filter((line) => line.includes('key-confusable'))).toEqual([]);
  });
});

describe('peer-duplicate-key', () => {
  const twice = (first: string, second: string): string =>
    quick(
      SERVER.secret,
      'ListenPort = 51820',
      `[Peer] ${CLIENT.public}`,
      `AllowedIPs = ${first}`,
      `[Peer] ${CLIENT.public}`,
      `AllowedIPs = ${second}`,
    );

  test('the AllowedIPs of the first section are lost; the last one gets them all', async () => {
    const report = await checkTexts({ 'server.conf': twice('10.66.66.2/32', '192.168.88.0/24') });
    expect(report.findings.map(sentence)).toEqual([
      'warning proven peer-duplicate-key: server.conf has one PublicKey in 2 [Peer] sections (lines 5, 9): the AllowedIPs of the last replace the others, 10.66.66.2/32 is lost',
    ]);
    expect(report.findings.flatMap(editLines)).toEqual(['a 11: AllowedIPs = 192.168.88.0/24, 10.66.66.2/32']);
  });

  test('RouterOS', async () => {
    const peer = (allowed: string): string =>
      `add allowed-address=${allowed} interface=wg1 public-key="${CLIENT.public}"`;
    expect(
      await told({
        'router.rsc': ros(
          '/interface wireguard',
          'add name=wg1',
          '/interface wireguard peers',
          peer('10.1.0.2/32'),
          peer('10.2.0.0/24'),
        ),
      }),
    ).toEqual([
      'warning suspected peer-duplicate-key: router.rsc has one PublicKey in 2 [Peer] sections (lines 5, 6): the AllowedIPs of the last replace the others, 10.1.0.2/32 is lost',
    ]);
  });

  test('with the same AllowedIPs nothing is lost: information', async () => {
    expect(await told({ 'server.conf': twice('10.66.66.2/32', '10.66.66.2/32') })).toEqual([
      'info proven peer-duplicate-key: server.conf has one PublicKey in 2 [Peer] sections (lines 5, 9): it is one peer, and nothing is lost by it',
    ]);
  });

  test.each<readonly [string, Texts]>([
    [
      'two keys',
      {
        'server.conf': quick(
          SERVER.secret,
          `[Peer] ${CLIENT.public}`,
          'AllowedIPs = 10.0.0.2/32',
          `[Peer] ${OTHER.public}`,
          'AllowedIPs = 10.0.0.3/32',
        ),
      },
    ],
    [
      'one key on two interfaces of a router',
      {
        'router.rsc': ros(
          '/interface wireguard',
          'add listen-port=13231 name=wg1',
          'add listen-port=13232 name=wg2',
          '/interface wireguard peers',
          `add allowed-address=10.1.0.2/32 interface=wg1 public-key="${FOURTH.public}"`,
          `add allowed-address=10.2.0.2/32 interface=wg2 public-key="${FOURTH.public}"`,
        ),
      },
    ],
  ])('near miss: %s', async (_, texts) => {
    expect(await told(texts)).toEqual([]);
  });
});

describe('which file holds the key that would fit', () => {
  test.each(
    rows([
      [
        'a private key as a public one: derived from it',
        { 'client.conf': withKey(CLIENT_CONF, SERVER.public, SERVER.secret), 'server.conf': SERVER_CONF },
        [
          'error proven key-role-swap: the PublicKey at client.conf line 7 is a private key, that of server.conf line 2',
        ],
        [`a 7: PublicKey = ${SERVER.public}`],
      ],
      [
        'the own key as a peer: that of the one end that asks',
        { 'client.conf': withKey(CLIENT_CONF, SERVER.public, CLIENT.public), 'server.conf': SERVER_CONF },
        [
          'error proven key-role-swap: the PublicKey at client.conf line 7 is the own public key of this interface (client.conf line 2), not that of another end',
        ],
        [`a 7: PublicKey = ${SERVER.public}`],
      ],
      [
        'the own private key as a peer: nothing says which end is meant',
        { 'client.conf': withKey(CLIENT_CONF, SERVER.public, CLIENT.secret) },
        [
          'error proven key-role-swap: the PublicKey at client.conf line 7 is a private key, that of client.conf line 2',
        ],
      ],
      [
        'mistyped, and the other file does not have this end: the key alone tells',
        {
          'client.conf': withKey(CLIENT_CONF, SERVER.public, MISTYPED),
          'server.txt': show(SERVER.public, 51820, { key: OTHER.public, allowed: '10.66.66.9/32' }),
        },
        [
          `error deduced key-mismatch: client.conf line 7 has the key ${short(MISTYPED)} where the key of server.txt is meant, which by server.txt is ${short(SERVER.public)} (2 characters differ)`,
        ],
        [`a 7: PublicKey = ${SERVER.public}`],
      ],
    ]),
  )('%s', (_, texts, wanted, edits) => judge(texts, wanted, edits));

  test('five characters are another key', async () => {
    const far = [3, 9, 15, 21, 27].reduce(
      (key, at) => swap(key, at, key.charAt(at) === '+' ? '/' : '+'),
      SERVER.public,
    );
    const texts = {
      'client.conf': withKey(CLIENT_CONF, SERVER.public, far),
      'server.txt': show(SERVER.public, 51820, { key: OTHER.public, allowed: '10.66.66.9/32' }),
    };
    expect(await told(texts)).toEqual([]);
  });
});
