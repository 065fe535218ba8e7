/** Handshakes without an answer: each of the first ones is told, then one in a minute, with how long it has been. */
import { expect, test } from 'vitest';
import { Retries } from '../../src/cli/retries.ts';
import { clock } from '../wg/harness.ts';

const RETRY_MS = 5000;

/** What is told of so many retries, each 5 s after the one before. */
function told(retries: Retries, times: number, pass: (ms: number) => void): string[] {
  return Array.from({ length: times }, () => {
    pass(RETRY_MS);
    return retries.add('A', 'peer A') ?? [];
  }).flat();
}

function counting() {
  let nowMs = 0;
  const retries = new Retries(() => clock(nowMs));
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { retries, pass };
}

test('the first ones, then one in twelve', () => {
  const { retries, pass } = counting();
  expect(told(retries, 30, pass)).toEqual([
    'peer A: no answer to the handshake for 5 s, try 2',
    'peer A: no answer to the handshake for 10 s, try 3',
    'peer A: no answer to the handshake for 15 s, try 4',
    'peer A: no answer to the handshake for 60 s, try 13',
    'peer A: no answer to the handshake for 120 s, try 25',
  ]);
});

test('after an answer it is as it was in the beginning, for that peer only', () => {
  const { retries, pass } = counting();
  told(retries, 4, pass);
  expect(retries.add('B', 'peer B')).toBe('peer B: no answer to the handshake for 5 s, try 2');
  retries.end('B');
  expect(retries.add('A', 'peer A')).toBeUndefined();
  retries.end('A');
  expect(told(retries, 1, pass)).toEqual(['peer A: no answer to the handshake for 5 s, try 2']);
});
