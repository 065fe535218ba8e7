/** The control protocol: what a set asks for, what is refused and with which number, and that an answer says all there is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpoint, formatPrefix, maskIp, type Prefix } from '../../src/base/address.ts';
import { toHex } from '../../src/base/bytes.ts';
import { presharedKey, privateKey, publicKey } from '../../src/base/keys.ts';
import { formatUapiEnd, formatUapiSnapshot, type UapiChange, type UapiSnapshot } from '../../src/config/uapi.ts';
import { parseUapiRequest } from '../../src/config/uapi-request.ts';

const PEER = '11'.repeat(32);
const OTHER = '22'.repeat(32);
const SECRET = 'a8'.repeat(32);

function changesOf(...lines: readonly string[]): readonly UapiChange[] {
  const read = parseUapiRequest(['set=1', ...lines].join('\n'));
  return read.ok && read.value.kind === 'set' ? read.value.changes : expect.fail(JSON.stringify(read));
}

/** Bytes as text, so that a failure can be read. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner: unknown) => (inner instanceof Uint8Array ? toHex(inner) : inner)));

describe('a set', () => {
  test('nothing to do, a get, and lines that end with CR LF', () => {
    expect(changesOf()).toEqual([]);
    expect(parseUapiRequest('get=1\n')).toEqual({ ok: true, value: { kind: 'get' } });
    expect(parseUapiRequest('set=1\r\nfwmark=7\r\n')).toEqual({
      ok: true,
      value: { kind: 'set', changes: [{ kind: 'fwmark', fwmark: 7 }] },
    });
  });

  test('as wg setconf writes it', () => {
    const changes = changesOf(
      `private_key=${SECRET}`,
      'listen_port=51820',
      'fwmark=0',
      'replace_peers=true',
      `public_key=${PEER}`,
      `preshared_key=${'00'.repeat(32)}`,
      'endpoint=192.0.2.1:51820',
      'persistent_keepalive_interval=25',
      'replace_allowed_ips=true',
      'allowed_ip=10.1.2.3/8',
      'allowed_ip=fd00::/64',
      `public_key=${OTHER.toUpperCase()}`,
      'endpoint=[2001:db8::1]:1',
    );
    expect(plain(changes)).toEqual([
      { kind: 'private-key', privateKey: SECRET },
      { kind: 'listen-port', port: 51820 },
      { kind: 'fwmark', fwmark: 0 },
      { kind: 'replace-peers' },
      {
        kind: 'peer',
        publicKey: PEER,
        updateOnly: false,
        presharedKey: '00'.repeat(32),
        endpoint: { ip: 'c0000201', port: 51820, text: '192.0.2.1:51820' },
        persistentKeepalive: 25,
        replaceAllowedIps: true,
        allowedIps: [
          { prefix: { ip: '0a010203', bits: 8 }, remove: false },
          { prefix: { ip: `fd00${'0'.repeat(28)}`, bits: 64 }, remove: false },
        ],
      },
      {
        kind: 'peer',
        publicKey: OTHER,
        updateOnly: false,
        endpoint: { ip: '20010db8000000000000000000000001', port: 1, text: '[2001:db8::1]:1' },
        replaceAllowedIps: false,
        allowedIps: [],
      },
    ]);
  });

  test('a zero private key takes it away', () => {
    expect(changesOf(`private_key=${'00'.repeat(32)}`)).toEqual([{ kind: 'private-key', privateKey: undefined }]);
  });

  test('a peer that is removed is nothing else, wherever the line stands', () => {
    const changes = changesOf(`public_key=${PEER}`, 'update_only=true', 'remove=true', 'allowed_ip=10.0.0.0/8');
    expect(plain(changes)).toEqual([{ kind: 'remove-peer', publicKey: PEER }]);
  });

  test('allowed IPs: signs, their order, and replacing forgets the lines before it', () => {
    const [peer] = changesOf(
      `public_key=${PEER}`,
      'update_only=true',
      'protocol_version=1',
      'allowed_ip=10.9.0.0/16',
      'replace_allowed_ips=true',
      'allowed_ip=-10.0.0.0/8',
      'allowed_ip=+fd00::/8',
      'allowed_ip=10.0.0.0/8',
    );
    if (peer?.kind !== 'peer') return expect.fail('no peer');
    expect(peer.updateOnly).toBe(true);
    expect(peer.allowedIps.map(({ prefix, remove }) => [formatPrefix(prefix), remove])).toEqual([
      ['10.0.0.0/8', true],
      ['fd00::/8', false],
      ['10.0.0.0/8', false],
    ]);
  });

  test('the zone of a link-local endpoint, which wg writes, is taken off', () => {
    expect(changesOf(`public_key=${PEER}`, 'endpoint=[fe80::1%eth0]:5')).toMatchObject([
      { endpoint: { text: '[fe80::1]:5' } },
    ]);
  });
});

/** The codes are those that wireguard-go 0.0.20220316 answered to the same lines, unless the row says otherwise. */
const refused: readonly (readonly [lines: string, code: string, line: number, column: number, message: string])[] = [
  ['listen_port=x', 'EINVAL', 2, 13, 'listen_port is not a number from 0 to 65535'],
  ['listen_port=70000', 'EINVAL', 2, 13, 'listen_port is not a number from 0 to 65535'],
  ['listen_port=-1', 'EINVAL', 2, 13, 'listen_port is not a number from 0 to 65535'],
  ['listen_port=+1', 'EINVAL', 2, 13, 'listen_port is not a number from 0 to 65535'],
  ['listen_port= 5', 'EINVAL', 2, 13, 'listen_port is not a number from 0 to 65535'],
  ['fwmark=4294967296', 'EINVAL', 2, 8, 'fwmark is not a number from 0 to 4294967295'],
  ['nonsense', 'EPROTO', 2, 1, "there is no '=' on this line"],
  ['foo=1', 'EINVAL', 2, 1, 'this key is not known here'],
  ['=1', 'EINVAL', 2, 1, 'this key is not known here'],
  ['jc=4', 'EINVAL', 2, 1, 'this key is not known here'],
  ['private_key=00', 'EINVAL', 2, 13, 'private_key is not a key'],
  ['replace_peers=false', 'EINVAL', 2, 15, "replace_peers is not 'true'"],
  ['endpoint=1.2.3.4:5', 'EINVAL', 2, 1, 'endpoint stands before any public_key'],
  [`public_key=${PEER}1`, 'EINVAL', 2, 12, 'public_key is not a key'],
  [`public_key=${PEER}\nlisten_port=5`, 'EINVAL', 3, 1, 'listen_port stands after a public_key'],
  [`public_key=${PEER}\npreshared_key=`, 'EINVAL', 3, 15, 'preshared_key is not a key'],
  [`public_key=${PEER}\nendpoint=localhost:5`, 'EINVAL', 3, 10, 'endpoint is not an address and a port'],
  [`public_key=${PEER}\nendpoint=::1:5`, 'EINVAL', 3, 10, 'endpoint is not an address and a port'],
  // wireguard-go takes it.
  [`public_key=${PEER}\nendpoint=1.2.3.4:0`, 'EINVAL', 3, 10, 'endpoint has port 0, to which nothing can be sent'],
  [`public_key=${PEER}\nallowed_ip=10.0.0.1`, 'EINVAL', 3, 12, 'allowed_ip is not an address and a length'],
  [`public_key=${PEER}\nallowed_ip=10.0.0.0/33`, 'EINVAL', 3, 12, 'allowed_ip is not an address and a length'],
  [`public_key=${PEER}\nallowed_ip=--10.0.0.0/8`, 'EINVAL', 3, 12, 'allowed_ip is not an address and a length'],
  [`public_key=${PEER}\nprotocol_version=2`, 'EINVAL', 3, 18, 'protocol_version is not 1'],
  [
    `public_key=${PEER}\npersistent_keepalive_interval=65536`,
    'EINVAL',
    3,
    31,
    'persistent_keepalive_interval is not a number from 0 to 65535',
  ],
  [
    `public_key=${PEER}\npersistent_keepalive_interval=off`,
    'EINVAL',
    3,
    31,
    'persistent_keepalive_interval is not a number from 0 to 65535',
  ],
  [`public_key=${PEER}\nremove=false`, 'EINVAL', 3, 8, "remove is not 'true'"],
  [`public_key=${PEER}\nupdate_only=`, 'EINVAL', 3, 13, "update_only is not 'true'"],
  [`public_key=${PEER}\nreplace_allowed_ips=1`, 'EINVAL', 3, 21, "replace_allowed_ips is not 'true'"],
  [`public_key=${PEER}\nrx_bytes=5`, 'EINVAL', 3, 1, 'rx_bytes can be told but not set'],
];

