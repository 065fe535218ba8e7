/**
 * Every rule fires on a capture of the set, by vectors/findings.json, or is shown by another test. That the file is right,
 * test/scenarios/lab.test.ts sees, which diagnoses them all.
 * After a change that is meant: WGWHY_UPDATE_FINDINGS=1 npx vitest run test/diagnose/coverage.test.ts writes the file
 * anew; read its diff.
 */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { rules } from '../../src/diagnose/registry.ts';
import { declaredFindings, diagnoseLab, findingLines, LAB_CASES, writeFindings } from '../scenarios/lab.ts';

const UPDATE = (process.env['WGWHY_UPDATE_FINDINGS'] ?? '') !== '';

/** Rules that no capture of the set shows, and the test that shows each. */
const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  'address-duplicate': 'rules-config-network.test.ts',
  'allowedips-missing-lan': 'rules-inner-edge.test.ts',
  'allowedips-nested': 'rules-config-network.test.ts',
  'capture-damaged': 'rules-capture.test.ts',
  'capture-one-sided': 'rules-capture.test.ts',
  'cidr-host-bits': 'rules-config-network.test.ts',
  'clock-skew': 'rules-handshake.test.ts',
  'cookie-ignored': 'rules-cookie.test.ts',
  'cookie-unsealable': 'rules-cookie.test.ts',
  'counter-exhausted': 'rules-inner.test.ts',
  'counters-never-received': 'rules-config-counters.test.ts',
  'counters-unconfirmed': 'rules-config-counters.test.ts',
  'data-after-expiry': 'rules-session.test.ts',
  'dns-outside-tunnel': 'rules-inner-edge.test.ts',
  'dns-unanswered': 'rules-inner-unanswered.test.ts',
  'endpoint-address-mismatch': 'rules-config-place.test.ts',
  'endpoint-cgnat': 'rules-config-place.test.ts',
  'endpoint-loops-into-tunnel': 'rules-config-begin.test.ts',
  'endpoint-on-server': 'rules-config-begin.test.ts',
  'endpoint-private-address': 'rules-config-place.test.ts',
  'endpoint-stale': 'rules-config-place.test.ts',
  'forward-rule-missing': 'rules-machine-forward.test.ts',
  'handshake-stale': 'rules-inner-edge.test.ts',
  'initiation-flood': 'rules-handshake.test.ts',
  'inner-invalid': 'rules-inner.test.ts',
  'ip-forward-off': 'rules-machine-forward.test.ts',
  'key-changed': 'rules-handshake.test.ts',
  'key-confusable': 'rules-config-keys.test.ts',
  'key-malformed': 'rules-config-keys.test.ts',
  'key-missing': 'rules-capture.test.ts',
  'key-role-swap': 'rules-config.test.ts',
  'log-refusal': 'rules-log.test.ts',
  'mac2-invalid': 'rules-cookie.test.ts',
  'malformed-message': 'rules-capture.test.ts',
  'masquerade-missing': 'rules-machine-forward.test.ts',
  'mss-too-large': 'rules-inner-unanswered.test.ts',
  'mtu-differs': 'rules-config-network.test.ts',
  'mtu-too-large': 'rules-config-network.test.ts',
  'no-endpoint-either-side': 'rules-config-begin.test.ts',
  'not-wireguard': 'rules-capture.test.ts',
  obfuscated: 'rules-capture.test.ts',
  'packet-replayed': 'rules-session.test.ts',
  'packet-too-old': 'rules-session.test.ts',
  'packet-unsealable': 'rules-session.test.ts',
  'path-filtered': 'rules-handshake.test.ts',
  'peer-duplicate-key': 'rules-config-keys.test.ts',
  'peer-header-missing': 'rules-config.test.ts',
  'port-forward-missing': 'rules-machine-forward.test.ts',
  'port-not-let-in': 'rules-machine.test.ts',
  'port-not-listening': 'rules-machine.test.ts',
  'response-unexpected': 'rules-handshake.test.ts',
  'response-unsealable': 'rules-handshake.test.ts',
  'ros-auto-private-key': 'rules-routeros.test.ts',
  'ros-clock-1970': 'rules-routeros.test.ts',
  'ros-flood-rule-blocks-peers': 'rules-routeros.test.ts',
  'ros-input-rule-missing': 'rules-routeros.test.ts',
  'ros-mss-clamp-missing': 'rules-routeros.test.ts',
  'ros-port-zero': 'rules-routeros.test.ts',
  'ros-responder-missing': 'rules-routeros.test.ts',
  'ros-route-missing': 'rules-routeros.test.ts',
  'ros-rule-shadowed': 'rules-routeros.test.ts',
  'route-overlap': 'rules-config-network.test.ts',
  'routing-loop': 'rules-inner.test.ts',
  'stray-initiations': 'rules-handshake.test.ts',
  'timestamp-suspect': 'rules-handshake.test.ts',
  'timestamp-unsealable': 'rules-handshake.test.ts',
  'weak-shared-secret': 'rules-handshake.test.ts',
};

if (UPDATE) {
  const found: Record<string, readonly string[]> = {};
  for (const one of LAB_CASES) found[one.id] = findingLines(await diagnoseLab(one, { crypto: nodeCrypto }));
  writeFindings(found);
}
const declared = declaredFindings();

test('every capture and vantage is declared', () => {
  expect(Object.keys(declared)).toEqual(LAB_CASES.map(({ id }) => id));
});

test('every rule fires on a capture of the set or is shown by another test', () => {
  const shown = new Set(Object.values(declared).flatMap((lines) => lines.filter((line) => !line.startsWith('hidden'))));
  const fires = (rule: string): boolean => [...shown].some((line) => line.endsWith(` ${rule}`));
  const nowhere = rules.map(({ name }) => name).filter((name) => !fires(name));
  expect(Object.keys(SHOWN_ELSEWHERE).sort()).toEqual(nowhere.sort());
});

test.each(Object.entries(SHOWN_ELSEWHERE))('%s is shown by %s', (rule, file) => {
  expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toMatch(new RegExp(`\\b${rule}\\b`));
});

test('no rule is declared that does not exist', () => {
  const names = new Set(rules.map(({ name }) => name));
  const named = Object.values(declared).flatMap((lines) =>
    lines.map((line) => line.replace(/ \(.*/, '').replace(/.* /, '')),
  );
  expect([...new Set(named)].filter((name) => !names.has(name))).toEqual([]);
});
