/** `wgwhy vectors` against another implementation of the handshake: Python's standard library and nothing of ours. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { makeVectors } from '../../src/report/make-vectors.ts';

const SCRIPT = new URL('independent/handshake.py', import.meta.url).pathname;
const python = spawnSync('python3', ['--version']).error === undefined;
if (!python) console.warn('vectors: skipped, needs python3');

test.skipIf(!python).each(['1', '7', 'ä "quoted" \\', '', 'seed '.repeat(50)])('seed %j', (seed) => {
  const input = JSON.stringify(makeVectors(nodeCrypto, seed, 'wgwhy'));
  const ran = spawnSync('python3', [SCRIPT], { input, encoding: 'utf8' });
  expect([ran.status, ran.stderr, ran.stdout.trim()]).toEqual([0, '', '67']);
});

test.skipIf(!python)('the script finds a figure that differs', () => {
  const input = JSON.stringify(makeVectors(nodeCrypto, '1', 'wgwhy')).replace(/("tau":")(.)/, '$1x');
  const ran = spawnSync('python3', [SCRIPT], { input, encoding: 'utf8' });
  expect([ran.status, ran.stderr]).toEqual([1, 'trace_response.tau differs\n']);
});
