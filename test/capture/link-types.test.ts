import { expect, test } from 'vitest';
import { linkTypeHint, linkTypeName } from '../../src/capture/link-types.ts';

test.each([
  [0, 'NULL'],
  [1, 'ETHERNET'],
  [101, 'RAW'],
  [113, 'LINUX_SLL'],
  [128, 'TZSP'],
  [147, 'USER0'],
  [148, 'USER1'],
  [162, 'USER15'],
  [276, 'LINUX_SLL2'],
  [163, 'IEEE802_11_AVS'],
  [65_535, 'link type 65535'],
])('%i is %s', (linkType, name) => {
  expect(linkTypeName(linkType)).toBe(name);
});

test.each([
  [239, 'nflog'],
  [147, 'tailscale'],
  [150, 'private'],
  [258, 'en0'],
  [189, 'USB'],
  [127, 'wired'],
])('%i has a hint about %s', (linkType, word) => {
  expect(linkTypeHint(linkType)).toContain(word);
});

test('nothing to say about those that are read, or not known', () => {
  for (const linkType of [1, 101, 276, 4711]) expect(linkTypeHint(linkType)).toBeUndefined();
});
