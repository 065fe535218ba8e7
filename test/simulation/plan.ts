/** From a seed to a plan: who there is, where, with which keys, what they say to each other, and what befalls them. */
import { endpoint, type IpBytes, parseIp } from '../../src/base/address.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, presharedKey, privateKey } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { Chance, quantised } from './chance.ts';
import type { HostPlan, PeerPlan } from './host.ts';
import { CLEAN, type Conditions } from './network.ts';
import type { Flow, Incident, Plan } from './simulation.ts';

/** `clean`: nothing is wrong. `rough`: the path is bad, but lets things pass. `wild`: everything goes wrong, then stops. */
export type Weather = 'clean' | 'rough' | 'wild';

/**
 * How long things go on before the network is well: `brief` is long enough for a session to be replaced at 120 s and to be
 * refused at 180 s (wp §6.2), `full` for two of them.
 */
export type Span = 'brief' | 'full';

/** After this long on a network that is well, every tunnel must be back. */
export const BACK_WITHIN_MS = 60_000;

const SECOND = 1000;
/** Seconds. */
const BUSY: Readonly<Record<Span, readonly [least: number, most: number]>> = { brief: [130, 270], full: [200, 500] };
const NEVER_MS = 86_400_000;
const EPOCH_SEC = 1_760_000_000;

export interface Identity {
  readonly secret: PrivateKey;
  readonly publicKey: PublicKey;
}

export function identity(chance: Chance): Identity {
  const secret = privateKey(chance.bytes(32));
  return { secret, publicKey: nodeCrypto.publicKey(secret) };
}

export const ip = (text: string): IpBytes => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
};

interface Seat {
  readonly name: string;
  readonly identity: Identity;
  readonly number: number;
  readonly behindNat: boolean;
}

const innerOf = (n: number): IpBytes[] => [ip(`10.9.0.${n}`), ip(`fd09::${n}`)];
const innerPrefixes = (n: number): string[] => [`10.9.0.${n}/32`, `fd09::${n}/128`];
const outerText = (n: number, v6: boolean): string => (v6 ? `2001:db8:${n}::1` : `198.51.100.${n}`);

