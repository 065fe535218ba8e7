/** Settings of AmneziaWG: what is read of them, from a file and from `awg show`, and that its key is not kept. */
import { describe, expect, test } from 'vitest';
import { changesMessages, formatTypeRange, PLAIN_SETTINGS, withAmneziaSetting } from '../../src/config/amnezia.ts';
import { statusAsConf } from '../../src/config/status-as-conf.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { parseWgShow } from '../../src/config/wg-show.ts';
import { parseWgShowDump } from '../../src/config/wg-show-dump.ts';

const one = (low: number, high = low) => ({ low, high });

describe('one setting', () => {
  test.each([
    ['S1', '15', { padding: [15, 0, 0, 0] }],
    ['S4', '0', { padding: [0, 0, 0, 0] }],
    ['H1', '1234567891', { types: [one(1234567891), one(2), one(3), one(4)] }],
    ['H4', '5-9', { types: [one(1), one(2), one(3), one(5, 9)] }],
    ['H4', '5 - 9', { types: [one(1), one(2), one(3), one(5, 9)] }],
    ['H2', '4294967295', { types: [one(1), one(4294967295), one(3), one(4)] }],
    ['HeaderProtectionKey', 'abc=', { headerProtection: true }],
    ['RandomTrailers', 'on', { randomTrailers: true }],
    ['RandomTrailers', 'off', { randomTrailers: false }],
    ['Jc', 'anything', {}],
    ['I1', '<b 0x00><r 10>', {}],
  ] as const)('%s = %s', (name, text, wanted) => {
    expect(withAmneziaSetting(PLAIN_SETTINGS, name, text)).toEqual({ ...PLAIN_SETTINGS, ...wanted });
  });

  test.each([
    ['S1', '-1'],
    ['S1', 'many'],
    ['S2', ''],
    ['S3', '70000'],
    ['H1', '4294967296'],
    ['H2', '9-5'],
    ['H3', '1-2-3'],
    ['H4', '5-'],
    ['H4', '0x10'],
  ])('%s = %s is refused', (name, text) => {
    expect(withAmneziaSetting(PLAIN_SETTINGS, name, text)).toBeUndefined();
  });
});

test('which settings a plain WireGuard would not notice', () => {
  const after = (name: string, text: string) => withAmneziaSetting(PLAIN_SETTINGS, name, text) ?? PLAIN_SETTINGS;
  const same = [after('Jc', '4'), after('H1', '1'), after('S1', '0')];
  const other = [after('S1', '1'), after('H3', '30'), after('H1', '1-2'), after('HeaderProtectionKey', 'x')];
  expect([...same, ...other].map(changesMessages)).toEqual([false, false, false, true, true, true, true]);
  expect([one(5), one(5, 9)].map(formatTypeRange)).toEqual(['5', '5-9']);
});

test('a file: settings in any order, each fault in its line, the note once', () => {
  const { conf, problems } = parseWgConf('[Interface]\nJc = 4\nh1 = 500-560\nS1 = 15 # padding\nS2 = ten\n');
  expect(conf.interface.amnezia).toEqual({
    ...PLAIN_SETTINGS,
    padding: [15, 0, 0, 0],
    types: [one(500, 560), one(2), one(3), one(4)],
  });
  expect(
    conf.faults.map((fault) => (fault.kind === 'amnezia-setting' ? `${fault.line} ${fault.setting}` : fault.kind)),
  ).toEqual(['2 Jc', '3 H1', '4 S1', '5 S2']);
  expect(problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
    '2 Jc is a setting of AmneziaWG',
    '5 S2 has a value that AmneziaWG does not take',
  ]);
  expect(parseWgConf('[Interface]\nListenPort = 1\n').conf.interface.amnezia).toBeUndefined();
});

test('the key of header protection is not kept', () => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const { conf, problems } = parseWgConf(`[Interface]\nHeaderProtectionKey = ${key}\nS1 = 12\n`);
  expect(conf.interface.amnezia?.headerProtection).toBe(true);
  expect(JSON.stringify([conf, problems])).not.toContain(key);
});

const SHOWN = `interface: awg0
  public key: HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=
  listening port: 51820
  jc: 4
  jmin: 40
  s1: 15
  s2: 18
  h1: 500-560
  h4: 7
`;

test('what runs, as it is shown', () => {
  const [device] = parseWgShow(SHOWN).interfaces;
  expect(device === undefined ? undefined : statusAsConf(device).interface.amnezia).toEqual({
    ...PLAIN_SETTINGS,
    padding: [15, 18, 0, 0],
    types: [one(500, 560), one(2), one(3), one(7)],
  });
});

test('a dump: with as many columns as are known; else it is only known that there are settings', () => {
  const key = 'HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=';
  const settings = (middle: string) => {
    const [device] = parseWgShowDump(`awg0\t(none)\t${key}\t51820\t${middle}\toff\n`).interfaces;
    return device === undefined
      ? 'no device'
      : [device.amnezia.length > 0, statusAsConf(device).interface.amnezia?.padding];
  };
  expect(settings('4\t40\t70\t15\t18\t500\t600\t700\t800')).toEqual([true, [15, 18, 0, 0]]);
  expect(settings('4\t40\t70\t15\t18\t21\t9\t500\t600\t700\t800')).toEqual([true, undefined]);
});
