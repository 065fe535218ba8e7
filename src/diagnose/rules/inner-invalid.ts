/** What comes out of the tunnel is no IP packet, or one whose length lies. */
import type { InnerEnd } from '../../analyze/inner/pair.ts';
import type { DropKind } from '../../wg/drop.ts';
import { tunnelSubject } from '../evidence.ts';
import { endNamed } from '../inner-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** Less than this part of what an end sends still leaves a tunnel that works. */
const LARGE_PART = 0.2;

const WORDS: Readonly<Partial<Record<DropKind, string>>> = {
  'inner-version': 'neither IPv4 nor IPv6',
  'inner-too-short': 'shorter than an IP header',
  'inner-length': 'shorter than its own IP header says',
};

interface InvalidFacts extends Facts {
  readonly sender: string;
  readonly packets: number;
  readonly kinds: readonly string[];
  /** Of all that this end sent and that opened. */
  readonly percent: number;
}

export const innerInvalid = defineRule<'tunnel', InvalidFacts>({
  name: 'inner-invalid',
  severity: 'error',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §5.4.6',
  explain: {
    what: 'data opens with the session’s key, and what is inside is no IP packet, or is shorter than its own header says',
    why: 'the receiver drops it after decryption; since the key fits, nothing on the way can have done it: the sending end itself put it into the tunnel so',
    fix: 'look at the sending end: an update of its WireGuard, and what feeds its tunnel interface (a bridge hands over Ethernet frames, which are no IP packets)',
  },
  check(tunnel, world): Found<InvalidFacts>[] {
    return tunnel.inner.flatMap(({ inner, timeline }) =>
      inner.ends.flatMap((end) => {
        if (end.invalid.count === 0) return [];
        const part = end.invalid.count / (end.invalid.count + end.packets);
        return [
          {
            facts: {
              sender: endNamed(end.name, timeline, tunnel, world).entry?.name ?? end.name,
              packets: end.invalid.count,
              kinds: kindsOf(end),
              percent: Math.round(part * 1000) / 10,
            },
            certainty: 'proven' as const,
            ...(part < LARGE_PART ? { severity: 'warning' as const } : {}),
            frames: end.invalid.frames,
            subject: tunnelSubject(tunnel),
            notes: ['each of them passed the authentication of the tunnel: it left its sender just so'],
          },
        ];
      }),
    );
  },
  message: ({ sender, packets, kinds, percent }) =>
    `${packets} packet${packets === 1 ? '' : 's'} that ${sender} put into the tunnel (${percent} % of its data) ${packets === 1 ? 'is' : 'are'} no valid IP: ${kinds.join('; ')}`,
  fix: () => ({
    linux: ['on the sending end: ip -d link show INTERFACE; wg --version; modinfo wireguard | grep version'],
    routeros: [
      'on the sending end: /interface bridge port print (a WireGuard interface cannot be a port); /system package update check-for-updates',
    ],
  }),
});

function kindsOf({ invalid }: InnerEnd): string[] {
  return [...invalid.kinds].map(([kind, count]) => `${count} ${WORDS[kind] ?? kind}`);
}
