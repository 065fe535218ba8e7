/**
 * Captures of the lab anonymised: diagnose says the same of them, and nothing of the original is in them. Here the
 * captures of each folder together; test/long does it from each single vantage, and with thousands of messages.
 */
import { describe, expect, test } from 'vitest';
import { anonymised, expectTheSameStory, givenOf, leaks } from './anonymised.ts';
import { LAB_CASES } from './lab.ts';

/** Thousands of messages. */
const LONG = new Set(['lab-more/cookie-under-load', 'lab-more/lossy-path', 'lab-more/reordered']);

const cases = LAB_CASES.filter(({ vantage, folder }) => vantage === 'both' && !LONG.has(folder));

test.each(cases.map((one) => [one.folder, one] as const))('%s', { timeout: 60_000 }, async (_, one) => {
  await expectTheSameStory(one);
});

describe('lab/healthy', () => {
  const given = givenOf(LAB_CASES.filter(({ id }) => id === 'lab/healthy both'));

  test('the search finds what is there', async () => {
    const { found } = await leaks(given, given);
    for (const what of ['addresses', 'a payload', 'an address of a card']) {
      for (const side of ['client', 'server']) expect(found).toContain(`${what} in lab/healthy/${side}.pcap`);
    }
    expect(found.filter((what) => what.startsWith('the text')).length).toBeGreaterThan(6);
  });

  test('the same seed gives the same bytes, another seed others', async () => {
    const [one, again, other] = [
      await anonymised(given),
      await anonymised(given),
      await anonymised(given, { seed: Uint8Array.of(1) }),
    ];
    expect(again.files).toEqual(one.files);
    for (const [name, bytes] of other.files) expect(bytes).not.toEqual(one.files.get(name));
  });
});
