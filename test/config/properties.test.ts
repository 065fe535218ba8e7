/** What holds for every text: no parser throws, what is written is read back, and no problem repeats a secret. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp, formatPrefix, type Prefix } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { parseKeyLog } from '../../src/config/key-log.ts';
import { parsePublicKeyArgument } from '../../src/config/public-key-argument.ts';
import { parseTrafficKeys } from '../../src/config/traffic-keys.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { anyText } from '../any-text.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const ip = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
const prefix: fc.Arbitrary<Prefix> = ip.chain((bytes) =>
  fc.record({ ip: fc.constant(bytes), bits: fc.integer({ min: 0, max: bytes.length * 8 }) }),
);
const port = fc.integer({ min: 1, max: 65535 });

/** Text made of the words of the formats, so that it gets past the first check. */
const words = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '[Interface]',
        '[Peer]',
        '[',
        ']',
        '=',
        '\n',
        '\r\n',
        ' ',
        '#',
        ',',
        ':',
        '/',
        '0x1',
        'PrivateKey',
        'PublicKey',
        'PresharedKey',
        'AllowedIPs',
        'Address',
        'Endpoint',
        'MTU',
        'DNS',
        'PostUp',
        'Table',
        'off',
        '10.0.0.1',
        '::1',
        '[::1]:5',
        '99999',
        'LOCAL_EPHEMERAL_PRIVATE_KEY',
        'PRESHARED_KEY',
        'Name',
        '\ufeff',
        '\u00a0',
        'YDCttCs9e1J52/g9vEnwJJa+2x6RqaayAYMpSVQfGEY=',
      ),
      anyText({ maxLength: 6 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

test('no text makes a parser throw, and every place is in the text', () => {
  fc.assert(
    fc.property(fc.oneof(words, anyText()), (text) => {
      const rows = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
      const argument = parsePublicKeyArgument(text);
      const problems = [
        ...parseWgConf(text).problems,
        ...parseKeyLog(text).problems,
        ...parseTrafficKeys(text).problems,
        ...(argument.ok ? [] : [argument.error]),
      ];
      for (const { line, column } of problems) {
        if (line === undefined) continue;
        expect(line).toBeLessThanOrEqual(rows.length);
        expect(column).toBeGreaterThan(0);
        expect(column).toBeLessThanOrEqual((rows[line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 500 },
  );
});

describe('a written configuration is read back', () => {
  const peer = fc.record(
    {
      publicKey: key,
      presharedKey: key,
      allowedIps: fc.array(prefix, { maxLength: 4 }),
      endpoint: fc.record({ ip, port }),
      keepalive: fc.integer({ min: 0, max: 65535 }),
      comment: fc
        .stringMatching(/^[a-z][a-z .-]{0,10}[a-z]$/)
        .filter((s) => !/^(friendly|name|client|peer|user|device|description)/.test(s)),
    },
    { requiredKeys: ['publicKey', 'allowedIps'] },
  );
  const conf = fc.record(
    {
      privateKey: key,
      listenPort: fc.integer({ min: 0, max: 65535 }),
      addresses: fc.array(prefix, { maxLength: 3 }),
      dns: fc.array(ip, { maxLength: 2 }),
      mtu: fc.integer({ min: 68, max: 65535 }),
      fwMark: fc.integer({ min: 0, max: 0xffffffff }),
      peers: fc.array(peer, { maxLength: 4 }),
    },
    { requiredKeys: ['addresses', 'dns', 'peers'] },
  );
  /** Spelling that must not matter. */
  const style = fc.record({
    equals: fc.constantFrom('=', ' = ', '\t=\t'),
    end: fc.constantFrom('\n', '\r\n', ' \n', ' # note = 1\n'),
    comma: fc.constantFrom(',', ', ', ' ,\t'),
    shout: fc.boolean(),
  });

  test('with every value', () => {
    fc.assert(
      fc.property(conf, style, (wanted, { equals, end, comma, shout }) => {
        const rows: string[] = ['[Interface]'];
        const put = (name: string, value: string | number | undefined): void => {
          if (value !== undefined && value !== '') rows.push(`${shout ? name.toUpperCase() : name}${equals}${value}`);
        };
        const base64 = (bytes: Uint8Array | undefined): string | undefined => bytes && toBase64(bytes);
        put('PrivateKey', base64(wanted.privateKey));
        put('ListenPort', wanted.listenPort);
        put('Address', wanted.addresses.map(formatPrefix).join(comma));
        put('DNS', wanted.dns.map(formatIp).join(comma));
        put('MTU', wanted.mtu);
        put('FwMark', wanted.fwMark === undefined ? undefined : `0x${wanted.fwMark.toString(16)}`);
        for (const p of wanted.peers) {
          rows.push('[Peer]');
          if (p.comment !== undefined) rows.push(`# ${p.comment}`);
          put('PublicKey', base64(p.publicKey));
          put('PresharedKey', base64(p.presharedKey));
          for (const allowed of p.allowedIps) put('AllowedIPs', formatPrefix(allowed));
          const host = p.endpoint && formatIp(p.endpoint.ip);
          put(
            'Endpoint',
            p.endpoint && (p.endpoint.ip.length === 16 ? `[${host}]:${p.endpoint.port}` : `${host}:${p.endpoint.port}`),
          );
          put('PersistentKeepalive', p.keepalive);
        }
        const read = parseWgConf(rows.map((row) => (row.startsWith('#') ? `${row}\n` : row + end)).join(''));
        expect(read.problems).toEqual([]);
        const found = read.conf.interface;
        expect([found.privateKey?.value, found.listenPort?.value, found.mtu?.value, found.fwMark?.value]).toEqual([
          wanted.privateKey,
          wanted.listenPort,
          wanted.mtu,
          wanted.fwMark,
        ]);
        expect(found.addresses.map((a) => a.value)).toEqual(wanted.addresses);
        expect(found.dns.map((d) => d.value)).toEqual(wanted.dns);
        expect(
          read.conf.peers.map((p) => [
            p.publicKey?.value,
            p.presharedKey?.value,
            p.allowedIps.map((a) => a.value),
            p.endpoint?.value.ip,
            p.endpoint?.value.port,
            p.persistentKeepalive?.value,
            p.comment,
          ]),
        ).toEqual(
          wanted.peers.map((p) => [
            p.publicKey,
            p.presharedKey,
            p.allowedIps,
            p.endpoint?.ip,
            p.endpoint?.port,
            p.keepalive,
            p.comment,
          ]),
        );
      }),
    );
  });
});

describe('no problem repeats a secret', () => {
  const RUN = 8;
  /** One edit of a text, as hands and programs make them. */
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    drop: fc.integer({ min: 0, max: 3 }),
    put: fc.constantFrom(
      '',
      ' ',
      '\n',
      '=',
      '\n=',
      ' = ',
      '#',
      '"',
      '.',
      ':',
      '/',
      ',',
      '-',
      '\u00a0',
      'x',
      '0',
      '[',
      ']',
      '\n[',
      '\r',
      '\t',
      'PublicKey = ',
    ),
  });
  const damage = (text: string, edits: readonly { at: number; drop: number; put: string }[]): string => {
    let out = text;
    for (const { at, drop, put } of edits) {
      const place = Math.floor(at * out.length);
      out = out.slice(0, place) + put + out.slice(place + drop);
    }
    return out;
  };
  /** Keys of random bytes, and keys that look like numbers, addresses and names. */
  const secret = fc.oneof(
    key.map(toBase64),
    fc.string({ unit: fc.constantFrom(...'0123456789/'), minLength: 42, maxLength: 42 }).map((s) => `${s}8=`),
    fc.string({ unit: fc.constantFrom(...'abcdef0123456789'), minLength: 42, maxLength: 42 }).map((s) => `${s}8=`),
    fc
      .constantFrom('ListenPort', 'AllowedIPs', 'MTU')
      .chain((word) => key.map((bytes) => `${word}${toBase64(bytes).slice(word.length)}`)),
  );
  const setting = fc.constantFrom(
    '',
    'PrivateKey = ',
    'PresharedKey=',
    'PrivateKey ',
    'PrivatKey = ',
    'PublicKey = ',
    'Endpoint = ',
    'Endpoint = 1.2.3.4:',
    'AllowedIPs = ',
    'Address = 10.0.0.1/24, ',
    'ListenPort = ',
    'MTU = ',
    'DNS = ',
    'SaveConfig = ',
    'PersistentKeepalive = ',
    'FwMark = 0x',
    '[',
    '# Name = ',
    '; ',
    'LOCAL_STATIC_PRIVATE_KEY = ',
    'PRESHARED_KEY=',
    '0x',
    '0x12345678 ',
    'LOCAL_STATIC_KEY=',
  );

  test('whatever happens to it', () => {
    fc.assert(
      fc.property(
        secret,
        fc.array(edit, { maxLength: 3 }),
        fc.array(setting, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(
          '',
          '[Interface]\n',
          '[Peer]\n',
          '[Peer]\nPublicKey = YDCttCs9e1J52/g9vEnwJJa+2x6RqaayAYMpSVQfGEY=\n',
        ),
        fc.array(edit, { maxLength: 1 }),
        (hidden, edits, settings, head, later) => {
          const damaged = damage(hidden, edits);
          const text = damage(head + settings.map((name) => `${name}${damaged}\n`).join(''), later);
          const argument = parsePublicKeyArgument(damaged);
          const said = JSON.stringify([
            parseWgConf(text).problems,
            parseWgConf(text).conf.faults.map((f) => ({ ...f, first: 0, second: 0 })),
            parseKeyLog(text).problems,
            parseTrafficKeys(text).problems,
            argument.ok ? [] : argument.error,
          ]);
          // A word of ours inside the secret is no leak.
          const runs = Array.from({ length: 44 - RUN }, (_, i) => hidden.slice(i, i + RUN)).filter(
            (run) => !'ListenPort AllowedIPs MTU'.includes(run),
          );
          expect(runs.filter((run) => said.includes(run))).toEqual([]);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
