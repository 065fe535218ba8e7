/** Forms of WireGuard that a plain one does not understand: named, unwrapped, and held against what the files say. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { Timeline, VariantFlow } from '../../analyze/timeline.ts';
import { VARIANT } from '../../analyze/variants.ts';
import type { World } from '../../analyze/world.ts';
import { captureSubject, datagrams, flowFrames, noisePairs, pairIn } from '../capture-evidence.ts';
import { keyLabel, sightAtResponder, subjectOf } from '../evidence.ts';
import { refusedForm } from '../form-evidence.ts';
import { defineRule, type Facts, type Found, type RuledOut } from '../rule.ts';

interface ObfuscatedFacts extends Facts {
  readonly forms: readonly string[];
  readonly count: number;
  /** Datagrams whose messages were read. */
  readonly unwrapped: number;
  /** `S1 = 15`, each once. */
  readonly figures: readonly string[];
  readonly file: string | null;
  readonly plainEnd: string | null;
  /** Whose messages the other end cannot read, and why. */
  readonly refused: string | null;
  /** The file of who sent them, where it has settings of AmneziaWG. */
  readonly settingsIn: string | null;
}

/** S1 to S4 and H1 to H4. */
const FIGURES_TOLD = 8;

export const obfuscated = defineRule({
  name: 'obfuscated',
  severity: 'info',
  on: 'capture',
  group: 'capture',
  hides: ['not-wireguard', 'no-response', 'responder-silent', 'session-unconfirmed', 'psk-mismatch'],
  explain: {
    what: 'datagrams of an extended or disguised WireGuard: reserved bytes in use, padding, other message types, a stream around it',
    why: 'both ends must speak the same form: a plain WireGuard drops such messages by their type or length, in silence',
    fix: 'use the same program with the same settings (AmneziaWG: S1 to S4, H1 to H4) at both ends, or plain WireGuard at both',
  },
  check(timeline, world): Found<ObfuscatedFacts>[] {
    const out = refusals(timeline, world);
    const noise = noisePairs(timeline, world);
    const flows = [...timeline.variants.values()].filter((flow) => !noise.has(pairIn(timeline, flow)));
    if (flows.length > 0) out.push(named(timeline, flows));
    for (const entry of world.keys.confs) {
      const found = unread(timeline, entry, world);
      if (found !== undefined) out.push(found);
    }
    return out;
  },
  message({ forms, count, unwrapped, figures, file, refused }) {
    if (refused !== null) return refused;
    if (file === null) {
      const read = unwrapped === count ? '' : `${unwrapped} of them `;
      const judged = unwrapped === 0 ? '' : `, ${read}unwrapped and judged as plain messages`;
      const told = figures.length === 0 ? '' : `; ${figures.slice(0, FIGURES_TOLD).join(', ')}`;
      return `${datagrams(count)} of an extended WireGuard: ${forms.join(', ')}${judged}${told}`;
    }
    const have = count === 1 ? 'has' : 'have';
    return `${datagrams(count)} on the port of ${file} ${have} no WireGuard type: ${file} has AmneziaWG settings`;
  },
  fix({ plainEnd, file, refused, forms, settingsIn }) {
    if (plainEnd === null) return {};
    const away = 'take out Jc, Jmin, Jmax, S1 to S4, H1 to H4 and I1 to I5';
    if (refused === null) {
      return {
        linux: [`in ${file}: ${away}, or run AmneziaWG with the same ones at ${plainEnd}`],
        routeros: ['RouterOS speaks plain WireGuard only: take these settings out at the other end'],
      };
    }
    const routeros = [
      'RouterOS speaks plain WireGuard only: turn the disguise off at the other end, or put a program that undoes it before the router',
    ];
    if (forms.includes(VARIANT.warp)) {
      const off = 'take the three bytes out of the settings of the sender';
      return {
        linux: [`${off} (reserved in Xray and sing-box, ClientId elsewhere): only Cloudflare wants them`],
        routeros,
      };
    }
    const copied =
      settingsIn === null || settingsIn === file
        ? []
        : [
            `copy S1 to S4 and H1 to H4 from the [Interface] of ${settingsIn} into that of ${file}, and run AmneziaWG there: awg-quick up`,
          ];
    return {
      linux: [
        ...copied,
        'at both ends, to see what runs: awg show; wg show',
        `run the same program on both ends, with the same S1 to S4 and H1 to H4 in both [Interface] sections; or, for plain WireGuard, ${away} at both`,
      ],
      routeros,
    };
  },
});

