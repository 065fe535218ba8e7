/** The kernel of a Linux end forwards nothing, and other ends send packets through it. */
import type { World } from '../../analyze/world.ts';
import type { SysctlSetting } from '../../config/host/sysctl.ts';
import { type Asked, askedText, askedThrough } from '../forwarding-evidence.ts';
import { type Host, hosts, machineSubject, presumption } from '../machine-evidence.ts';
import { postUpOf } from '../post-up.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const TOLD = 3;

interface ForwardFacts extends Facts {
  readonly end: string;
  readonly place: string;
  readonly name: string;
  readonly asked: readonly string[];
}

export const ipForwardOff = defineRule({
  name: 'ip-forward-off',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'IP forwarding is switched off on a host that other ends route more than its own addresses through',
    why: 'the tunnel itself works, and the host answers under its own address; packets for anybody behind it are dropped after they were decrypted, without a word',
    fix: 'switch forwarding on, and write it into /etc/sysctl.d so that it stays on',
  },
  check: (world): Found<ForwardFacts>[] =>
    hosts(world).flatMap((host) => [...found(host, 4, world), ...found(host, 16, world)]),
  message: ({ end, place, name, asked }) =>
    `${name} is 0 (${place}), and ${end} is to pass on ${asked.join(', ')}: what is not for itself it drops`,
  fix: ({ name }) => ({
    linux: [`sysctl -w ${name}=1`, `to keep it: echo '${name} = 1' > /etc/sysctl.d/90-forward.conf; sysctl --system`],
    routeros: ['/ip settings print   (ip-forward has to be yes, which it is from the beginning)'],
  }),
});

const NAMES: Readonly<Record<number, readonly string[]>> = {
  4: ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding'],
  16: ['net.ipv6.conf.all.forwarding'],
};

function found(host: Host, length: number, world: World): Found<ForwardFacts>[] {
  const { entry, machine, sure } = host;
  const names = NAMES[length] ?? [];
  // sysctl may have been asked twice, before and after
  const setting: SysctlSetting | undefined = machine.sysctls.findLast(({ name }) => names.includes(name));
  if (setting === undefined || setting.value !== '0' || postUpOf(entry.conf).forwards) return [];
  const through: readonly Asked[] = askedThrough(world, entry).filter(({ prefix }) => prefix.ip.length === length);
  if (through.length === 0) return [];
  const more = through.length - TOLD;
  return [
    {
      facts: {
        end: entry.name,
        place: `${machine.name} line ${setting.line}`,
        name: setting.name,
        asked: [...through.slice(0, TOLD).map(askedText), ...(more > 0 ? [`${more} more`] : [])],
      },
      certainty: sure ? 'deduced' : 'suspected',
      frames: [],
      subject: machineSubject(machine),
      notes: presumption(host),
    },
  ];
}
