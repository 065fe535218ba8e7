/** Linux cooked capture, what `tcpdump -i any` writes: SLL (113) and SLL2 (276). Both know the direction. */
import { u16be } from '../../base/bytes.ts';
import { type Refusal, short, type Walk } from '../walk.ts';
import { enterEthertype } from './ethertype.ts';

const SLL_BYTES = 16;
const SLL2_BYTES = 20;
/** With this ARPHRD the protocol field is a netlink family. */
const ARPHRD_NETLINK = 824;
const TOO_SHORT: Refusal = { reason: 'not-ip', detail: 'frame shorter than a cooked header' };
const NETLINK: Refusal = { reason: 'not-ip', detail: 'netlink' };

/** Packet type, ARPHRD, address length, 8 octets of address, protocol. */
export function enterSll(walk: Walk): Refusal | undefined {
  const { bytes, at } = walk;
  if (at + SLL_BYTES > walk.end) return short(walk, TOO_SHORT);
  walk.path = walk.path.plus('sll');
  walk.direction ??= direction(u16be(bytes, at));
  walk.at = at + SLL_BYTES;
  return u16be(bytes, at + 2) === ARPHRD_NETLINK ? NETLINK : enterEthertype(walk, u16be(bytes, at + 14));
}

/** Protocol, 2 reserved, interface index (4), ARPHRD, packet type (1), address length (1), 8 octets of address. */
export function enterSll2(walk: Walk): Refusal | undefined {
  const { bytes, at } = walk;
  if (at + SLL2_BYTES > walk.end) return short(walk, TOO_SHORT);
  walk.path = walk.path.plus('sll2');
  walk.direction ??= direction(bytes[at + 10] ?? 0);
  walk.at = at + SLL2_BYTES;
  return u16be(bytes, at + 8) === ARPHRD_NETLINK ? NETLINK : enterEthertype(walk, u16be(bytes, at));
}

/** 0 to us, 1 broadcast, 2 multicast, 4 sent by us; 3 was only overheard and is neither in nor out. */
function direction(packetType: number): 'in' | 'out' | undefined {
  if (packetType === 4) return 'out';
  return packetType <= 2 ? 'in' : undefined;
}
