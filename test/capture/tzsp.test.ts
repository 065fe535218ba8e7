import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../../src/base/bytes.ts';
import { decodeTzsp } from '../../src/capture/tzsp.ts';

describe('TZSP', () => {
  test.each([
    ['as RouterOS sends it', '0100000101ffff', { kind: 'frame', encapsulation: 1, at: 5 }],
    ['transmitted', '0101000101ff', { kind: 'frame', encapsulation: 1, at: 5 }],
    ['802.11', '0100001201ff', { kind: 'frame', encapsulation: 18, at: 5 }],
    ['padding', '010000010000000001ff', { kind: 'frame', encapsulation: 1, at: 9 }],
    ['original length', '01000001290205dc01ff', { kind: 'frame', encapsulation: 1, at: 9, originalLength: 1500 }],
    ['packet count', '0100000128040000010201ff', { kind: 'frame', encapsulation: 1, at: 11, packetCount: 258 }],
    ['other tags', '010000010a01c83c0600112233445501ff', { kind: 'frame', encapsulation: 1, at: 16 }],
    ['original length of a wrong size', '01000001290105' + '01ff', { kind: 'frame', encapsulation: 1, at: 8 }],
    ['keepalive', '01040000', { kind: 'none', reason: 'TZSP keepalive' }],
    ['port opener', '0105000001', { kind: 'none', reason: 'TZSP port opener' }],
    ['configuration', '0103000001', { kind: 'none', reason: 'TZSP configuration' }],
    ['an unknown type', '0109000001ff', { kind: 'none', reason: 'TZSP type 9' }],
    ['another version', '0200000101ff', { kind: 'none', reason: 'TZSP version 2' }],
    ['short', '010000', { kind: 'none', reason: 'TZSP of 3 bytes' }],
    ['no frame', '0100000101', { kind: 'none', reason: 'TZSP without a frame' }],
    ['no end', '010000010a01c8', { kind: 'none', reason: 'TZSP tags without an end' }],
    ['a tag that runs past the end', '010000010aff0101', { kind: 'none', reason: 'TZSP tags without an end' }],
    ['a tag without a length', '010000010a', { kind: 'none', reason: 'TZSP tags without an end' }],
  ])('%s', (_, hex, wanted) => {
    expect(decodeTzsp(fromHex(hex))).toEqual(wanted);
  });

  test('any bytes: no throw, and a frame lies within them', () => {
    const tzsp = fc.tuple(fc.constantFrom([1, 0, 0, 1], [1, 1, 0, 18]), fc.array(fc.integer({ min: 0, max: 45 })));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          tzsp.map(([head, rest]) => Uint8Array.from([...head, ...rest])),
        ),
        (bytes) => {
          const decoded = decodeTzsp(bytes);
          if (decoded.kind !== 'frame') return;
          expect(decoded.at).toBeGreaterThanOrEqual(5);
          expect(decoded.at).toBeLessThan(bytes.length);
          expect(bytes[decoded.at - 1]).toBe(1);
        },
      ),
    );
  });
});