test.each(refused)('refused: %j', (lines, code, line, column, message) => {
  const read = parseUapiRequest(`set=1\n${lines}\n`);
  expect(read).toMatchObject({ ok: false, error: { code, problems: [{ line, column, message }] } });
});

test.each([
  ['get=1\nfoo=1\n', 'EINVAL'],
  // To these wireguard-go hangs up without a word.
  ['', 'EPROTO'],
  ['hello', 'EPROTO'],
  ['get=2', 'EPROTO'],
  ['set=2\nfwmark=1', 'EPROTO'],
])('not a request: %j', (text, code) => {
  expect(parseUapiRequest(text)).toMatchObject({ ok: false, error: { code } });
});

test('all problems come at once, the first gives the code, and after a key that is none its lines are read too', () => {
  const text = `set=1\nlisten_port=x\nnonsense\npublic_key=no\nremove=no\npublic_key=${PEER}\nendpoint=\n`;
  const read = parseUapiRequest(text);
  expect(read).toMatchObject({ ok: false, error: { code: 'EINVAL' } });
  expect(read.ok ? [] : read.error.problems.map(({ line }) => line)).toEqual([2, 3, 4, 5, 7]);
});

describe('a get', () => {
  test('as wireguard-go orders it, with what is not there left out', () => {
    const peer = {
      publicKey: publicKey(new Uint8Array(32).fill(0x11)),
      presharedKey: undefined,
      endpoint: undefined,
      allowedIps: [],
      latestHandshake: undefined,
      receivedBytes: 0,
      sentBytes: 0,
      persistentKeepalive: 0,
    };
    const full = {
      ...peer,
      presharedKey: presharedKey(new Uint8Array(32).fill(0x51)),
      endpoint: endpoint(new Uint8Array([192, 0, 2, 1]), 51820),
      allowedIps: [{ ip: new Uint8Array([10, 0, 0, 0]), bits: 8 }],
      latestHandshake: { sec: 1_700_000_000, nsec: 5 },
      receivedBytes: 2 ** 40,
      sentBytes: 148,
      persistentKeepalive: 25,
    };
    expect(formatUapiSnapshot({ privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] })).toBe('');
    const secret = privateKey(new Uint8Array(32).fill(0xa8));
    expect(
      formatUapiSnapshot({ privateKey: secret, listenPort: 7, fwmark: 3, peers: [peer, full] }).split('\n'),
    ).toEqual([
      `private_key=${SECRET}`,
      'listen_port=7',
      'fwmark=3',
      `public_key=${PEER}`,
      `preshared_key=${'00'.repeat(32)}`,
      'protocol_version=1',
      'last_handshake_time_sec=0',
      'last_handshake_time_nsec=0',
      'tx_bytes=0',
      'rx_bytes=0',
      'persistent_keepalive_interval=0',
      `public_key=${PEER}`,
      `preshared_key=${'51'.repeat(32)}`,
      'protocol_version=1',
      'endpoint=192.0.2.1:51820',
      'last_handshake_time_sec=1700000000',
      'last_handshake_time_nsec=5',
      'tx_bytes=148',
      'rx_bytes=1099511627776',
      'persistent_keepalive_interval=25',
      'allowed_ip=10.0.0.0/8',
      '',
    ]);
    expect(formatUapiEnd(-22)).toBe('errno=-22\n\n');
  });
});

