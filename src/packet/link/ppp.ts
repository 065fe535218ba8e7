/** PPP bare (link type 9) and in a PPPoE session (51 and Ethernet type 0x8864). */
import { u16be } from '../../base/bytes.ts';
import { type Refusal, short, type Walk } from '../walk.ts';

const NAMES: Readonly<Record<number, string>> = {
  61: 'PPP multilink',
  253: 'PPP compressed data',
  32801: 'PPP IPCP',
  32855: 'PPP IPV6CP',
  33021: 'PPP CCP',
  49185: 'PPP LCP',
  49187: 'PPP PAP',
  49189: 'PPP link quality report',
  49699: 'PPP CHAP',
  49703: 'PPP EAP',
};

const NOT_IP = new Map<number, Refusal>(
  Object.entries(NAMES).map(([type, detail]) => [Number(type), { reason: 'not-ip', detail }]),
);
const TOO_SHORT: Refusal = { reason: 'not-ip', detail: 'frame shorter than a PPP header' };
const PPPOE_SHORT: Refusal = { reason: 'not-ip', detail: 'frame shorter than a PPPoE header' };
const NOT_SESSION: Refusal = { reason: 'not-ip', detail: 'no PPPoE session packet' };
const PPPOE_BYTES = 6;

/** Address and control `ff 03` may be left out, the protocol's first octet too (RFC 1661 §6.5, §6.6). */
export function enterPpp(walk: Walk): Refusal | undefined {
  walk.path = walk.path.plus('ppp');
  return enterPppProtocol(walk);
}

/** Session stage (RFC 2516 §4); its length field cuts off Ethernet padding. */
export function enterPppoe(walk: Walk): Refusal | undefined {
  const { bytes, at } = walk;
  if (at + PPPOE_BYTES > walk.end) return short(walk, PPPOE_SHORT);
  if (bytes[at] !== 0x11 || bytes[at + 1] !== 0) return NOT_SESSION;
  const length = u16be(bytes, at + 4);
  walk.path = walk.path.plus('pppoe');
  walk.at = at + PPPOE_BYTES;
  walk.end = Math.min(walk.end, walk.at + length);
  walk.wireEnd = Math.min(walk.wireEnd, walk.at + length);
  return enterPppProtocol(walk);
}

function enterPppProtocol(walk: Walk): Refusal | undefined {
  const { bytes, end } = walk;
  if (walk.at + 2 <= end && bytes[walk.at] === 0xff && bytes[walk.at + 1] === 0x03) walk.at += 2;
  const first = bytes[walk.at] ?? 0;
  const size = (first & 1) === 1 ? 1 : 2;
  if (walk.at + size > end) return short(walk, TOO_SHORT);
  const protocol = size === 1 ? first : u16be(bytes, walk.at);
  walk.at += size;
  if (protocol === 0x0021) walk.network = 4;
  else if (protocol === 0x0057) walk.network = 6;
  else
    return (
      NOT_IP.get(protocol) ?? { reason: 'not-ip', detail: `PPP protocol 0x${protocol.toString(16).padStart(4, '0')}` }
    );
  return undefined;
}