/** A server, or a first among two, and its clients. */
export function planOf(seed: number, weather: Weather, span: Span = 'full'): Plan {
  const chance = new Chance(seed);
  const v6 = chance.happens(0.3);
  const clients = chance.pick([1, 1, 1, 2, 3]);
  const server: Seat = { name: 'server', identity: identity(chance), number: 1, behindNat: false };
  const seats = Array.from({ length: clients }, (_, i): Seat => {
    return { name: `client${i + 1}`, identity: identity(chance), number: i + 2, behindNat: chance.happens(0.4) };
  });
  const psks = seats.map((): PresharedKey | undefined =>
    chance.happens(0.4) ? presharedKey(chance.bytes(32)) : undefined,
  );
  const mutual = seats.map(({ behindNat }) => !behindNat && chance.happens(0.4));
  const keepalives = seats.map(({ behindNat }) => (chance.happens(behindNat ? 0.8 : 0.3) ? chance.whole(5, 60) : 0));
  const epoch = (): HostPlan['epoch'] => ({
    sec: EPOCH_SEC + chance.whole(-20, 20),
    nsec: chance.whole(0, 999_999_999),
  });
  const address = (seat: Seat) =>
    seat.behindNat
      ? endpoint(v6 ? ip(`fd00:${seat.number}::5`) : ip(`192.168.${seat.number}.5`), chance.whole(1024, 65_535))
      : endpoint(ip(outerText(seat.number, v6)), seat === server ? 51_820 : chance.whole(1024, 65_535));
  const addresses = new Map([server, ...seats].map((seat) => [seat.name, address(seat)]));

  const serverPeers = seats.map(
    (seat, i): PeerPlan => ({
      name: seat.name,
      publicKey: seat.identity.publicKey,
      endpoint: mutual[i] === true ? addresses.get(seat.name) : undefined,
      psk: psks[i],
      keepalive: mutual[i] === true && chance.happens(0.3) ? chance.whole(5, 60) : 0,
      allowedIps: innerPrefixes(seat.number),
    }),
  );
  const hostOf = (seat: Seat, peers: readonly PeerPlan[]): HostPlan => ({
    name: seat.name,
    secret: seat.identity.secret,
    inner: innerOf(seat.number),
    address: addresses.get(seat.name) ?? endpoint(ip('192.0.2.1'), 1),
    nat: seat.behindNat
      ? {
          outside: ip(outerText(100 + seat.number, v6)),
          timeoutMs: weather === 'wild' ? chance.pick([20, 30, 60, 180]) * SECOND : NEVER_MS,
        }
      : undefined,
    epoch: epoch(),
    peers,
  });
  const hosts = [
    hostOf(server, serverPeers),
    ...seats.map((seat, i) =>
      hostOf(seat, [
        {
          name: 'server',
          publicKey: server.identity.publicKey,
          endpoint: addresses.get('server'),
          psk: psks[i],
          keepalive: keepalives[i] ?? 0,
          allowedIps: ['10.9.0.0/24', 'fd09::/64'],
        },
      ]),
    ),
  ];

  const busyMs = chance.whole(...BUSY[span]) * SECOND;
  const hush = weather === 'wild' && chance.happens(0.3);
  const calmMs = hush ? busyMs + chance.whole(600, 900) * SECOND : busyMs;
  const endMs = weather === 'wild' ? calmMs + 2 * BACK_WITHIN_MS : calmMs;
  const conditions = weather === 'clean' ? cleanPath(chance) : roughPath(chance, weather);
  const flows = seats.flatMap((seat, i) => flowsOf(seat.name, mutual[i] === true, busyMs, chance));
  const incidents: Incident[] = [];
  if (weather === 'rough') {
    incidents.push(...roaming(hosts, busyMs, v6, chance));
    // whoever moves goes on speaking: else the other end cannot know
    flows.push(...incidents.flatMap((incident) => ('host' in incident ? [talk(incident.host, busyMs)] : [])));
  }
  if (weather === 'wild') {
    incidents.push(...wildIncidents(hosts, busyMs, calmMs, v6, chance));
    flows.push(...seats.flatMap(({ name }) => calmFlows(name, calmMs, endMs, chance)));
    if (clients > 1) flows.push(forged(busyMs));
    if (hush && chance.happens(0.6)) {
      incidents.push({ atMs: busyMs, what: 'blackout', from: '*', to: '*', untilMs: busyMs + 300 * SECOND });
      flows.push(lastWord(busyMs + SECOND));
    }
  }
  return {
    seed,
    hosts,
    conditions,
    flows,
    incidents,
    adversary: weather === 'wild' && chance.happens(0.5),
    calmMs,
    endMs,
    captureFromMs: chance.happens(0.3) ? chance.whole(5, 150) * SECOND : 0,
    captureUntilMs: endMs,
  };
}

function cleanPath(chance: Chance): Conditions {
  return { ...CLEAN, delayMs: quantised(chance.pick([0.5, 3, 10, 40, 150])), jitterMs: chance.pick([0, 1, 5]) };
}

function roughPath(chance: Chance, weather: Weather): Conditions {
  const worst = weather === 'wild' ? 0.3 : 0.08;
  return {
    ...cleanPath(chance),
    jitterMs: chance.pick([0, 5, 50, 200]),
    loss: chance.happens(0.7) ? chance.part() * worst : 0,
    duplicates: chance.happens(0.4) ? chance.part() * 0.05 : 0,
    late: chance.happens(0.5) ? chance.part() * 0.1 : 0,
    lateMs: chance.pick([20, 100, 800]),
  };
}

function flowsOf(client: string, mutual: boolean, untilMs: number, chance: Chance): Flow[] {
  const common = (back: boolean): Pick<Flow, 'from' | 'to' | 'fromMs' | 'untilMs' | 'size'> => {
    const fromMs = chance.happens(0.5) ? 0 : chance.ms(0, untilMs / 2);
    return {
      ...(back ? { from: 'server', to: client } : { from: client, to: 'server' }),
      fromMs,
      untilMs: chance.happens(0.5) ? untilMs : chance.ms(fromMs, untilMs),
      size: chance.pick([48, 84, 500, 1280, 1420]),
    };
  };
  const flows: Flow[] = [
    { ...common(false), everyMs: chance.whole(1, 20) * SECOND, random: chance.happens(0.5), burst: 1, answered: true },
  ];
  if (mutual || chance.happens(0.4)) {
    flows.push({ ...common(true), everyMs: chance.whole(1, 30) * SECOND, random: true, burst: 1, answered: true });
  }
  if (chance.happens(0.4)) {
    const everyMs = chance.whole(15, 200) * SECOND;
    flows.push({ ...common(chance.happens(0.3)), everyMs, random: true, burst: chance.whole(2, 15), answered: false });
  }
  return flows;
}

