/** The receiver's AllowedIPs for a peer do not hold the address that this peer sends from. */
import { formatIp, formatPrefix, inPrefix, maskIp } from '../../base/address.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import {
  covered,
  type End,
  fileSubject,
  isHost,
  listings,
  oncePerPair,
  ownAddresses,
  placeOf,
} from '../config-evidence.ts';
import { allowedIpsEdit } from '../edit.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const LISTED = 6;

interface MissingFacts extends Facts {
  readonly sender: string;
  readonly address: string;
  readonly host: string;
  readonly receiver: string;
  readonly allowed: readonly string[];
  readonly key: string;
  /** Another peer of the receiver has this address: then it is the sender’s that is wrong. */
  readonly takenAt: string | null;
}

export const allowedipsMissingAddress = defineRule({
  name: 'allowedips-missing-address',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'the tunnel address of one end is not within the AllowedIPs that the other end has for it',
    why: 'AllowedIPs are also the filter for what comes in: after decryption a packet from any other source is dropped, and nothing is routed back; the handshake succeeds all the same',
    fix: 'add the host part of the sender’s Address to the AllowedIPs of its [Peer] at the receiver, as /32 or /128',
  },
  check: (world): Found<MissingFacts>[] =>
    oncePerPair(listings(world), ({ lister, listed, peer, back }) =>
      back === undefined ? [] : missing(listed, back, lister, peer),
    ),
  message({ sender, address, receiver, allowed }) {
    const list = allowed.length === 0 ? 'no AllowedIPs' : `only ${allowed.join(', ')}`;
    return `${sender} sends from ${address}, and ${receiver} allows ${list} for it`;
  },
  fix: ({ host, key, receiver, sender, takenAt }) => {
    if (takenAt !== null) {
      return {
        linux: [`at ${sender}: Address = the one that stands at ${receiver}, since ${takenAt} has this one`],
        routeros: ['/ip address set [find interface=INTERFACE] address=ADDRESS/LENGTH'],
      };
    }
    return {
      linux: [
        `at ${receiver}: AllowedIPs = ${host}, with what stands there already`,
        `at once, until restart: wg set INTERFACE peer ${key} allowed-ips ${host},…   (give the whole list: it replaces the old one)`,
      ],
      routeros: [`/interface wireguard peers set [find public-key="${key}"] allowed-address=${host},…`],
    };
  },
});

/** `forReceiver` is the sender's entry for the receiver: what it does not route there it does not send there. */
function missing(sender: End, forReceiver: WgPeer, receiver: End, peer: WgPeer): Found<MissingFacts>[] {
  const addresses = ownAddresses(sender);
  const out: Found<MissingFacts>[] = [];
  for (const size of [4, 16]) {
    const family = addresses.filter((ip) => ip.length === size);
    const [ip] = family;
    // with several addresses the sender takes the one that fits the route: one of them is enough
    if (ip === undefined || family.some((one) => covered(one, peer))) continue;
    if (!forReceiver.allowedIps.some(({ value }) => value.ip.length === size)) continue;
    const otherFamily = addresses.some((one) => covered(one, peer));
    const subnets = peer.allowedIps.some(({ value }) => value.ip.length === size && !isHost(value));
    const line = sender.entry.conf.interface.addresses.find(({ value }) => value.ip === ip)?.line;
    const taken = receiver.entry.conf.peers
      .filter((other) => other !== peer)
      .flatMap(({ allowedIps }) => allowedIps)
      .find(({ value }) => isHost(value) && inPrefix(ip, value));
    const takenAt = taken === undefined ? null : placeOf(receiver.entry, taken.line);
    out.push({
      facts: {
        sender: placeOf(sender.entry, line),
        address: formatIp(ip),
        host: `${formatIp(ip)}/${size * 8}`,
        receiver: placeOf(receiver.entry, peer.allowedIps[0]?.line ?? peer.line),
        allowed: peer.allowedIps
          .slice(0, LISTED)
          .map(({ value }) => formatPrefix({ ip: maskIp(value.ip, value.bits), bits: value.bits })),
        key: sender.own.text,
        takenAt,
      },
      certainty: 'proven',
      ...(otherFamily || subnets ? { severity: 'warning' as const } : {}),
      frames: [],
      subject: fileSubject(receiver.entry),
      edits:
        taken === undefined
          ? allowedIpsEdit(receiver.entry, peer, [...peer.allowedIps.map(({ value }) => value), { ip, bits: size * 8 }])
          : [],
      notes: [
        ...(takenAt === null
          ? []
          : [`${takenAt} gives that address to another peer, so it is the sender’s Address that is wrong`]),
        ...(subnets
          ? ['packets from the networks that are allowed pass; those that the sender itself sends do not']
          : []),
        ...(otherFamily ? [`${size === 4 ? 'IPv6' : 'IPv4'} passes`] : []),
      ],
    });
  }
  return out;
}
