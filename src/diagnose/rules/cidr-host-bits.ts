/** AllowedIPs with a host part: the whole network is meant by it, not the one address. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import { formatIp, formatPrefix, type Prefix } from '../../base/address.ts';
import { network, networkText, within } from '../../base/prefix.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { allowedIpsEdit } from '../edit.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** Told per file. */
const ENTRIES = 20;
/** Entries of a peer whose line is written anew. */
const MENDED = 200;

interface HostBitsFacts extends Facts {
  readonly place: string;
  readonly written: string;
  readonly network: string;
  readonly address: string;
  /** The prefix that is probably meant. */
  readonly meant: string;
}

export const cidrHostBits = defineRule({
  name: 'cidr-host-bits',
  severity: 'warning',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'an entry of AllowedIPs has bits set beyond its length, such as 10.66.66.2/24',
    why: 'WireGuard masks them: 10.66.66.2/24 is the whole of 10.66.66.0/24, so one client of a server gets the packets for all of them; `wg` says so in a warning that is easily missed',
    fix: 'write /32 (IPv6: /128) for the one address of a client, or the network with zeros behind its length',
  },
  check: (world): Found<HostBitsFacts>[] =>
    settings(world).flatMap((entry) => {
      const allowed = prefixesByPeer(entry);
      return allowed
        .filter(({ prefix }) => formatPrefix(prefix) !== networkText(prefix))
        .slice(0, ENTRIES)
        .map((one) => found(entry, one, allowed));
    }),
  message: ({ place, written, network: whole, address }) =>
    `AllowedIPs ${written} at ${place} is the whole network ${whole}, not the one address ${address}`,
  fix: ({ place, meant }) => ({
    linux: [`at ${place}: ${meant} in place of it`, 'to see what was loaded: wg show INTERFACE allowed-ips'],
    routeros: [
      `/interface wireguard peers print; /interface wireguard peers set NUMBER allowed-address=${meant},…   (the whole list: it replaces the old one)`,
    ],
  }),
});

interface Allowed {
  readonly peer: WgPeer;
  readonly prefix: Prefix;
  readonly line: number;
}

function prefixesByPeer({ conf }: ConfEntry): Allowed[] {
  return conf.peers.flatMap((peer) => peer.allowedIps.map(({ value, line }) => ({ peer, prefix: value, line })));
}

/** Where others have addresses in that network, the one address is meant. */
function takesOthers({ peer, prefix }: Pick<Allowed, 'peer' | 'prefix'>, allowed: readonly Allowed[]): boolean {
  return allowed.some((other) => other.peer !== peer && within(other.prefix, prefix));
}

function meantBy(one: Pick<Allowed, 'peer' | 'prefix'>, allowed: readonly Allowed[]): Prefix {
  const { ip } = one.prefix;
  const hasHostBits = formatPrefix(one.prefix) !== networkText(one.prefix);
  return hasHostBits && takesOthers(one, allowed) ? { ip, bits: ip.length * 8 } : network(one.prefix);
}

function found(entry: ConfEntry, one: Allowed, allowed: readonly Allowed[]): Found<HostBitsFacts> {
  const { peer, prefix, line } = one;
  const takes = takesOthers(one, allowed);
  return {
    facts: {
      place: placeOf(entry, line),
      written: formatPrefix(prefix),
      network: networkText(prefix),
      address: formatIp(prefix.ip),
      meant: formatPrefix(meantBy(one, allowed)),
    },
    certainty: 'proven',
    ...(takes ? {} : { severity: 'info' as const }),
    frames: [],
    subject: fileSubject(entry),
    // all entries of the peer, as they may stand in one line
    edits:
      peer.allowedIps.length > MENDED
        ? []
        : allowedIpsEdit(
            entry,
            peer,
            peer.allowedIps.map(({ value }) => meantBy({ peer, prefix: value }, allowed)),
          ),
    notes: takes
      ? ['other peers of this interface have addresses in that network']
      : ['nothing else of this file is in that network, so it does no harm now'],
  };
}
