/** What follows an Ethernet type: IP, VLAN tags around it, or a PPPoE session. Shared by Ethernet and the cooked link types. */
import { u16be } from '../../base/bytes.ts';
import { type Refusal, short, type Walk } from '../walk.ts';
import { enterPppoe } from './ppp.ts';

const NAMES: Readonly<Record<number, string>> = {
  2054: 'ARP',
  17157: 'batman-adv',
  32821: 'RARP',
  34887: 'MPLS',
  34888: 'MPLS',
  34915: 'PPPoE discovery',
  34925: 'Intel ANS probe',
  34958: 'EAPOL',
  35007: 'MikroTik RoMON',
  35020: 'LLDP',
  35045: 'MACsec',
  35074: 'CFM',
  36867: 'loopback test',
};

const NOT_IP = new Map<number, Refusal>(
  Object.entries(NAMES).map(([type, detail]) => [Number(type), { reason: 'not-ip', detail }]),
);
const LLC: Refusal = { reason: 'not-ip', detail: 'LLC' };
const VLAN_CUT_OFF: Refusal = { reason: 'not-ip', detail: 'frame ends within a VLAN tag' };
const TOO_MANY_TAGS: Refusal = { reason: 'not-ip', detail: 'more than 4 VLAN tags' };
const MAX_TAGS = 4;

/** `walk.at` is behind the type field. Types up to 1500 are lengths of an LLC frame (IEEE 802.3 §3.2.6). */
export function enterEthertype(walk: Walk, type: number): Refusal | undefined {
  for (let tags = 0; tags <= MAX_TAGS; tags++) {
    switch (type) {
      case 0x0800:
        walk.network = 4;
        return undefined;
      case 0x86dd:
        walk.network = 6;
        return undefined;
      case 0x8864:
        return enterPppoe(walk);
      case 0x8100: // 802.1Q
      case 0x88a8: // 802.1ad
      case 0x9100: // QinQ before 802.1ad
        if (walk.at + 4 > walk.end) return short(walk, VLAN_CUT_OFF);
        walk.path = walk.path.plusVlan(u16be(walk.bytes, walk.at));
        type = u16be(walk.bytes, walk.at + 2);
        walk.at += 4;
        break;
      default:
        if (type <= 1500) return LLC;
        return NOT_IP.get(type) ?? { reason: 'not-ip', detail: `ethertype 0x${type.toString(16).padStart(4, '0')}` };
    }
  }
  return TOO_MANY_TAGS;
}
