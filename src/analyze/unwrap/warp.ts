/** Cloudflare WARP: three bytes of client id behind the type byte, both ways, set after MAC1 and MAC2 were made. */
import { toBase64 } from '../../base/base64.ts';
import { type Bytes, u8 } from '../../base/bytes.ts';
import type { Datagram } from '../../packet/datagram.ts';
import type { Shape } from '../classify.ts';
import { isWarpData, VARIANT } from '../variants.ts';
import { Recent } from './recent.ts';
import { dataMessages, endsInZeros, plainMessage, type Unwrapped, type VariantForm } from './unwrapped.ts';

const ENDS_KEPT = 2048;

export class Warp {
  /** By endpoint: what its handshakes showed; the end that stays keeps it while the other roams. */
  readonly #ids = new Recent<string, number>(ENDS_KEPT);
  readonly #forms = new Recent<number, VariantForm>(ENDS_KEPT);

  /** `opens`: MAC1 of this handshake message, once its reserved bytes are zero, is for a key that is known. */
  unwrap(datagram: Datagram, shape: Shape, opens: (message: Bytes) => boolean): Unwrapped | undefined {
    const { kind, reserved, fits } = shape;
    if (reserved === 0 || !fits) return undefined;
    const { from, to, bytes } = datagram;
    const wire = { variant: VARIANT.warp, reserved: [u8(bytes, 1), u8(bytes, 2), u8(bytes, 3)] } as const;
    const known = this.#ids.get(from.text) === reserved || this.#ids.get(to.text) === reserved;
    if (kind === 'data') {
      if (!known && !isWarpData(datagram)) return undefined;
      return { form: this.#form(reserved, bytes), messages: dataMessages(datagram, 0, wire) };
    }
    const message = plainMessage(datagram, kind, 0, wire);
    if (!known) {
      if (kind === 'cookie-reply' || !(endsInZeros(bytes) || opens(message.bytes))) return undefined;
      this.#ids.set(from.text, reserved);
      this.#ids.set(to.text, reserved);
    }
    return { form: this.#form(reserved, bytes), messages: [message] };
  }

  #form(id: number, bytes: Bytes): VariantForm {
    let form = this.#forms.get(id);
    if (form === undefined) {
      const text = `${toBase64(bytes.subarray(1, 4))} (${bytes.subarray(1, 4).join(', ')})`;
      form = {
        name: VARIANT.warp,
        how: 'by sizes and types, which are WireGuard’s, and by the id in bytes 1 to 3 of each message',
        figures: new Map([['client id', text]]),
        hasJunk: false,
      };
      this.#forms.set(id, form);
    }
    return form;
  }
}
