/** Tailscale peer relay: eight bytes of Geneve (RFC 8926 §3.4), protocol 0x7a12, and a plain message. */
import { type Bytes, u8, u16be, u32be } from '../../base/bytes.ts';
import type { Datagram } from '../../packet/datagram.ts';
import { shapeOf } from '../classify.ts';
import { VARIANT } from '../variants.ts';
import { Recent } from './recent.ts';
import { dataMessages, plainMessage, type Unwrapped, type VariantForm } from './unwrapped.ts';

const GENEVE_BYTES = 8;
const PROTOCOL_WIREGUARD = 0x7a12;
const WIRE = { variant: VARIANT.geneve };
const NETWORKS_KEPT = 1024;

/** Version and options 0, no critical option, reserved bits and byte 0. */
function isRelayed(bytes: Bytes): boolean {
  if (u16be(bytes, 2) !== PROTOCOL_WIREGUARD || bytes.length < GENEVE_BYTES) return false;
  return (u8(bytes, 0) & 0xc0) === 0 && (u8(bytes, 1) & 0x3f) === 0 && u8(bytes, 7) === 0;
}

export class Geneve {
  readonly #forms = new Recent<number, VariantForm>(NETWORKS_KEPT);

  unwrap(datagram: Datagram): Unwrapped | undefined {
    const { bytes, length } = datagram;
    if (!isRelayed(bytes)) return undefined;
    const shape = shapeOf(bytes.subarray(GENEVE_BYTES), length - GENEVE_BYTES);
    if (shape === undefined || !shape.fits || shape.reserved !== 0) return undefined;
    const form = this.#form(u32be(bytes, 4) >>> 8);
    if (shape.kind === 'data') return { form, messages: dataMessages(datagram, GENEVE_BYTES, WIRE) };
    return { form, messages: [plainMessage(datagram, shape.kind, GENEVE_BYTES, WIRE)] };
  }

  #form(network: number): VariantForm {
    let form = this.#forms.get(network);
    if (form === undefined) {
      const how = 'by a Geneve header with protocol 0x7a12 before a plain message';
      form = { name: VARIANT.geneve, how, figures: new Map([['network (VNI)', `${network}`]]), hasJunk: false };
      this.#forms.set(network, form);
    }
    return form;
  }
}