/** What an end sent and the other one, as its file stands, cannot read. */
function refusals(timeline: Timeline, world: World): Found<ObfuscatedFacts>[] {
  return world.tunnels.flatMap((tunnel) =>
    tunnel.attempts.flatMap((attempt): Found<ObfuscatedFacts>[] => {
      const first = attempt.exchanges[0];
      if (attempt.outcome !== 'failed' || first?.views[0]?.timeline !== timeline) return [];
      const refusal = refusedForm(attempt, world);
      const [one] = refusal?.seen ?? [];
      if (refusal === undefined || one === undefined) return [];
      const { which, seen, entry, onWire, wanted } = refusal;
      const sender = world.keys.confs.find((other) => entry.own !== undefined && other.peers.has(entry.own.text));
      const many = seen.length === 1 ? `the ${which} to ${one.to.text} is` : `the ${which}s to ${one.to.text} are`;
      const mac1 = sightAtResponder(first)?.mac1;
      const ruledOut: RuledOut[] =
        mac1?.kind === 'known'
          ? [{ rule: 'wrong-responder-key', because: `MAC1 is right for ${keyLabel(mac1.key)}` }]
          : [];
      return [
        {
          facts: {
            forms: [one.wire?.variant ?? 'plain WireGuard'],
            count: seen.length,
            unwrapped: one.wire === undefined ? 0 : seen.length,
            figures: [],
            file: entry.name,
            plainEnd: entry.name,
            refused: `${many} ${onWire}, and ${wanted}: that end drops ${seen.length === 1 ? 'it' : 'them'} in silence`,
            settingsIn: sender !== undefined && hasAmnezia(sender) ? sender.name : null,
          },
          certainty: 'deduced',
          severity: 'error',
          frames: seen.map(({ at }) => at),
          subject: subjectOf(attempt),
          scope: tunnel.id,
          notes: [`this holds if ${entry.name} is what runs there`],
          ruledOut,
        },
      ];
    }),
  );
}

function named(timeline: Timeline, flows: readonly VariantFlow[]): Found<ObfuscatedFacts> {
  const unwrapped = sum(flows, (flow) => flow.unwrapped);
  const forms = new Set(flows.flatMap(({ form }) => form ?? []));
  const notes = [...forms].map(({ name, how, figures }) =>
    [`named ${name} ${how}`, ...(figures.size === 0 ? [] : [pairs(figures).join(', ')])].join('; '),
  );
  const guessed = sum(flows, ({ form, count }) => (form === undefined ? count : 0));
  if (guessed > 0)
    notes.push(`${datagrams(guessed)} named by sizes, order and reserved bytes alone, and not looked into`);
  const closed = sum(flows, (flow) => (flow.form === undefined ? 0 : flow.count - flow.unwrapped));
  if (closed > 0) {
    const hidden = flows.some(({ form }) => form?.hasJunk === true)
      ? 'junk before the initiations (Jc, I1 to I5), or data of a session whose handshake is not here'
      : 'the key or the handshake that would open them is not here';
    notes.push(`${datagrams(closed)} of these flows could not be read: ${hidden}`);
  }
  return {
    facts: {
      forms: [...new Set(flows.map(({ name }) => name))],
      count: sum(flows, ({ count }) => count),
      unwrapped,
      figures: [...new Set([...forms].flatMap(({ figures }) => pairs(figures)))],
      file: null,
      plainEnd: null,
      refused: null,
      settingsIn: null,
    },
    certainty: unwrapped > 0 ? 'proven' : 'suspected',
    frames: flowFrames(flows),
    subject: captureSubject(timeline),
    notes,
  };
}

/** Unknown datagrams on a port that a file with AmneziaWG settings names. */
function unread(timeline: Timeline, entry: ConfEntry, world: World): Found<ObfuscatedFacts> | undefined {
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
  const notes: string[] = [];
  if (entry.conf.interface.amnezia?.headerProtection === true)
    notes.push('its header protection (AmneziaWG 3) hides type and index of each message: they are not read here');
  if (plain !== undefined)
    notes.push(
      `${plain.name} has no such settings: if it is what runs there, a plain WireGuard, these are dropped in silence`,
    );
  return {
    facts: {
      forms: [VARIANT.amnezia],
      count: sum(flows, ({ count }) => count),
      unwrapped: 0,
      figures: [],
      file: entry.name,
      plainEnd: plain?.name ?? null,
      refused: null,
      settingsIn: null,
    },
    certainty: 'suspected',
    frames: flowFrames(flows),
    subject: captureSubject(timeline),
    notes,
  };
}

function hasAmnezia({ conf }: ConfEntry): boolean {
  return conf.interface.amnezia !== undefined || conf.faults.some(({ kind }) => kind === 'amnezia-setting');
}

function pairs(figures: ReadonlyMap<string, string>): string[] {
  return [...figures].map(([name, value]) => `${name} = ${value}`);
}

function sum<F>(flows: readonly F[], of: (flow: F) => number): number {
  return flows.reduce((total, flow) => total + of(flow), 0);
}
