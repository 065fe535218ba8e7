/** From a link type to the layer that reads it. Numbers are LINKTYPE_ values (www.tcpdump.org/linktypes.html). */
import { linkTypeName } from '../../capture/link-types.ts';
import type { Refusal, Walk } from '../walk.ts';
import { enterEthernet } from './ethernet.ts';
import { enterHdlc } from './hdlc.ts';
import { enterNull } from './null.ts';
import { enterPpp, enterPppoe } from './ppp.ts';
import { enterSll, enterSll2 } from './sll.ts';
import { enterTzsp } from './tzsp.ts';

/** Moves `walk` to the IP header, or says why there is none. */
export function enterLink(walk: Walk, linkType: number): Refusal | undefined {
  switch (linkType) {
    case 0:
      return enterNull(walk, 'null');
    case 1:
      return enterEthernet(walk);
    case 9:
      return enterPpp(walk);
    case 12: // DLT_RAW of most systems
    case 14: // DLT_RAW of OpenBSD
    case 101:
      return enterRaw(walk, 0);
    case 50:
      return enterHdlc(walk);
    case 51:
      return enterPppoe(walk);
    case 108:
      return enterNull(walk, 'loop');
    case 113:
      return enterSll(walk);
    case 128:
      return enterTzsp(walk);
    case 228:
      return enterRaw(walk, 4);
    case 229:
      return enterRaw(walk, 6);
    case 276:
      return enterSll2(walk);
    default:
      return { reason: 'link-type', detail: linkTypeName(linkType) };
  }
}

function enterRaw(walk: Walk, network: 0 | 4 | 6): undefined {
  walk.path = walk.path.plus('raw');
  walk.network = network;
  return undefined;
}
