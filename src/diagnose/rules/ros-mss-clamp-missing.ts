/** A RouterOS router that sends TCP of its networks into a tunnel with a smaller MTU, and lowers no MSS. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { networkText, within } from '../../base/prefix.ts';
import type { RosRule } from '../../config/routeros/firewall.ts';
import { fileSubject, settings } from '../config-evidence.ts';
import { lanNetworks, type Router, routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** What RouterOS takes where none is set. */
const DEFAULT_MTU = 1420;
const ETHERNET_MTU = 1500;

interface ClampFacts extends Facts {
  readonly file: string;
  readonly interface: string;
  readonly mtu: number;
  readonly network: string;
}

export const rosMssClampMissing = defineRule({
  name: 'ros-mss-clamp-missing',
  severity: 'info',
  on: 'files',
  group: 'config',
  explain: {
    what: 'the router forwards TCP between its networks and the tunnel, and no mangle rule with change-mss lowers the segment size to what the tunnel carries',
    why: 'hosts on Ethernet offer 1460 bytes; the router has to tell them by ICMP that the tunnel carries less, and where a host or a firewall drops that, large transfers hang while small ones work',
    fix: 'add change-mss with clamp-to-pmtu for SYN packets into and out of the WireGuard interface',
  },
  check: (world: World): Found<ClampFacts>[] => settings(world).flatMap((entry) => found(entry) ?? []),
  message: ({ file, interface: name, mtu, network }) =>
    `${file} forwards between ${network} and ${name}, whose MTU is ${mtu}, and no rule lowers the MSS of TCP`,
  fix: ({ interface: name }) => ({
    routeros: [
      `/ip firewall mangle add chain=forward protocol=tcp tcp-flags=syn out-interface=${name} action=change-mss new-mss=clamp-to-pmtu passthrough=yes`,
      `/ip firewall mangle add chain=forward protocol=tcp tcp-flags=syn in-interface=${name} action=change-mss new-mss=clamp-to-pmtu passthrough=yes`,
    ],
  }),
});

function found(entry: ConfEntry): Found<ClampFacts> | undefined {
  const router = routerOf(entry);
  if (router === undefined) return undefined;
  const { config, end } = router;
  const { wireguard, name } = end;
  if (wireguard === undefined || name === undefined) return undefined;
  // commands say what is added, not what is there
  if (config.header === undefined || config.rules.some((rule) => clamps(rule, router))) return undefined;
  const [lan] = lanNetworks(config);
  const tunnel = entry.conf.interface.addresses;
  const beyond = end.peers.some(({ allowedAddresses }) =>
    allowedAddresses.some(({ value }) => !tunnel.some((own) => within(value, own.value))),
  );
  const mtu = wireguard.mtu?.value ?? DEFAULT_MTU;
  if (lan === undefined || !beyond || mtu >= ETHERNET_MTU) return undefined;
  return {
    facts: { file: entry.name, interface: name, mtu, network: networkText(lan.address.value) },
    certainty: 'suspected',
    frames: [],
    subject: fileSubject(entry),
    notes: ['it shows only where something drops the ICMP messages that tell hosts of the smaller MTU'],
  };
}

/** For every interface, or for this one. */
function clamps({ action, disabled, matchers }: RosRule, { end }: Router): boolean {
  if (action.value !== 'change-mss' || disabled) return false;
  const ways = matchers.flatMap((one) =>
    one.kind === 'text' && /^(in|out)-interface$/.test(one.name) ? [one.value] : [],
  );
  return ways.length === 0 || ways.some((way) => way === end.name || way.startsWith('!'));
}
