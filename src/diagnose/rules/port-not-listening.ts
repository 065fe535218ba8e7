/** The host lists its UDP sockets, and the ListenPort is not among them, or another program has it. */

import type { World } from '../../analyze/world.ts';
import type { UdpSocket } from '../../config/host/sockets.ts';
import { settings } from '../config-evidence.ts';
import { dialers, type Host, hosts, listenPort, machineSubject, presumption } from '../machine-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ListeningFacts extends Facts {
  readonly end: string;
  readonly port: number;
  readonly file: string;
  readonly line: number;
  readonly sockets: number;
  /** Who has the port instead; null where nobody has. */
  readonly program: string | null;
}

/** Programs that are WireGuard; the kernel's own socket has none (socket.c, udp_sock_create). */
const WIREGUARD = /wireguard|boringtun|gotatun|neptun|amnezia|awg|wg|wgwhy|node|tailscaled|netbird|netmaker/i;

export const portNotListening = defineRule({
  name: 'port-not-listening',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'the list of UDP sockets of the host does not have the ListenPort, or another program holds it',
    why: 'the tunnel is not up there, or came up on another port: the host answers initiations with ICMP port unreachable, or another program takes and forgets them',
    fix: 'bring the tunnel up and read what it says; stop the other program, or give one of the two another port',
  },
  check: (world): Found<ListeningFacts>[] => hosts(world).flatMap((host) => found(host, world) ?? []),
  message({ end, port, file, line, sockets, program }) {
    const listing = `${file} line ${line}`;
    return program === null
      ? `nothing listens on UDP port ${port} of ${end}: the ${sockets === 1 ? 'one socket' : `${sockets} sockets`} listed from ${listing} on ${sockets === 1 ? 'is' : 'are'} on other ports`
      : `UDP port ${port} of ${end} belongs to another program, ${program} (${listing})`;
  },
  fix: ({ port, program }) => ({
    linux:
      program === null
        ? [
            'wg show   (is the interface there, and on which port does it listen?)',
            'wg-quick up INTERFACE   or   systemctl restart wg-quick@INTERFACE; journalctl -u wg-quick@INTERFACE -e',
            `ss -ulnp 'sport = :${port}'   (the kernel’s own socket shows no program)`,
          ]
        : [
            `ss -ulnp 'sport = :${port}'   (who it is; stop it, or give the tunnel another ListenPort on both ends)`,
            'wg-quick down INTERFACE; wg-quick up INTERFACE   (it then gets the port, or says that it is in use)',
          ],
    routeros: ['/interface wireguard print   (is it running, is listen-port right?)'],
  }),
});

function found(host: Host, world: World): Found<ListeningFacts> | undefined {
  const { entry, machine, sure } = host;
  const port = listenPort(entry);
  const [first] = machine.sockets;
  if (port === undefined || first === undefined || !settings(world).includes(entry)) return undefined;
  if (dialers(entry, world).length === 0) return undefined;
  const here = machine.sockets.filter((socket) => socket.port === port.value && socket.peer === undefined);
  const [other] = here;
  if (other !== undefined && (here.some(isWireguard) || !machine.sockets.some(({ program }) => program !== undefined)))
    return undefined;
  // what runs, in the same text, is on this port
  const running = world.keys.confs.some(
    ({ input, origin }) =>
      input === machine.input && origin.kind === 'wg-show' && origin.status.listenPort?.value === port.value,
  );
  if (running) return undefined;
  return {
    facts: {
      end: entry.name,
      port: port.value,
      file: machine.name,
      line: other?.line ?? first.line,
      sockets: machine.sockets.length,
      program: other?.program === undefined ? null : programText(other.program),
    },
    certainty: sure ? 'deduced' : 'suspected',
    frames: [],
    subject: machineSubject(machine),
    notes: [
      ...presumption(host),
      'a list that was cut by grep, or taken before the tunnel came up, would look the same',
    ],
  };
}

const isWireguard = ({ program }: UdpSocket): boolean => program === undefined || WIREGUARD.test(program);

/** `openvpn,pid=812,fd=6` of ss, `812/openvpn` of netstat. */
function programText(shown: string): string {
  const [, name, pid] = /^([^,]+),pid=(\d+)/.exec(shown) ?? [];
  return name === undefined ? shown : `${name}, pid ${pid}`;
}
