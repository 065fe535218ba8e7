/** What udp-over-tcp is called; the stream is taken apart where packets are decoded. */
import type { WireForm } from '../timeline.ts';
import { VARIANT } from '../variants.ts';
import type { VariantForm } from './unwrapped.ts';

export const OVER_TCP: VariantForm = {
  name: VARIANT.udpOverTcp,
  how: 'by the two bytes of length before each message of the stream',
  figures: new Map(),
  hasJunk: false,
};

export const OVER_TCP_WIRE: WireForm = { variant: VARIANT.udpOverTcp };