const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => bytes.some((byte) => byte !== 0));
const ip = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
const prefix: fc.Arbitrary<Prefix> = ip.chain((bytes) =>
  fc.integer({ min: 0, max: bytes.length * 8 }).map((bits) => ({ ip: maskIp(bytes, bits), bits })),
);
const snapshot: fc.Arbitrary<UapiSnapshot> = fc.record({
  privateKey: fc.option(key.map(privateKey), { nil: undefined }),
  listenPort: fc.integer({ min: 0, max: 65535 }),
  fwmark: fc.integer({ min: 0, max: 0xffff_ffff }),
  peers: fc.array(
    fc.record({
      publicKey: key.map(publicKey),
      presharedKey: fc.option(key.map(presharedKey), { nil: undefined }),
      endpoint: fc.option(
        fc.tuple(ip, fc.integer({ min: 1, max: 65535 })).map(([bytes, port]) => endpoint(bytes, port)),
        { nil: undefined },
      ),
      allowedIps: fc.array(prefix, { maxLength: 3 }),
      latestHandshake: fc.constant({ sec: 1, nsec: 2 }),
      receivedBytes: fc.nat(),
      sentBytes: fc.nat(),
      persistentKeepalive: fc.integer({ min: 0, max: 65535 }),
    }),
    { maxLength: 3 },
  ),
});

