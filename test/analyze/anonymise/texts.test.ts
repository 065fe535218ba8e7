/** Configurations, key logs and traffic keys line for line: what stands for what, and what is left out. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressMap } from '../../../src/analyze/anonymise/addresses.ts';
import { KeyMap } from '../../../src/analyze/anonymise/keys.ts';
import { type TextVeils, veiledConf, veiledKeyLog, veiledTrafficKeys } from '../../../src/analyze/anonymise/texts.ts';
import { Veil } from '../../../src/analyze/anonymise/veil.ts';
import { toBase64 } from '../../../src/base/base64.ts';
import { privateKey } from '../../../src/base/keys.ts';
import { parseKeyLog } from '../../../src/config/key-log.ts';
import { parseTrafficKeys } from '../../../src/config/traffic-keys.ts';
import { parseWgConf } from '../../../src/config/wg-quick.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { CLIENT, OTHER, PSK_A, SERVER } from '../../diagnose/keys.ts';

const secretOf = (text: string) => privateKey(new Uint8Array(Buffer.from(text, 'base64')));
const veils = (...secrets: readonly string[]): TextVeils => {
  const veil = new Veil(nodeCrypto, Uint8Array.of(1));
  return {
    crypto: nodeCrypto,
    veil,
    keys: new KeyMap(nodeCrypto, veil, secrets.map(secretOf)),
    addresses: new AddressMap(veil, { ips: [], prefixes: [] }),
  };
};
const lineOf = (text: string, ...secrets: readonly string[]): string =>
  veiledConf(`${text}\n`, veils(...secrets)).text.trimEnd();
const settingOf = (text: string, ...secrets: readonly string[]): string =>
  lineOf(text, ...secrets).replace(/^.*? = /, '');

describe('configurations', () => {
  test('line for line', () => {
    const text = `# home of Jane Doe
[Interface] # wg0
PrivateKey = ${CLIENT.secret}
Address = 10.9.8.7/24, fd00:1::7/64
ListenPort = 51821
DNS = 8.8.8.8, corp.example.com
MTU=1420

PostUp = iptables -A FORWARD -i %i -j ACCEPT; iptables -t nat -A POSTROUTING -s 10.9.8.0/24 -o eth0 -j MASQUERADE
PostDown = curl https://user:password@example.com/
[Peer]
PublicKey = ${SERVER.public}
PresharedKey = ${PSK_A}
Endpoint = vpn.example.com:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
Unknown = 1
`;
    const { text: out, leftOut } = veiledConf(text, veils(CLIENT.secret));
    const lines = out.split('\n');
    expect(leftOut).toEqual([10, 17]);
    expect(lines.length).toBe(text.split('\n').length);
    expect([lines[0], lines[1], lines[6], lines[7], lines[9], lines[13], lines[14], lines[15]]).toEqual([
      '#',
      '[Interface]',
      'MTU = 1420',
      '',
      '# (left out)',
      'Endpoint = host2.example:51820',
      'AllowedIPs = 0.0.0.0/0, ::/0',
      'PersistentKeepalive = 25',
    ]);
    expect(lines[8]).toMatch(
      /^PostUp = iptables -A FORWARD -i %i -j ACCEPT; iptables -t nat -A POSTROUTING -s 10\.\d+\.\d+\.0\/24 -o eth0 -j MASQUERADE$/,
    );
    expect(out).not.toMatch(/Jane|password|corp|vpn\.|10\.9\.8|8\.8\.8\.8/);
    for (const key of [CLIENT.secret, SERVER.public, PSK_A]) expect(out).not.toContain(key);
    const { conf, problems } = parseWgConf(out);
    expect([conf.peers.length, conf.interface.addresses.length, problems]).toEqual([1, 2, []]);
  });

  test('keys fit each other as before', () => {
    const own = settingOf(`PrivateKey = ${CLIENT.secret}`, CLIENT.secret);
    const named = settingOf(`PublicKey = ${CLIENT.public}`, CLIENT.secret);
    expect(toBase64(nodeCrypto.publicKey(secretOf(own)))).toBe(named);
    expect(settingOf(`PublicKey = ${OTHER.public}`)).not.toBe(named);
  });

  test('a private key where a public one belongs is the same private key there', () => {
    expect(settingOf(`PublicKey = ${CLIENT.secret}`, CLIENT.secret)).toBe(
      settingOf(`PrivateKey = ${CLIENT.secret}`, CLIENT.secret),
    );
  });

  test('no PSK stays no PSK', () => {
    const zero = toBase64(new Uint8Array(32));
    expect(settingOf(`PresharedKey = ${zero}`)).toBe(zero);
  });

  test('a key that is too short is another one that is too short', () => {
    for (const length of [20, 43, 45]) {
      const written = (SERVER.public + SERVER.public).slice(0, length);
      const value = settingOf(`PublicKey = ${written}`);
      if (value === '# (left out)') continue;
      expect(value.length).toBe(length);
      expect(value.slice(0, 8)).not.toBe(written.slice(0, 8));
    }
  });

  test('whatever stands there, nothing of it comes through', () => {
    const word = fc.stringMatching(/^[ -~]{8,60}$/).filter((text) => /[A-Za-z]{4}/.test(text));
    const name = fc.constantFrom('PrivateKey', 'Endpoint', 'AllowedIPs', 'DNS', 'PostUp', 'MTU', 'Table', '# x', 'Any');
    fc.assert(
      fc.property(name, word, (setting, value) => {
        const { text } = veiledConf(`${setting} = ${value}`, veils());
        const rest = text.replace(/^[A-Za-z]+ = /, '');
        for (let at = 0; at + 8 <= value.length; at++) {
          const part = value.slice(at, at + 8);
          if (/[A-Za-z]{4}/.test(part) && !/iptables|FORWARD|sysctl/.test(part)) expect(rest).not.toContain(part);
        }
      }),
    );
  });
});

describe('key logs', () => {
  test('each key is the generated one, and an ephemeral keeps its PSK', () => {
    const text = `# Jane\nLOCAL_STATIC_PRIVATE_KEY = ${CLIENT.secret}\nREMOTE_STATIC_PUBLIC_KEY = ${SERVER.public}\nLOCAL_EPHEMERAL_PRIVATE_KEY=${OTHER.secret}\nPRESHARED_KEY = ${PSK_A}\nsomething else\n`;
    const { text: out, leftOut } = veiledKeyLog(text, veils(CLIENT.secret, OTHER.secret));
    expect(leftOut).toEqual([6]);
    for (const key of [CLIENT.secret, SERVER.public, OTHER.secret, PSK_A, 'Jane', 'else'])
      expect(out).not.toContain(key);
    const { keyLog, problems } = parseKeyLog(out);
    expect([keyLog.statics.length, keyLog.remotes.length, keyLog.ephemerals[0]?.psk !== undefined, problems]).toEqual([
      1,
      1,
      true,
      [],
    ]);
  });

  test('traffic keys keep their index', () => {
    const { text, leftOut } = veiledTrafficKeys(`0x30d037d8 ${PSK_A}\nJane\n`, veils());
    const { keys } = parseTrafficKeys(text);
    expect([leftOut, keys.map(({ index }) => index)]).toEqual([[2], [0x30d037d8]]);
    expect(text).not.toContain(PSK_A);
  });
});