const steady = { random: false, burst: 1, size: 84, answered: true } as const;

const talk = (client: string, untilMs: number): Flow => {
  return { ...steady, from: client, to: 'server', fromMs: 0, untilMs, everyMs: 4 * SECOND };
};

/** The first client pretends to be the second. */
const forged = (untilMs: number): Flow => ({
  ...steady,
  from: 'client1',
  to: 'server',
  pretends: 'client2',
  fromMs: SECOND,
  untilMs,
  everyMs: 20 * SECOND,
});

/** One packet, and then nothing that would begin the count of attempts anew. */
const lastWord = (fromMs: number): Flow => {
  return { ...steady, from: 'client1', to: 'server', fromMs, untilMs: fromMs + 1, everyMs: SECOND, answered: false };
};

function calmFlows(client: string, calmMs: number, endMs: number, chance: Chance): Flow[] {
  const common = { ...steady, untilMs: endMs, everyMs: 3 * SECOND };
  const flow = (from: string, to: string): Flow => ({ ...common, from, to, fromMs: calmMs + chance.ms(0, 3 * SECOND) });
  return [flow(client, 'server'), flow('server', client)];
}

/** Another address for a client that is not behind NAT, another mapping for one that is. */
function move(host: HostPlan, atMs: number, v6: boolean, chance: Chance): Incident {
  if (host.nat !== undefined) return { atMs, what: 'rebind', host: host.name };
  const ipText = outerText(chance.whole(200, 250), v6);
  // the port is the device's own, and stays
  const to = endpoint(ip(ipText), host.address.port).text;
  return { atMs, what: 'roam', host: host.name, to };
}

function roaming(hosts: readonly HostPlan[], untilMs: number, v6: boolean, chance: Chance): Incident[] {
  return hosts.slice(1).flatMap((host) => {
    return chance.happens(0.4) ? [move(host, chance.ms(untilMs / 10, untilMs * 0.9), v6, chance)] : [];
  });
}

const JUMPS_MS = [-86_400_000, -3_600_000, -30_000, -40, 40, 30_000, 3_600_000, 86_400_000 * 365] as const;

function wildIncidents(
  hosts: readonly HostPlan[],
  busyMs: number,
  calmMs: number,
  v6: boolean,
  chance: Chance,
): Incident[] {
  const out: Incident[] = [];
  const name = (): string => hosts[chance.whole(0, hosts.length - 1)]?.name ?? 'server';
  const shifts = new Map<string, { now: number; greatest: number }>();
  const times = Array.from({ length: chance.whole(1, 10) }, () => chance.ms(SECOND, busyMs)).sort((a, b) => a - b);
  for (const atMs of times) {
    const untilMs = Math.min(busyMs, atMs + chance.ms(SECOND, chance.pick([10, 60, 250]) * SECOND));
    switch (chance.whole(0, 6)) {
      case 0:
        out.push({ atMs, what: 'restart', host: name() });
        break;
      case 1: {
        const host = name();
        const byMs = chance.pick(JUMPS_MS);
        const shift = shifts.get(host) ?? { now: 0, greatest: 0 };
        shift.now += byMs;
        shift.greatest = Math.max(shift.greatest, shift.now);
        shifts.set(host, shift);
        out.push({ atMs, what: 'wall-jump', host, byMs });
        break;
      }
      case 2: {
        const host = hosts[chance.whole(1, hosts.length - 1)];
        if (host !== undefined) out.push(move(host, atMs, v6, chance));
        break;
      }
      case 3:
        out.push({ atMs, what: 'blackout', from: chance.happens(0.5) ? name() : '*', to: '*', untilMs });
        break;
      case 4:
        out.push({ atMs, what: 'blackout', from: '*', to: name(), untilMs });
        break;
      case 5:
        out.push({ atMs, what: 'conditions', conditions: roughPath(chance, 'wild') });
        break;
      case 6:
        out.push({ atMs, what: 'load', host: name(), untilMs });
        break;
    }
  }
  out.push({ atMs: calmMs, what: 'conditions', conditions: cleanPath(chance) });
  // Who is refused for its clock's sake is given the right time at last: see `judge`.
  for (const [host, { now, greatest }] of shifts) {
    if (now < greatest) out.push({ atMs: calmMs + BACK_WITHIN_MS, what: 'wall-jump', host, byMs: greatest - now });
  }
  return out;
}