test('what a get tells, a set understands: as `wg showconf` and `wg setconf` carry a tunnel over', () => {
  fc.assert(
    fc.property(snapshot, (told) => {
      const lines = formatUapiSnapshot(told).split('\n').slice(0, -1);
      const changes = changesOf(...lines.filter((line) => !/^(last_handshake|rx_bytes|tx_bytes)/.test(line)));
      const zero = presharedKey(new Uint8Array(32));
      expect(changes).toEqual([
        ...(told.privateKey === undefined ? [] : [{ kind: 'private-key', privateKey: told.privateKey }]),
        ...(told.listenPort === 0 ? [] : [{ kind: 'listen-port', port: told.listenPort }]),
        ...(told.fwmark === 0 ? [] : [{ kind: 'fwmark', fwmark: told.fwmark }]),
        ...told.peers.map((peer) => ({
          kind: 'peer',
          publicKey: peer.publicKey,
          updateOnly: false,
          presharedKey: peer.presharedKey ?? zero,
          ...(peer.endpoint === undefined ? {} : { endpoint: peer.endpoint }),
          persistentKeepalive: peer.persistentKeepalive,
          replaceAllowedIps: false,
          allowedIps: peer.allowedIps.map((one) => ({ prefix: one, remove: false })),
        })),
      ]);
    }),
  );
});

/** Text made of the words of the protocol, so that it gets past the first check. */
const words = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          'set=1\n',
          'get=1\n',
          '\n',
          '\r\n',
          '=',
          'true',
          '-',
          '/',
          '1',
          '10.0.0.0/8',
          '[::1]:5',
          '%',
          '9'.repeat(30),
        ],
        ...['private_key=', 'listen_port=', 'fwmark=', 'replace_peers=', 'public_key=', 'remove=', 'update_only='],
        ...['preshared_key=', 'endpoint=', 'persistent_keepalive_interval=', 'replace_allowed_ips=', 'allowed_ip='],
        ...['protocol_version=', 'errno=', PEER, SECRET],
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

test('no text makes it throw, every place is in the text, and no problem repeats a value', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        words,
        words.map((text) => `set=1\n${text}`),
        fc.string({ unit: 'binary' }),
      ),
      (text) => {
        const read = parseUapiRequest(text);
        if (read.ok) return;
        const rows = text.split('\n');
        expect(read.error.problems.length).toBeGreaterThan(0);
        for (const { line = 0, column = 0, message, hint = '' } of read.error.problems) {
          expect(line).toBeLessThanOrEqual(Math.max(2, rows.length));
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual((rows[line - 1]?.length ?? 0) + 1);
          expect(message + hint).not.toMatch(/[0-9a-f]{12}/);
        }
      },
    ),
    { numRuns: 500 },
  );
});
