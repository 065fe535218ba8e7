/** Forms of WireGuard that a plain one does not understand: named, and held against what the files say. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { ForeignFlow, Timeline } from '../../analyze/timeline.ts';
import type { World } from '../../analyze/world.ts';
import { captureSubject, datagrams, flowFrames } from '../capture-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ObfuscatedFacts extends Facts {
  readonly forms: readonly string[];
  readonly count: number;
  readonly file: string | null;
  readonly plainEnd: string | null;
}

export const obfuscated = defineRule({
  name: 'obfuscated',
  severity: 'info',
  on: 'capture',
  group: 'capture',
  hides: ['not-wireguard'],
  explain: {
    what: 'datagrams of an extended or disguised WireGuard: reserved bytes in use, padding, other message types',
    why: 'both ends must speak the same form: a plain WireGuard drops such messages by their type or length, in silence',
    fix: 'use the same program with the same settings (AmneziaWG: S1, S2, H1 to H4) at both ends, or plain WireGuard at both',
  },
  check(timeline, world): Found<ObfuscatedFacts>[] {
    const out: Found<ObfuscatedFacts>[] = [];
    const flows = [...timeline.variants.values()];
    if (flows.length > 0) {
      out.push({
        facts: { forms: [...new Set(flows.map(({ name }) => name))], count: sum(flows), file: null, plainEnd: null },
        certainty: 'suspected',
        frames: flowFrames(flows),
        subject: captureSubject(timeline),
        notes: ['named by its sizes and by the reserved bytes; what is in it was not judged'],
      });
    }
    for (const entry of world.keys.confs) {
      const found = amnezia(timeline, entry, world);
      if (found !== undefined) out.push(found);
    }
    return out;
  },
  message({ forms, count, file }) {
    if (file === null) return `${datagrams(count)} of an extended WireGuard: ${forms.join(', ')}`;
    const have = count === 1 ? 'has' : 'have';
    return `${datagrams(count)} on the port of ${file} ${have} no WireGuard type: ${file} has AmneziaWG settings`;
  },
  fix: ({ plainEnd, file }) =>
    plainEnd === null
      ? {}
      : {
          linux: [
            `in ${file}: take out Jc, Jmin, Jmax, S1, S2 and H1 to H4, or run AmneziaWG with the same ones at ${plainEnd}`,
          ],
          routeros: ['RouterOS speaks plain WireGuard only: take these settings out at the other end'],
        },
});

/** Unknown datagrams on a port that a file with AmneziaWG settings names. */
function amnezia(timeline: Timeline, entry: ConfEntry, world: World): Found<ObfuscatedFacts> | undefined {
  if (!hasAmnezia(entry)) return undefined;
  const ports = new Set(entry.conf.peers.flatMap(({ endpoint }) => endpoint?.value.port ?? []));
  const own = entry.conf.interface.listenPort?.value ?? 0;
  if (own !== 0) ports.add(own);
  const flows = [...timeline.foreign.values()].filter(
    ({ name, from, to }) => name === 'unknown' && (ports.has(to.port) || ports.has(from.port)),
  );
  if (flows.length === 0) return undefined;
  const others = world.keys.confs.filter(({ own: key }) => key !== undefined && entry.peers.has(key.text));
  const plain = others.find((other) => !hasAmnezia(other));
  return {
    facts: { forms: ['AmneziaWG'], count: sum(flows), file: entry.name, plainEnd: plain?.name ?? null },
    certainty: 'suspected',
    frames: flowFrames(flows),
    subject: captureSubject(timeline),
    notes:
      plain === undefined
        ? []
        : [
            `${plain.name} has no such settings: if it is what runs there, a plain WireGuard, these are dropped in silence`,
          ],
  };
}

function hasAmnezia({ conf }: ConfEntry): boolean {
  return conf.faults.some(({ kind }) => kind === 'amnezia-setting');
}

function sum(flows: readonly ForeignFlow[]): number {
  return flows.reduce((total, { count }) => total + count, 0);
}
