/** What is no plain message: fields as far as the layout of the claimed type goes, and how a variant stood on the wire. */
import type { Seen } from '../analyze/timeline.ts';
import type { VariantForm } from '../analyze/unwrap/unwrapped.ts';
import type { Span } from '../base/layout.ts';
import type { MessageKind } from '../wg/drop.ts';
import { COOKIE_REPLY } from '../wg/message/cookie-reply.ts';
import { DATA } from '../wg/message/data.ts';
import { INITIATION } from '../wg/message/initiation.ts';
import { RESPONSE } from '../wg/message/response.ts';
import { typeFields } from './dissect-handshake.ts';
import type { DissectedField } from './dissect-model.ts';
import { told, type WireFields } from './dissect-wire.ts';

const LAYOUTS: Readonly<Record<MessageKind, Readonly<Record<string, Span | number>>>> = {
  initiation: INITIATION,
  response: RESPONSE,
  'cookie-reply': COOKIE_REPLY,
  data: DATA,
};

/** By the layout of the type that it claims; what is behind it is one more field. */
export function malformedFields(wire: WireFields, kind: MessageKind, length: number, why: string): DissectedField[] {
  const fields = typeFields(wire, kind);
  let end = 4;
  for (const [name, span] of Object.entries(LAYOUTS[kind])) {
    if (typeof span === 'number' || name === 'type' || span.at >= length) continue;
    const there = Math.min(span.length, length - span.at);
    end = span.at + there;
    const short = there < span.length ? `the message ends after ${there} of its ${span.length} bytes` : undefined;
    fields.push(
      wire.field(name, { at: span.at, length: there }, () => (short === undefined ? {} : { meaning: short })),
    );
  }
  if (length > end) {
    const meaning = kind === 'data' ? 'too few for a tag' : 'behind the end of the message';
    fields.push(wire.field('rest', { at: end, length: length - end }, () => ({ meaning })));
  }
  return [...fields, told('verdict', { value: 'refused', meaning: why })];
}

/** How it was recognised, and what stood before the message or in its place. */
export function variantFields(
  { wire }: Seen,
  { at, form }: { readonly at: number; readonly form: VariantForm | undefined },
): DissectedField[] {
  if (form === undefined) return [];
  const { padding, header, reserved } = wire ?? {};
  const fields = [
    told('recognised', { value: form.how }),
    ...[...form.figures].map(([name, value]) => told(name, { value })),
    ...(at === 0
      ? []
      : [
          told('before', {
            value: at,
            meaning:
              padding === undefined ? 'bytes of header before the message' : 'bytes of padding before the message',
          }),
        ]),
    ...(header === undefined
      ? []
      : [told('typeWord', { value: header, meaning: 'in the place of type and reserved bytes' })]),
    ...(reserved === undefined
      ? []
      : [told('reservedOnWire', { value: reserved.join(', '), meaning: 'the bytes behind the type' })]),
  ];
  return [told('variant', { value: form.name, fields })];
}
