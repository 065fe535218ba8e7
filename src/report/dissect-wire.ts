/** Spans of a message as fields: what was captured of each, and what a variant had on the wire in its place. */
import { type Bytes, equal, isZero, toHex } from '../base/bytes.ts';
import type { Span } from '../base/layout.ts';
import { TAG } from '../crypto/port.ts';
import type { DissectedField } from './dissect-model.ts';

export type FieldRest = Pick<DissectedField, 'value' | 'meaning' | 'fields'>;

export class WireFields {
  readonly #bytes: Bytes;
  readonly #onWire: Bytes | undefined;
  readonly #long: boolean;

  /** `onWire` where the message stood otherwise on the wire; `long`: whatever their length, the bytes are wanted. */
  constructor(bytes: Bytes, onWire: Bytes | undefined, long: boolean) {
    this.#bytes = bytes;
    this.#onWire = onWire;
    this.#long = long;
  }

  /** `rest` is asked only where the field is whole. */
  field(name: string, { at, length }: Span, rest: () => FieldRest = () => ({})): DissectedField {
    const have = Math.max(0, Math.min(this.#bytes.length - at, length));
    const raw = this.#bytes.subarray(at, at + have);
    const place = { name, at, length, ...(have > LONG_BYTES && !this.#long ? {} : { bytes: toHex(raw) }) };
    if (have < length) {
      const meaning = have === 0 ? 'not captured' : `the capture has ${have} of ${length} bytes of it`;
      return { ...place, meaning };
    }
    const wire = this.#onWire?.subarray(at, at + length);
    const differs = wire !== undefined && wire.length === length && !equal(wire, raw);
    return { ...place, ...(differs ? { wire: toHex(wire) } : {}), ...rest() };
  }

  /** Something sealed: what it holds, as far as it opens, and the tag behind it. */
  sealed(
    name: string,
    span: Span,
    tag: boolean | undefined,
    opened: readonly DissectedField[],
    meaning?: string,
  ): DissectedField {
    const { at, length } = span;
    return this.field(name, span, () => ({
      ...(meaning === undefined ? {} : { meaning }),
      fields: [
        ...(length > TAG && (opened.length === 0 || this.#long)
          ? [this.field('ciphertext', { at, length: length - TAG })]
          : []),
        ...opened,
        this.field('tag', { at: at + length - TAG, length: TAG }, () => {
          if (tag === undefined) return {};
          return { meaning: tag ? 'fits' : 'does not fit' };
        }),
      ],
    }));
  }

  get(span: Span): Bytes {
    return this.#bytes.subarray(span.at, span.at + span.length);
  }

  isZero(span: Span): boolean {
    return isZero(this.get(span));
  }
}

/** Ciphertext of data is as long as the packet inside: it is shown where bytes are asked for. */
const LONG_BYTES = 64;

/** Worked out: it stands nowhere in the message. */
export function told(name: string, rest: FieldRest): DissectedField {
  return { name, ...rest };
}
