/** MAC1, MAC2, cookies and cookie replies against the figures, bit by bit. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpoint, parseIp } from '../../src/base/address.ts';
import { type Bytes, concat, fromHex, u8 } from '../../src/base/bytes.ts';
import { privateKey, publicKey } from '../../src/base/keys.ts';
import { noble } from '../../src/crypto/noble.ts';
import { cookieFor, cookieSource, openCookieReply, sealCookieReply } from '../../src/wg/cookie.ts';
import { computeMac1, cookieKey, mac1Key, stampMacs, verifyMac1, verifyMac2 } from '../../src/wg/mac.ts';
import { type CookieReply, decodeCookieReply } from '../../src/wg/message/cookie-reply.ts';
import { fields, hex, int, loadVectors, oneOf } from '../vectors.ts';

const figures = loadVectors(
  'cookie.json',
  { role: oneOf('mac1_only', 'cookie_exchange', 'mac2'), input: hex, derived_mac1: hex, derived_mac2_with_cookie: hex },
  {
    responder_static_private: hex,
    responder_static_public: hex,
    mac1_key: hex,
    cookie_encryption_key: hex,
    cookie_secret_32: hex,
    source_address_bytes: hex,
    cookie_16: hex,
    cookie_reply: fields({
      receiver_index: int,
      nonce: hex,
      aad_mac1: hex,
      plaintext_cookie: hex,
      encrypted_cookie: hex,
      packet: hex,
    }),
  },
);
const responder = publicKey(figures.responder_static_public);
const key = mac1Key(noble, responder);
const cookie = cookieFor(noble, figures.cookie_secret_32, figures.source_address_bytes);

test('keys and cookie', () => {
  expect(noble.publicKey(privateKey(figures.responder_static_private))).toEqual(responder);
  expect(key).toEqual(figures.mac1_key);
  expect(cookieKey(noble, responder)).toEqual(figures.cookie_encryption_key);
  expect(cookie).toEqual(figures.cookie_16);
});

/** Two MACs, still zero, behind what they cover. */
const framed = (covered: Bytes): Bytes => concat(covered, new Uint8Array(32));

test.each(figures.cases)('$role, $input.length bytes', ({ input, derived_mac1, derived_mac2_with_cookie }) => {
  const message = input.slice();
  expect(computeMac1(noble, key, message)).toEqual(derived_mac1);
  expect(stampMacs(noble, key, cookie, message)).toEqual(derived_mac1);
  expect(message).toEqual(concat(input.subarray(0, -32), derived_mac1, derived_mac2_with_cookie));
  expect(verifyMac1(noble, key, message)).toBe(true);
  expect(verifyMac2(noble, cookie, message)).toBe(true);

  message[5] = u8(message, 5) ^ 0x20;
  expect(verifyMac1(noble, key, message)).toBe(false);
  expect(verifyMac2(noble, cookie, message)).toBe(false);
});

test('without a cookie MAC2 stays zero', () => {
  const message = framed(fromHex('00112233'));
  stampMacs(noble, key, undefined, message);
  expect(message.subarray(-16)).toEqual(new Uint8Array(16));
  expect(verifyMac1(noble, key, message)).toBe(true);
});

test('MAC2 covers MAC1', () => {
  const message = framed(fromHex('00112233'));
  stampMacs(noble, key, cookie, message);
  message[4] = u8(message, 4) ^ 1;
  expect(computeMac1(noble, key, message)).toEqual(computeMac1(noble, key, framed(fromHex('00112233'))));
  expect(verifyMac2(noble, cookie, message)).toBe(false);
});

test.each([
  ['another port', 'c0a80d252801'],
  ['another address', 'c0a80d262801'],
])('a cookie for %s does not make this MAC2', (_, source) => {
  const message = framed(fromHex('aabb'));
  stampMacs(noble, key, cookieFor(noble, figures.cookie_secret_32, fromHex(source)), message);
  expect(verifyMac2(noble, cookie, message)).toBe(false);
});

test.each([
  ['192.0.2.7', 51820, 'c0000207ca6c'],
  ['2001:db8::1', 1, '20010db80000000000000000000000010001'],
])('source bytes of %s port %i: address, then port big-endian', (ip, port, wanted) => {
  expect(cookieSource(endpoint(parseIp(ip) ?? expect.fail(), port))).toEqual(fromHex(wanted));
});

const reply = figures.cookie_reply;

function decoded(packet: Bytes): CookieReply {
  const result = decodeCookieReply(packet);
  return result.ok ? result.value : expect.fail(result.error.kind);
}

test('cookie reply both ways', () => {
  const packet = sealCookieReply(noble, {
    key: figures.cookie_encryption_key,
    receiver: reply.receiver_index,
    nonce: reply.nonce,
    cookie,
    mac1: reply.aad_mac1,
  });
  expect(packet).toEqual(reply.packet);
  expect(decoded(packet).sealedCookie).toEqual(reply.encrypted_cookie);
  expect(openCookieReply(noble, figures.cookie_encryption_key, decoded(packet), reply.aad_mac1)).toEqual({
    ok: true,
    value: reply.plaintext_cookie,
  });
  const sent = figures.cases.find(({ role }) => role === 'cookie_exchange');
  expect(sent?.derived_mac1).toEqual(reply.aad_mac1);
});

test('a cookie reply for another MAC1, from another responder, or altered does not open', () => {
  const refused = { ok: false, error: { kind: 'cookie-unsealable' } };
  const other = figures.cases[0]?.derived_mac1 ?? expect.fail();
  expect(openCookieReply(noble, figures.cookie_encryption_key, decoded(reply.packet), other)).toEqual(refused);
  expect(openCookieReply(noble, figures.mac1_key, decoded(reply.packet), reply.aad_mac1)).toEqual(refused);
  fc.assert(
    fc.property(fc.integer({ min: 8 * 8, max: 64 * 8 - 1 }), (bit) => {
      const packet = reply.packet.slice();
      packet[bit >>> 3] = u8(packet, bit >>> 3) ^ (1 << (bit & 7));
      expect(openCookieReply(noble, figures.cookie_encryption_key, decoded(packet), reply.aad_mac1)).toEqual(refused);
    }),
  );
});
