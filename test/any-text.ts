/** Strings of any code points. fast-check's own, `unit: 'binary'`, takes a second to make its table of all of them. */
import fc from 'fast-check';

interface Lengths {
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** All but the surrogates, small ones more often. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

/** Lengths are in code points. */
export const anyText = (lengths: Lengths = {}): fc.Arbitrary<string> => fc.string({ unit: character, ...lengths });
