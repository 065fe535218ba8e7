/** The two ends of a tunnel have different MTUs. */
import { fileSubject, placeOf, settingPairs } from '../config-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface DiffersFacts extends Facts {
  readonly larger: string;
  readonly largerMtu: number;
  readonly smaller: string;
  readonly smallerMtu: number;
}

export const mtuDiffers = defineRule({
  name: 'mtu-differs',
  severity: 'info',
  on: 'files',
  group: 'config',
  explain: {
    what: 'the files of the two ends of a tunnel set different MTUs',
    why: 'the MTU is no part of the protocol: each end only limits what it sends itself, and takes what comes; if the smaller one was chosen for a narrow path, the larger end may still send too much for it',
    fix: 'set both to what the path carries: its MTU − 60 where the outer packets are IPv4, − 80 where they are IPv6',
  },
  check: (world): Found<DiffersFacts>[] =>
    settingPairs(world).flatMap(({ lister, listed }): Found<DiffersFacts>[] => {
      const both = [lister.entry, listed.entry].flatMap((entry) => {
        const mtu = entry.conf.interface.mtu;
        return mtu === undefined ? [] : [{ entry, mtu }];
      });
      const [smaller, larger] = both.sort((a, b) => a.mtu.value - b.mtu.value);
      if (smaller === undefined || larger === undefined || smaller.mtu.value === larger.mtu.value) return [];
      return [
        {
          facts: {
            larger: placeOf(larger.entry, larger.mtu.line),
            largerMtu: larger.mtu.value,
            smaller: placeOf(smaller.entry, smaller.mtu.line),
            smallerMtu: smaller.mtu.value,
          },
          certainty: 'proven',
          frames: [],
          subject: fileSubject(larger.entry),
        },
      ];
    }),
  message: ({ larger, largerMtu, smaller, smallerMtu }) =>
    `the MTUs of the two ends differ: ${largerMtu} at ${larger}, ${smallerMtu} at ${smaller}`,
  fix: ({ larger, smallerMtu }) => ({
    linux: [
      `if ${smallerMtu} was chosen for the path, at ${larger}: MTU = ${smallerMtu}`,
      'to measure the path, from either end: ping -M do -s 1472 ENDPOINT   (1500 bytes; smaller until it passes)',
    ],
    routeros: [`if ${smallerMtu} was chosen for the path: /interface wireguard set INTERFACE mtu=${smallerMtu}`],
  }),
});
