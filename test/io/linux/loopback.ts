/** The C library for tests on the loopback interface, or why there is none. */
import { networkInterfaces } from 'node:os';
import { type Libc, loadLibc } from '../../../src/io/linux/libc.ts';

const loaded = await loadLibc();

export const noLibc: string | undefined = loaded.ok ? undefined : `${loaded.error.message}: ${loaded.error.hint}`;

export function libc(): Libc {
  if (!loaded.ok) throw new Error(loaded.error.message);
  return loaded.value;
}

export const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** What a callback gets, in its order, to be awaited one after the other. */
export class Heard<T> {
  readonly all: T[] = [];
  readonly #slots: { readonly come: Promise<T>; readonly fill: (value: T) => void }[] = [];
  #asked = 0;

  readonly take = (value: T): void => {
    this.#slot(this.all.length).fill(value);
    this.all.push(value);
  };

  next(): Promise<T> {
    return this.#slot(this.#asked++).come;
  }

  #slot(i: number) {
    const known = this.#slots[i];
    if (known !== undefined) return known;
    let fill: (value: T) => void = () => {};
    const come = new Promise<T>((resolve) => {
      fill = resolve;
    });
    const made = { come, fill };
    this.#slots[i] = made;
    return made;
  }
}
