/** Changes to single fields of a message, its length or its type, each with a name for a report. */
import type { Bytes } from '../../../src/base/bytes.ts';
import type { Layout, Span } from '../../../src/base/layout.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { MAC_BYTES } from '../../../src/wg/constants.ts';
import { computeMac1 } from '../../../src/wg/mac.ts';
import type { Chance } from '../../simulation/chance.ts';

export interface Mutation {
  readonly name: string;
  apply(bytes: Bytes): Bytes;
}

export type Field = readonly [name: string, span: Span];

/** Of a list that is made, and not known to be more than empty. */
export function pickFrom<T>(chance: Chance, list: readonly T[]): T {
  const found = list[chance.whole(0, list.length - 1)];
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
}

/** Tags are fields of their own: what is before one is never seen without it. */
export function fieldsOf<K extends string>(shape: Layout<K>): readonly Field[] {
  return Object.entries<Span | number>(shape).flatMap(([name, span]): Field[] => {
    if (typeof span === 'number') return [];
    if (name === 'type') {
      return [
        ['type', { at: 0, length: 1 }],
        ['reserved', { at: 1, length: 3 }],
      ];
    }
    if (!name.startsWith('sealed') || span.length <= MAC_BYTES) return [[name, span]];
    const body = span.length - MAC_BYTES;
    return [
      [name, { at: span.at, length: body }],
      [`${name}'s tag`, { at: span.at + body, length: MAC_BYTES }],
    ];
  });
}

/** A copy with a right MAC1 over what is before it; MAC2 stays as it is. */
export function restamped(key: Bytes, bytes: Bytes): Bytes {
  const out = bytes.slice();
  out.set(computeMac1(nodeCrypto, key, out), out.length - 2 * MAC_BYTES);
  return out;
}

/** One bit, or all of the field by chance. */
export function changeField(chance: Chance, [name, { at, length }]: Field): Mutation {
  if (chance.happens(0.2)) {
    const fresh = chance.bytes(length);
    return {
      name: `${name} by chance`,
      apply: (bytes) => {
        const out = bytes.slice();
        out.set(fresh, at);
        return out;
      },
    };
  }
  const where = at + chance.whole(0, length - 1);
  const bit = 1 << chance.whole(0, 7);
  return {
    name: `${name}: a bit of byte ${where}`,
    apply: (bytes) => {
      const out = bytes.slice();
      out[where] = (out[where] ?? 0) ^ bit;
      return out;
    },
  };
}

export function changeLength(chance: Chance): Mutation {
  const kind = chance.pick(['one less', 'one more', 'cut', 'longer', 'next to nothing']);
  const part = chance.part();
  const more = chance.bytes(kind === 'one more' ? 1 : chance.whole(2, 40));
  const few = chance.whole(0, 4);
  return {
    name: `length: ${kind}`,
    apply: (bytes) => {
      if (kind === 'one less') return bytes.slice(0, -1);
      if (kind === 'cut') return bytes.slice(0, Math.floor(bytes.length * part));
      if (kind === 'next to nothing') return bytes.slice(0, few);
      const out = new Uint8Array(bytes.length + more.length);
      out.set(bytes);
      out.set(more, bytes.length);
      return out;
    },
  };
}

export function changeType(chance: Chance): Mutation {
  const type = chance.pick([0, 1, 2, 3, 4, 5, 128, 255]);
  return {
    name: `type ${type}`,
    apply: (bytes) => {
      const out = bytes.slice();
      out[0] = type;
      return out;
    },
  };
}
