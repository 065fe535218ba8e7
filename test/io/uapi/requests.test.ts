/** Requests cut from a stream: the pieces it came in make no difference, and what is too large is passed over. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RawRequest, RequestCutter } from '../../../src/io/uapi/requests.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

function cut(pieces: readonly string[], maxBytes = 1000): RawRequest[] {
  const cutter = new RequestCutter(maxBytes);
  return pieces.flatMap((piece) => [...cutter.push(bytes(piece))]);
}

const texts = (requests: readonly RawRequest[]): string[] =>
  requests.map((request) => (request.kind === 'request' ? request.text : request.kind));

test.each([
  [['get=1\n\n'], ['get=1\n']],
  [['get=1\n', '\n'], ['get=1\n']],
  [['get=1\n\nset=1\na=b\n\n'], ['get=1\n', 'set=1\na=b\n']],
  [
    ['get=1\r\n\r\nget=1\r\n\r', '\nx'],
    ['get=1\r\n', 'get=1\r\n'],
  ],
  [['a\r', '\n', '\r', '\n'], ['a\r\n']],
  [['\n\n'], ['', '']],
  [['set=1\nfwmark=9\n'], []],
  [['a', '', 'b\n', '', '\n'], ['ab\n']],
])('%j', (pieces, wanted) => {
  expect(texts(cut(pieces))).toEqual(wanted);
});

test('what is too large is not kept, and what comes after it is read', () => {
  expect(texts(cut(['set=1\n', 'x'.repeat(8), '\n\nget=1\n\n'], 12))).toEqual(['too-large', 'get=1\n']);
  expect(texts(cut(['123456789012\n\n1234567890\n\n'], 12))).toEqual(['too-large', '1234567890\n']);
});

/** The slow twin: all of it at once. */
function twin(text: string): string[] {
  const out: string[] = [];
  let request = '';
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '' || line === '\r') out.push(request);
    request = line === '' || line === '\r' ? '' : `${request}${line}\n`;
  }
  return out;
}

test('any pieces give the same requests', () => {
  const piece = fc.array(fc.constantFrom('\n', '\r', 'a', '='), { maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      expect(texts(cut(pieces))).toEqual(twin(pieces.join('')));
    }),
  );
});
