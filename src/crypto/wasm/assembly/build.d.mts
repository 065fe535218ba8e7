export function compile(kind: 'simd' | 'scalar'): Promise<Uint8Array>;
/** What binary.ts has to be. */
export function source(): Promise<string>;
