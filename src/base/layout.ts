/** Wire layouts: sizes once, spans from them, so that encoder and decoder cannot disagree. */
import type { Bytes } from './bytes.ts';

export interface Span {
  readonly at: number;
  readonly length: number;
}

export type Layout<K extends string> = { readonly [P in K]: Span } & { readonly size: number };

/** `layout({ type: 4, receiver: 4 })` gives `{ type: {at: 0, length: 4}, receiver: {at: 4, length: 4}, size: 8 }`. */
export function layout<K extends string>(sizes: { readonly [P in K]: number }): Layout<K> {
  const spans: Record<string, Span | number> = {};
  let at = 0;
  for (const [name, length] of Object.entries<number>(sizes)) {
    spans[name] = { at, length };
    at += length;
  }
  spans['size'] = at;
  return spans as unknown as Layout<K>;
}

/** A view, not a copy. */
export function field(bytes: Bytes, span: Span): Bytes {
  return bytes.subarray(span.at, span.at + span.length);
}
