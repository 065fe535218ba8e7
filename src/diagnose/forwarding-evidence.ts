/** Through which ends others send packets that are not for them, and what their machines do with such packets. */

import type { ConfEntry } from '../analyze/key-set.ts';
import type { Machine } from '../analyze/machine.ts';
import type { World } from '../analyze/world.ts';
import type { IpBytes, Prefix } from '../base/address.ts';
import { scopeOf } from '../base/address-scope.ts';
import { equal } from '../base/bytes.ts';
import { oncePer } from '../base/once-per.ts';
import { networkText, within } from '../base/prefix.ts';
import type { WgPeer } from '../config/wg-conf.ts';
import { listings, placeOf, settings } from './config-evidence.ts';
import type { Probe, Way } from './first-match.ts';
import { SELF } from './post-up.ts';

/** A prefix that one end routes through another, which has to pass the packets on. */
export interface Asked {
  /** The end that is to forward. */
  readonly through: ConfEntry;
  readonly from: ConfEntry;
  readonly prefix: Prefix;
  /** `client.conf line 9` */
  readonly place: string;
  /** The forwarding end's own entry for the asking one. */
  readonly back: WgPeer;
  /** All of the internet, or a part of it. */
  readonly internet: boolean;
}

export const asked = oncePer<World, readonly Asked[]>(collect);

function collect(world: World): Asked[] {
  const set = new Set(settings(world));
  return listings(world).flatMap(({ lister, listed, peer, back }) => {
    const through = listed.entry;
    if (back === undefined || !set.has(through) || !set.has(lister.entry)) return [];
    const own = through.conf.interface.addresses.map(({ value }) => value);
    return peer.allowedIps.flatMap(({ value: prefix, line }): Asked[] => {
      // its own address, or the network of the tunnel, which is rarely meant for more than the other end
      const internet = prefix.bits < 8 || scopeOf(prefix.ip) === 'global';
      if (own.some((address) => within(prefix, address) || isHost(prefix, address))) return [];
      if (own.length === 0 ? !internet : !own.some(({ ip }) => ip.length === prefix.ip.length)) return [];
      return [{ through, from: lister.entry, prefix, place: placeOf(lister.entry, line), back, internet }];
    });
  });
}

const isHost = (prefix: Prefix, { ip }: Prefix): boolean =>
  prefix.bits === prefix.ip.length * 8 && equal(prefix.ip, ip);

/** Those of one end; several prefixes of one file are told as one. */
export function askedThrough(world: World, entry: ConfEntry): Asked[] {
  return asked(world).filter(({ through }) => through === entry);
}

/** `0.0.0.0/0 (client.conf line 9)` */
export function askedText({ prefix, place }: Asked): string {
  return `${networkText(prefix)} (${place})`;
}

/** Inner addresses of the end that asks, of one family. */
export function innerSources({ from }: Asked, length: number): IpBytes[] {
  return from.conf.interface.addresses.map(({ value }) => value.ip).filter((ip) => ip.length === length);
}

/** Packets from the tunnel, what comes back to it, and what begins on the other side and goes into it. */
export type Direction = 'in' | 'back' | 'out';

export function forwardProbe(
  direction: Direction,
  {
    tunnels,
    outside,
    sources,
    family,
  }: {
    readonly tunnels: readonly string[];
    readonly outside: Way;
    readonly sources: readonly IpBytes[];
    readonly family: Probe['family'];
  },
): Probe {
  const tunnel: Way = tunnels.length === 0 ? { names: [SELF], never: [] } : { names: [...new Set(tunnels)], never: [] };
  const into = direction === 'in';
  return {
    hook: 'forward',
    family,
    state: direction === 'back' ? 'established' : 'new',
    in: into ? tunnel : outside,
    out: into ? outside : tunnel,
    sources: into ? sources : [],
    destinations: into ? [] : sources,
  };
}

/** The interface that packets to a prefix leave by: the most exact route, as far as routes were listed. */
export function wayTo(prefix: Prefix, { routes }: Machine, tunnels: readonly string[]): Way {
  const never = ['lo', ...tunnels];
  const fitting = routes.filter(
    ({ destination, interface: on, type, table }) =>
      on !== undefined &&
      type === undefined &&
      !tunnels.includes(on) &&
      (table ?? 'main') === 'main' &&
      within(prefix, destination),
  );
  const best = fitting.reduce((most, { destination }) => Math.max(most, destination.bits), -1);
  const names = fitting.flatMap(({ destination, interface: on }) =>
    on !== undefined && destination.bits === best ? [on] : [],
  );
  return names.length === 0 ? { never } : { never, names: [...new Set(names)] };
}
