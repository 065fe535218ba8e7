/** Key logs: Wireshark's own files, the binding of PSKs, and what people get wrong. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { presharedKey, privateKey, publicKey } from '../../src/base/keys.ts';
import { formatKeyLog, type KeyLog, parseKeyLog } from '../../src/config/key-log.ts';

const PUBLIC = fileURLToPath(new URL('../../../shared/captures/public/', import.meta.url));
const A = 'sLGLJSOQfyz7JNJ5ZDzFf3Uz1rkiCMMjbWerNYcPFFU=';
const B = 'ULv83D+y3vA0t2mgmTmWz++lpVsrP7i4wNaUEK2oX0E=';
const P = 'iIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIg=';
const Q = '//////////////////////////////////////////8=';

const text = (located: { readonly value: Uint8Array } | undefined): string | undefined =>
  located && toBase64(located.value);
const pairs = (log: KeyLog): (string | undefined)[][] => log.ephemerals.map((e) => [text(e.key), text(e.psk)]);

describe.skipIf(!existsSync(PUBLIC))('the key logs of Wireshark’s tests', () => {
  const load = (name: string): ReturnType<typeof parseKeyLog> =>
    parseKeyLog(readFileSync(`${PUBLIC}${name}.keys`, 'utf8'));

  test.each([
    ['full_initiator', 1, 1, 2, 0],
    ['full_responder', 1, 1, 2, 0],
    ['initiation_ephemeral_only', 0, 0, 2, 0],
    ['psk_initiator', 1, 1, 2, 2],
    ['psk_responder', 1, 1, 4, 4],
  ])(
    '%s has %d static, %d remote, %d ephemeral keys and %d PSKs, all bound',
    (name, statics, remotes, ephemerals, psks) => {
      const { keyLog, problems } = load(name);
      expect(problems).toEqual([]);
      expect([keyLog.statics.length, keyLog.remotes.length, keyLog.ephemerals.length, keyLog.psks.length]).toEqual([
        statics,
        remotes,
        ephemerals,
        psks,
      ]);
      expect(keyLog.psks.every((psk) => psk.boundTo !== undefined)).toBe(true);
      expect(keyLog.otherLines).toBe(0);
    },
  );

  test('psk_responder: one ephemeral on two lines has two PSKs to try', () => {
    const { keyLog } = load('psk_responder');
    const mine = pairs(keyLog).filter(([key]) => key === '8G1N3LnEqYC7+NW/b6mqceVUIGBMAZSm+IpwG1U0j0w=');
    expect(mine.map(([, psk]) => psk)).toEqual(['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxw=', Q]);
  });

  test('psk_wrong_order: neither ephemeral gets its own PSK, as Wireshark expects', () => {
    const { keyLog, problems } = load('psk_wrong_order');
    const own = new Map(
      pairs(load('psk_responder').keyLog)
        .filter(([, psk]) => psk === P || psk === Q)
        .map(([key, psk]) => [key, psk]),
    );
    expect(pairs(keyLog)).toEqual([
      ['8G1N3LnEqYC7+NW/b6mqceVUIGBMAZSm+IpwG1U0j0w=', undefined],
      ['+MHo9sfkjPsjCx7lbVhRLDvMxYvTirOQFDSdzAW6kUQ=', Q],
    ]);
    for (const [key, psk] of pairs(keyLog)) expect(own.get(key)).not.toBe(psk);
    expect(keyLog.psks.map((psk) => psk.boundTo)).toEqual([1, undefined]);
    expect(problems).toMatchObject([{ line: 6, column: 15 }]);
  });
});

describe('lines', () => {
  test.each<[string, string]>([
    ['plain', `LOCAL_EPHEMERAL_PRIVATE_KEY=${A}\nPRESHARED_KEY=${P}\n`],
    ['indented, with spaces', `  LOCAL_EPHEMERAL_PRIVATE_KEY = ${A}\n  PRESHARED_KEY = ${P}`],
    ['CR LF, tabs, spaces after', `\tLOCAL_EPHEMERAL_PRIVATE_KEY\t=\t${A} \r\n PRESHARED_KEY= ${P}\r\n`],
    ['comments and empty lines', `# x\n\nLOCAL_EPHEMERAL_PRIVATE_KEY=${A}\n\n# y\nPRESHARED_KEY=${P}`],
    ['other lines between', `New handshake session:\nLOCAL_EPHEMERAL_PRIVATE_KEY=${A}\nnoise\nPRESHARED_KEY=${P}`],
  ])('%s', (_, log) => {
    const { keyLog, problems } = parseKeyLog(log);
    expect(problems).toEqual([]);
    expect(pairs(keyLog)).toEqual([[A, P]]);
  });

  test('places, and no secret kept as text', () => {
    const { keyLog } = parseKeyLog(`\n  LOCAL_STATIC_PRIVATE_KEY = ${A}\nREMOTE_STATIC_PUBLIC_KEY=${B}\nx = 1\n<y>\n`);
    expect(keyLog.statics[0]).toMatchObject({ line: 2, column: 30 });
    expect(keyLog.statics[0]).not.toHaveProperty('raw');
    expect(keyLog.remotes[0]).toMatchObject({ line: 3, column: 26, raw: B });
    expect(keyLog.otherLines).toBe(2);
  });

  test('trailing bits are taken, as Wireshark takes them', () => {
    const { keyLog, problems } = parseKeyLog(
      `PRESHARED_KEY=${P.slice(0, 42)}h=\nLOCAL_STATIC_PRIVATE_KEY=${P.slice(0, 42)}h=`,
    );
    expect(text(keyLog.statics[0])).toBe(P);
    expect(problems).toHaveLength(1);
  });
});

describe('problems', () => {
  const said = (log: string): unknown[] => parseKeyLog(log).problems.map((p) => [p.line, p.column, p.message, p.hint]);
  test.each<[string, string, unknown[]]>([
    [
      'a PSK first',
      `PRESHARED_KEY=${P}\nLOCAL_EPHEMERAL_PRIVATE_KEY=${A}`,
      [
        [
          1,
          15,
          'this PRESHARED_KEY has no LOCAL_EPHEMERAL_PRIVATE_KEY before it, so it belongs to no handshake',
          'put it right after the ephemeral key of its handshake',
        ],
      ],
    ],
    [
      'two PSKs',
      `LOCAL_EPHEMERAL_PRIVATE_KEY=${A}\nPRESHARED_KEY=${P}\n PRESHARED_KEY=${Q}`,
      [
        [
          3,
          16,
          'this PRESHARED_KEY follows another one, so it belongs to no handshake',
          'repeat the LOCAL_EPHEMERAL_PRIVATE_KEY line above it, or check the order of the lines',
        ],
      ],
    ],
    [
      'a short key',
      `PRESHARED_KEY = ${P.slice(0, 30)}`,
      [[1, 47, 'PRESHARED_KEY has 30 characters, a key has 44', 'part of the key is missing; copy all 44 characters']],
    ],
    [
      'no key',
      'LOCAL_STATIC_PRIVATE_KEY=',
      [[1, 26, 'LOCAL_STATIC_PRIVATE_KEY has no value', 'a key is 44 characters of base64']],
    ],
    [
      'two keys on a line',
      `PRESHARED_KEY = ${P} ${Q}`,
      [
        [
          1,
          61,
          'PRESHARED_KEY contains a character that base64 does not have',
          'copy the key again from where it was made',
        ],
      ],
    ],
    [
      'lower case',
      `preshared_key = ${P}`,
      [[1, 1, 'this is not the name of a key log line', 'did you mean PRESHARED_KEY']],
    ],
    [
      'a slip',
      `LOCAL_EPHEMERAL_PRIVAT_KEY = ${P}`,
      [[1, 1, 'this is not the name of a key log line', 'did you mean LOCAL_EPHEMERAL_PRIVATE_KEY']],
    ],
    [
      'a byte order mark',
      `\ufeffLOCAL_STATIC_PRIVATE_KEY=${A}`,
      [
        [
          1,
          1,
          'the file begins with a byte order mark, so Wireshark misses its first line',
          'save it as UTF-8 without a byte order mark',
        ],
      ],
    ],
  ])('%s', (_, log, wanted) => {
    expect(said(log)).toEqual(wanted);
  });

  test('a PSK after an unreadable ephemeral goes to none, not to the one before', () => {
    const { keyLog, problems } = parseKeyLog(
      `LOCAL_EPHEMERAL_PRIVATE_KEY=${A}\nLOCAL_EPHEMERAL_PRIVATE_KEY=${B.slice(1)}\nPRESHARED_KEY=${P}`,
    );
    expect(pairs(keyLog)).toEqual([[A, undefined]]);
    expect(keyLog.psks).toHaveLength(1);
    expect(problems).toHaveLength(1);
  });

  test('maxKeys ends the reading', () => {
    const { keyLog, problems } = parseKeyLog(`LOCAL_STATIC_PRIVATE_KEY=${A}\n`.repeat(10), { maxKeys: 4 });
    expect(keyLog.statics).toHaveLength(4);
    expect(problems).toEqual([
      { message: 'there are more than 4 keys of one kind; the rest was not read', line: 5, column: 26 },
    ]);
  });
});

test('what formatKeyLog writes is read back', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const log = fc.record({
    statics: fc.array(key.map(privateKey), { maxLength: 3 }),
    remotes: fc.array(key.map(publicKey), { maxLength: 3 }),
    ephemerals: fc.array(
      fc.record({ key: key.map(privateKey), psk: key.map(presharedKey) }, { requiredKeys: ['key'] }),
      { maxLength: 5 },
    ),
  });
  fc.assert(
    fc.property(log, (keys) => {
      const { keyLog, problems } = parseKeyLog(formatKeyLog(keys));
      expect(problems).toEqual([]);
      expect(keyLog.statics.map((k) => k.value)).toEqual(keys.statics);
      expect(keyLog.remotes.map((k) => k.value)).toEqual(keys.remotes);
      expect(keyLog.ephemerals.map((e) => [e.key.value, e.psk?.value])).toEqual(
        keys.ephemerals.map((e) => [e.key, e.psk]),
      );
    }),
  );
});
