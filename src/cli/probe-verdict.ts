/** What a probe's outcome means, in sentences: the verdict first, then what to look at and how. */
import { shortKey } from '../base/keys.ts';
import type { Attempt, ProbeResult } from '../io/probe.ts';
import type { Rehearsal } from '../io/rehearse.ts';
import type { LookupFault } from '../io/resolve.ts';
import { type Chosen, hasPsk, NO_PSK } from './probe-input.ts';
import { faultInWords, fixOf, icmpInWords } from './probe-words.ts';

export type ProbeVerdict = 'answered' | 'refused' | 'silent' | 'unresolved' | 'not-tried' | 'no-echo';

export interface Said {
  readonly verdict: ProbeVerdict;
  /** One sentence, the first line. */
  readonly message: string;
  /** What it can be, the likeliest first, each with how to find out. */
  readonly causes: readonly { readonly cause: string; readonly check: string }[];
  readonly notes: readonly string[];
}

/** One of the two ends, for whom the other file is. */
export interface OtherEnd {
  readonly path: string;
  readonly rehearsal: Rehearsal;
}

export function ms(value: number): string {
  return value < 9.95 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

const TAKES_OVER =
  'this was a real handshake: if a client with this key runs elsewhere, the responder now sends its packets here until ' +
  'that client’s next handshake, and refuses that client if its clock is behind this machine’s';

export function unresolved({ host, code }: LookupFault): Said {
  const missing = code === 'ENOTFOUND' || code === 'ENODATA';
  return {
    verdict: 'unresolved',
    message: missing ? `${host} has no address: the name does not resolve` : `${host} cannot be looked up (${code})`,
    causes: [
      { cause: 'the name is misspelt or gone', check: `getent ahosts ${host}` },
      { cause: 'the name server is reached only through the tunnel', check: 'look at DNS = and /etc/resolv.conf' },
    ],
    notes: [],
  };
}

export function judge(chosen: Chosen, { attempts, ping, pathMtu }: ProbeResult, others: readonly OtherEnd[]): Said {
  const winner = attempts.find(({ outcome }) => outcome.kind === 'answered');
  if (winner?.outcome.kind === 'answered') return answered(winner, winner.outcome, { attempts, ping, pathMtu });
  const unopened = attempts.find(({ outcome }) => outcome.kind === 'unopened');
  if (unopened?.outcome.kind === 'unopened') return notOpened(chosen, unopened, unopened.outcome);
  const impossible = attempts.find(({ outcome }) => outcome.kind === 'untried' && outcome.drop !== undefined);
  if (impossible !== undefined) return notTried(impossible);
  const asked = attempts.filter(({ cookies }) => cookies > 0);
  if (asked[0] !== undefined) return onlyCookies(asked[0]);
  return attempts.some(({ outcome }) => outcome.kind === 'silent')
    ? silent(chosen, attempts, others)
    : refused(attempts);
}

type Answered = Extract<Attempt['outcome'], { readonly kind: 'answered' }>;
type Through = { readonly [P in keyof ProbeResult]: ProbeResult[P] | undefined };

function answered({ endpoint }: Attempt, outcome: Answered, { ping, pathMtu }: Through): Said {
  const { afterMs, from, withMac2 } = outcome;
  const elsewhere = from.text !== endpoint.text;
  const notes = [
    ...(withMac2 ? ['it was under load: it asked for a cookie first, and took the retry that carried it'] : []),
    ...(elsewhere
      ? [
          `the answer came from ${from.text}, not from ${endpoint.text} that was asked: WireGuard takes it, many firewalls and NATs do not`,
        ]
      : []),
  ];
  const base = `answered in ${ms(afterMs)} by ${from.text}`;
  if (ping === undefined) return { verdict: 'answered', message: base, causes: [], notes: [...notes, TAKES_OVER] };
  if (ping.received === 0) {
    const refusedSources = ping.refused.flatMap((drop) => (drop.kind === 'source-not-allowed' ? [drop.source] : []));
    return {
      verdict: 'no-echo',
      message: `${base}, but none of ${ping.sent} echoes through the tunnel came back`,
      causes: [
        ...ping.errors.map(({ from: sender, type, code }) => ({
          cause: `${sender} answered with an ICMP error (type ${type}, code ${code})`,
          check: 'look at routes and firewall there',
        })),
        ...refusedSources.map((source) => ({
          cause: `packets from ${source} came out of the tunnel and were dropped: it is not in our AllowedIPs`,
          check: 'add it to AllowedIPs of this peer, or ping another address',
        })),
        {
          cause: 'the responder drops our inner packets: our Address is not in the AllowedIPs it has for this key',
          check: 'there: wg show INTERFACE allowed-ips',
        },
        { cause: 'the address that was pinged does not answer echoes', check: 'ping it from the responder itself' },
        {
          cause: 'the responder does not forward, or its firewall drops what comes from the tunnel',
          check: 'there: sysctl net.ipv4.ip_forward; nft list ruleset',
        },
      ],
      notes: [...notes, TAKES_OVER],
    };
  }
  const best = Math.min(...ping.timesMs);
  const echoes = `${ping.received} of ${ping.sent} echoes came back, the fastest in ${ms(best)}`;
  const size =
    pathMtu === undefined
      ? []
      : pathMtu.lost === undefined
        ? [`inner packets of ${pathMtu.inner} bytes, the MTU, pass both ways (outer ${pathMtu.outer} bytes)`]
        : [
            `inner packets up to ${pathMtu.inner} bytes pass both ways (outer ${pathMtu.outer}), one of ${pathMtu.lost.inner} does not (outer ${pathMtu.lost.outer}): set MTU = ${pathMtu.inner} at both ends`,
          ];
  return { verdict: 'answered', message: `${base}; ${echoes}`, causes: [], notes: [...size, ...notes, TAKES_OVER] };
}

type Unopened = Extract<Attempt['outcome'], { readonly kind: 'unopened' }>;

function notOpened(chosen: Chosen, { endpoint }: Attempt, { fits, tried }: Unopened): Said {
  const { path } = chosen.file;
  const line = chosen.peer.presharedKey?.line;
  const ours = hasPsk(chosen) ? `the PresharedKey of ${path}:${line}` : 'no PresharedKey, as configured';
  const where =
    fits === undefined
      ? noneFits(chosen, tried)
      : fits === NO_PSK
        ? 'but opens without any'
        : `but opens with that of ${fits}`;
  const cause =
    fits === NO_PSK
      ? 'the responder has no preshared key for this client'
      : fits === undefined
        ? 'the responder has another preshared key for this client, or has one where none is configured here'
        : `the responder has the preshared key of ${fits} for this client`;
  const check =
    fits === NO_PSK
      ? `take PresharedKey out of ${path}, or give the responder the same: wg set INTERFACE peer KEY preshared-key FILE`
      : fits === undefined
        ? 'compare the two files; on the responder: wg show INTERFACE preshared-keys'
        : `copy the line to ${path}, or the other way round`;
  return {
    verdict: 'refused',
    message: `the preshared keys differ: ${endpoint.text} answered, and its response does not open with ${ours}, ${where}`,
    causes: [{ cause, check }],
    notes: ['all other keys are right: the responder knows this client', TAKES_OVER],
  };
}

function noneFits(chosen: Chosen, tried: number): string {
  const given = hasPsk(chosen) ? tried - 1 : tried;
  const without = hasPsk(chosen) ? 'nor without any' : '';
  const others =
    given === 0
      ? ''
      : given === 1
        ? 'nor with the other one that was given'
        : `nor with the ${given} others that were given`;
  return [without, others].filter((part) => part !== '').join(', ') || 'and there is no other to try';
}

function notTried({ outcome }: Attempt): Said {
  const drop = outcome.kind === 'untried' ? outcome.drop : undefined;
  const own = drop?.kind === 'peer-is-self';
  return {
    verdict: 'not-tried',
    message: own
      ? 'the PublicKey of the peer is the key of this configuration itself'
      : 'the PublicKey of the peer is not a usable key: every shared secret with it is zero',
    causes: [{ cause: 'a key was copied to the wrong place', check: 'on the responder: wg show INTERFACE public-key' }],
    notes: [],
  };
}

function onlyCookies({ endpoint, cookies, initiations }: Attempt): Said {
  return {
    verdict: 'refused',
    message: `${endpoint.text} is under load: it asked for a cookie ${count(cookies, 'time')}, and did not answer ${count(initiations, 'initiation')}`,
    causes: [
      { cause: 'it has more handshakes than it can answer', check: 'there: tcpdump for its UDP port; try again later' },
      {
        cause: 'it takes the cookie, and drops the message for another reason',
        check: 'as for silence: hand over its configuration too, or look at its log',
      },
    ],
    notes: ['a cookie shows that the PublicKey here is the responder’s key'],
  };
}

function refused(attempts: readonly Attempt[]): Said {
  const errors = attempts.flatMap(({ endpoint, outcome }) =>
    outcome.kind === 'error' ? [{ endpoint, words: icmpInWords(outcome.code, outcome.icmp) }] : [],
  );
  const causes = new Map(errors.map(({ words: { cause, check } }) => [cause, { cause, check }]));
  return {
    verdict: 'refused',
    message: `refused: no way to ${errors.map(({ endpoint, words }) => `${endpoint.text} (${words.what})`).join(' and ')}`,
    causes: [...causes.values()],
    notes: [],
  };
}

/** In the order in which to look: the path, the keys, the clock, the way back. */
function silenceMeans(chosen: Chosen, port: number, keysFit: boolean): Said['causes'] {
  const key = shortKey(chosen.peer.publicKey.value);
  const keys = [
    {
      cause: `it arrives, and the responder’s key is not ${key}: it drops what is made for another key`,
      check: 'there: wg show INTERFACE public-key',
    },
    { cause: 'it arrives, and the responder has no peer with our key', check: 'there: wg show INTERFACE peers' },
  ];
  return [
    {
      cause: 'it does not arrive: wrong address or port, the responder is off, a firewall or NAT drops it',
      check: `there, while the probe runs: tcpdump -ni any udp port ${port}`,
    },
    ...(keysFit ? [] : keys),
    {
      cause: 'it arrives, and our clock is behind the last handshake of this key: it is dropped as a replay',
      check: 'compare date -u at both ends; there: remove the peer and add it again to forget the timestamp',
    },
    {
      cause: 'it is answered, and the answer is lost on its way back',
      check: `there: tcpdump shows 148 bytes in and 92 bytes out; here: tcpdump -ni any udp port ${port}`,
    },
  ];
}

function silent(chosen: Chosen, attempts: readonly Attempt[], others: readonly OtherEnd[]): Said {
  const tried = attempts.map(({ endpoint, initiations }) => `${endpoint.text} (${count(initiations, 'initiation')})`);
  const kinds = [...new Set(attempts.flatMap(({ refused: kindsOf }) => Object.keys(kindsOf)))];
  const faults = others.flatMap(({ path, rehearsal }) => rehearsal.faults.map((fault) => ({ path, fault })));
  // Another port may be right: a router in between can translate it.
  const [first] = faults.filter(({ fault }) => fault.kind !== 'other-port');
  const paths = others.map(({ path }) => path).join(' and ');
  const fits = others.length > 0 && first === undefined;
  const port = attempts[0]?.endpoint.port ?? 0;
  const named = faults.map(({ path, fault }) => ({ cause: faultInWords(path, fault), check: fixOf(fault) }));
  return {
    verdict: 'silent',
    message: `silent: no answer from ${tried.join(' and ')}${first === undefined ? '' : `, and ${first.path} says why`}`,
    causes: first === undefined ? [...named, ...silenceMeans(chosen, port, fits)] : named,
    notes: [
      ...(fits ? [`by ${paths} the keys are right: look at the path and the clock`] : []),
      ...(kinds.length === 0 ? [] : [`something came back and was refused: ${kinds.join(', ')}`]),
      first === undefined
        ? 'a capture from either end and wgwhy diagnose tell these apart'
        : `this holds if ${first.path} is what the responder runs with; if it stays silent then, look at the path and the clock`,
    ],
  };
}
