/** Every kind of refusal has its sentence. They stand in test/cli/transcripts/drop-words.txt; `-u` writes them anew. */
import { expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { fromHex } from '../../src/base/bytes.ts';
import { publicKey } from '../../src/base/keys.ts';
import { dropInWords } from '../../src/cli/drop-words.ts';
import type { Drop, DropKind } from '../../src/wg/drop.ts';
import { tai64n } from '../../src/wg/tai64n.ts';

const identity = publicKey(new Uint8Array(32).fill(0x42));
const IDENTITY = toBase64(identity);
const peer = toBase64(new Uint8Array(32).fill(0x41));
const owner = toBase64(new Uint8Array(32).fill(0x43));
/** 2023 and 1970. */
const LATER = tai64n(fromHex('400000006553f10a00000000'));
const EARLIER = tai64n(fromHex('400000000000100a3b9ac000'));

const SAMPLES: { readonly [K in DropKind]: readonly Extract<Drop, { readonly kind: K }>[] } = {
  'too-short': [{ kind: 'too-short', actual: 3 }],
  'unknown-type': [{ kind: 'unknown-type', type: 0x6c6c6568 }],
  'reserved-nonzero': [{ kind: 'reserved-nonzero', message: 'initiation', reserved: [7, 8, 9] }],
  'length-mismatch': [{ kind: 'length-mismatch', message: 'cookie-reply', expected: 64, actual: 60 }],
  'handshake-queue-full': [{ kind: 'handshake-queue-full', depth: 4096, limit: 4096 }],
  'no-private-key': [{ kind: 'no-private-key' }],
  'mac1-invalid': [{ kind: 'mac1-invalid' }],
  'cookie-demanded': [
    { kind: 'cookie-demanded', message: 'initiation', mac2: 'absent' },
    { kind: 'cookie-demanded', message: 'response', mac2: 'wrong' },
  ],
  'rate-limited': [{ kind: 'rate-limited', source: '192.0.2.1' }],
  'weak-shared-secret': [{ kind: 'weak-shared-secret', token: 'es' }],
  'static-unsealable': [{ kind: 'static-unsealable' }],
  'unknown-peer': [{ kind: 'unknown-peer', identity }],
  'timestamp-unsealable': [{ kind: 'timestamp-unsealable', identity }],
  'timestamp-replayed': [{ kind: 'timestamp-replayed', identity, received: EARLIER, greatest: LATER }],
  'initiation-flood': [{ kind: 'initiation-flood', identity, gapMs: 12.3456 }],
  'response-unknown-index': [{ kind: 'response-unknown-index', receiver: 7 }],
  'response-wrong-state': [{ kind: 'response-wrong-state', receiver: 7 }],
  'empty-unsealable': [{ kind: 'empty-unsealable' }],
  'cookie-unknown-index': [{ kind: 'cookie-unknown-index', receiver: 7 }],
  'cookie-without-mac1': [{ kind: 'cookie-without-mac1' }],
  'cookie-unsealable': [{ kind: 'cookie-unsealable' }],
  'data-unknown-index': [{ kind: 'data-unknown-index', receiver: 7 }],
  'data-queue-full': [{ kind: 'data-queue-full', depth: 1024, limit: 1024 }],
  'data-unsealable': [{ kind: 'data-unsealable' }],
  'data-key-expired': [{ kind: 'data-key-expired', ageMs: 180_012.5 }],
  'data-key-spent': [{ kind: 'data-key-spent' }],
  'counter-exhausted': [{ kind: 'counter-exhausted' }],
  'counter-replayed': [{ kind: 'counter-replayed' }],
  'counter-too-old': [{ kind: 'counter-too-old', behind: 9000 }],
  'inner-too-short': [{ kind: 'inner-too-short', peer, expected: 20, actual: 19 }],
  'inner-version': [{ kind: 'inner-version', peer, version: 5 }],
  'inner-length': [{ kind: 'inner-length', peer, claimed: 60, actual: 32 }],
  'source-not-allowed': [
    { kind: 'source-not-allowed', peer, source: '10.0.0.77', owner: undefined },
    { kind: 'source-not-allowed', peer, source: '10.0.0.77', owner },
  ],
  'not-ip': [{ kind: 'not-ip', actual: 60 }],
  'no-allowed-ip': [{ kind: 'no-allowed-ip', destination: '192.0.2.200' }],
  'no-endpoint': [{ kind: 'no-endpoint', peer }],
  'staged-overflow': [{ kind: 'staged-overflow', peer, limit: 128, dropped: 'oldest' }],
  'handshake-suppressed': [{ kind: 'handshake-suppressed', peer, sinceMs: 4999 }],
  'handshake-gave-up': [{ kind: 'handshake-gave-up', peer, initiations: 20, staged: 3 }],
  'socket-error': [{ kind: 'socket-error', peer, to: '192.0.2.1:51820', error: 'ENETUNREACH' }],
  'peer-is-self': [{ kind: 'peer-is-self', peer }],
};

const NAMES: Readonly<Record<string, string>> = {
  [peer]: 'peer QUFB…QUE= (laptop)',
  [owner]: 'peer Q0ND…Q0M=',
  [IDENTITY]: 'peer QkJC…QkI= (phone)',
};
const words = (drop: Drop) =>
  dropInWords(
    drop,
    (id) => NAMES[id] ?? expect.fail(`${id} is no peer`),
    (key) => toBase64(key),
  );
const all = Object.values<readonly Drop[]>(SAMPLES).flat();

test('sentences', async () => {
  const lines = all.map((drop) => {
    const { what, fix } = words(drop);
    return `${drop.kind}\n  ${what}\n${fix === undefined ? '' : `  → ${fix}\n`}`;
  });
  await expect(lines.join('')).toMatchFileSnapshot('transcripts/drop-words.txt');
});

test.each(all)('$kind', (drop) => {
  const { what, fix } = words(drop);
  for (const text of [what, fix ?? what]) {
    expect(text).not.toMatch(/[.!]$|undefined|NaN|\[object|\n/);
    // Lower case at the beginning, unless it is a name.
    expect(text).toMatch(/^[a-z0-9]|^(MAC1|AllowedIPs)\b/);
    // No key but the sender's own, which no peer here has and which is what has to be entered.
    for (const [key] of text.matchAll(/[A-Za-z0-9+/]{43}=/g)) expect(key).toBe(IDENTITY);
  }
});

test('the facts of a refusal are in its sentence', () => {
  const said = (kind: DropKind): string =>
    all.flatMap((drop) => (drop.kind === kind ? words(drop).what : [])).join('\n');
  expect(said('timestamp-replayed')).toContain('1970-01-01');
  expect(said('timestamp-replayed')).toContain('2023-11-14');
  expect(said('data-key-expired')).toContain('180.0 s');
  expect(said('initiation-flood')).toContain('12 ms');
  expect(said('source-not-allowed')).toContain(NAMES[owner]);
});
