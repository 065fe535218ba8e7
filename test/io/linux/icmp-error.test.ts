/** The error queue's messages, made by hand as errqueue.h has them. */
import { constants } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/base/address.ts';
import { type Bytes, concat, EMPTY } from '../../../src/base/bytes.ts';
import { IP_RECVERR, IPV6_RECVERR, readTrouble } from '../../../src/io/linux/icmp-error.ts';
import { int, writeAddress, writeAncillary } from '../../../src/io/linux/socket-address.ts';
import { at } from '../../wg/harness.ts';

const TO = at('203.0.113.10:51820');
const ORIGIN = { none: 0, local: 1, icmp: 2, icmp6: 3 } as const;

interface Given {
  readonly errno?: number;
  readonly origin?: keyof typeof ORIGIN;
  readonly type?: number;
  readonly code?: number;
  readonly info?: number;
  readonly offender?: Endpoint;
}

/** struct sock_extended_err, and behind it who sent the ICMP error. */
function extended({
  errno = constants.errno.ECONNREFUSED,
  origin = 'icmp',
  type = 3,
  code = 3,
  info = 0,
  offender,
}: Given) {
  const who = new Uint8Array(28);
  const length = offender === undefined ? 16 : writeAddress(offender, who);
  return concat(int(errno), Uint8Array.of(ORIGIN[origin], type, code, 0), int(info), int(0), who.subarray(0, length));
}

function message(level: number, type: number, data: Bytes): Bytes {
  const out = new Uint8Array(128);
  // A timestamp or the like may come first.
  const at = writeAncillary(out, 0, { level: 1, type: 29, data: new Uint8Array(16) });
  return out.subarray(0, writeAncillary(out, at, { level, type, data }));
}

const v4 = (given: Given): Bytes => message(0, IP_RECVERR, extended(given));
const v6 = (given: Given): Bytes => message(41, IPV6_RECVERR, extended(given));

describe('read', () => {
  test.each<[string, Bytes, unknown]>([
    [
      'port unreachable, by the far end',
      v4({ offender: at('203.0.113.10:0') }),
      { code: 'ECONNREFUSED', icmp: { family: 4, type: 3, code: 3, from: '203.0.113.10' } },
    ],
    [
      'prohibited, by a router',
      v4({ errno: constants.errno.EHOSTUNREACH, code: 13, offender: at('10.99.1.1:0') }),
      { code: 'EHOSTUNREACH', icmp: { family: 4, type: 3, code: 13, from: '10.99.1.1' } },
    ],
    [
      'too large, and what the next link takes',
      v4({ errno: constants.errno.EMSGSIZE, code: 4, info: 1400, offender: at('10.99.1.1:0') }),
      { code: 'EMSGSIZE', icmp: { family: 4, type: 3, code: 4, from: '10.99.1.1', mtu: 1400 } },
    ],
    [
      'the same in IPv6',
      v6({
        errno: constants.errno.EMSGSIZE,
        origin: 'icmp6',
        type: 2,
        code: 0,
        info: 1280,
        offender: at('[2001:db8::1]:0'),
      }),
      { code: 'EMSGSIZE', icmp: { family: 6, type: 2, code: 0, from: '2001:db8::1', mtu: 1280 } },
    ],
    [
      'of this machine',
      v4({ errno: constants.errno.EMSGSIZE, origin: 'local' }),
      { code: 'EMSGSIZE', icmp: undefined },
    ],
    ['by nobody that is told', v4({}), { code: 'ECONNREFUSED', icmp: undefined }],
    ['an error without a name', v4({ errno: 4095, origin: 'none' }), { code: 'errno 4095', icmp: undefined }],
  ])('%s', (_, control, found) => {
    expect(readTrouble(control, TO)).toEqual({ ...Object(found), to: TO });
  });

  test('whom it was for may not be known', () => {
    expect(readTrouble(v4({}), undefined)).toEqual({ code: 'ECONNREFUSED', icmp: undefined, to: undefined });
  });
});

test.each<[string, Bytes]>([
  ['nothing', EMPTY],
  ['other ancillary data', message(0, 8, extended({}))],
  ['the option of the other family', message(41, IP_RECVERR, extended({}))],
  ['less than it should be', message(0, IP_RECVERR, extended({}).subarray(0, 15))],
])('%s is no error', (_, control) => {
  expect(readTrouble(control, TO)).toBeUndefined();
});

test('random octets do no harm', () => {
  const levels = fc.constantFrom([0, IP_RECVERR] as const, [41, IPV6_RECVERR] as const);
  fc.assert(
    fc.property(levels, fc.uint8Array({ maxLength: 60 }), ([level, type], data) => {
      readTrouble(data, TO);
      const found = readTrouble(message(level, type, data), TO);
      expect(found === undefined).toBe(data.length < 16);
    }),
  );
});
