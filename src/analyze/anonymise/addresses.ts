/** Addresses, ports and names for others of their kind: what lay in one network lies in one still. */
import { formatPrefix, type IpBytes, inPrefix, maskIp, type Prefix, parsePrefix } from '../../base/address.ts';
import { concat, equal, toHex, u16be, utf8 } from '../../base/bytes.ts';
import { network, within } from '../../base/prefix.ts';
import { TZSP_PORT } from '../../capture/tzsp.ts';
import type { Veil } from './veil.ts';

const prefixes = (...texts: readonly string[]): readonly Prefix[] => texts.flatMap((text) => parsePrefix(text) ?? []);

/** Networks whose members are mapped onto members: their own bits stay, and so does what lies in what. */
const CLASSES = prefixes('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/64');
/** They tell nothing about anybody. */
const KEPT = prefixes(
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/127',
  'fe80::/10',
  'ff00::/8',
);
const V4_IN_V6 = prefixes('::ffff:0:0/96', '64:ff9b::/96');

const SPECIAL = [...CLASSES, ...KEPT, ...V4_IN_V6].filter(({ ip, bits }) => bits < ip.length * 8);

/** RFC 5737, then the benchmarking network of RFC 2544 and what is reserved (RFC 1112 §4): nobody is reached there. */
const POOL_V4 = prefixes('192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '198.18.0.0/15', '240.0.0.0/4');
/** RFC 3849, RFC 9637. */
const POOL_V6 = prefixes('2001:db8::/32', '3fff::/20');
/** Of the internet one such network at least stands for one. */
const UNIT_BITS = { 4: 24, 16: 48 } as const;
/** So short a prefix belongs to nobody: 0.0.0.0/1 and 128.0.0.0/1 are everything. */
const ANYBODYS_BITS = { 4: 5, 16: 20 } as const;
/** The last octet of IPv4, the last two of IPv6: .1 is a router and 0 a network, for everybody. */
const HOST_BITS = { 4: 8, 16: 16 } as const;
const INTERFACE_ID_AT = 64;
const SALTS = 64;

/** Ports that everybody knows tell nothing, and some findings are about them. */
const WELL_KNOWN = 1024;
const KNOWN_PORTS: readonly number[] = [51_820, TZSP_PORT];
const PORTS_FROM = 10_000;
const PORTS = 55_000;

/** All that is in the input, so that nothing of it stands in for anything else. */
export interface Met {
  readonly ips: readonly IpBytes[];
  readonly prefixes: readonly Prefix[];
}

interface Unit {
  readonly from: Prefix;
  readonly to: Prefix;
}

export class AddressMap {
  readonly #veil: Veil;
  readonly #met: readonly IpBytes[];
  readonly #ips = new Map<string, IpBytes>();
  readonly #ports = new Map<number, number>();
  readonly #portsTaken = new Set<number>(KNOWN_PORTS);
  readonly #hosts = new Map<string, string>();
  /** Networks of the internet, each with what stands for it. */
  readonly #units: Unit[] = [];
  /** By pool and length: the first that was not looked at yet. */
  readonly #next = new Map<string, number>();
  readonly #salts = new Map<Prefix, number>();

  constructor(veil: Veil, met: Met) {
    this.#veil = veil;
    this.#met = met.ips;
    for (const one of CLASSES) this.#salts.set(one, this.#saltFor(one));
    // the widest first: what lies in them finds them
    const wide = met.prefixes.filter((one) => isGlobal(one.ip) && one.bits > ANYBODYS_BITS[sizeOf(one.ip)]);
    for (const one of [...wide].sort((a, b) => a.bits - b.bits)) this.#unitOf(one.ip, one.bits);
  }

  ip(ip: IpBytes): IpBytes {
    const text = toHex(ip);
    let mapped = this.#ips.get(text);
    if (mapped === undefined) {
      mapped = this.#map(ip);
      this.#ips.set(text, mapped);
    }
    return mapped;
  }

  /** Host bits are none where there were none. */
  prefix(prefix: Prefix): Prefix {
    const { ip, bits } = prefix;
    // wider than a class: it holds everybody’s
    if (SPECIAL.some((one) => one.ip.length === ip.length && within(one, network(prefix)))) return prefix;
    if (isIn(V4_IN_V6, ip)) {
      const inner = this.prefix({ ip: ip.slice(12), bits: bits - 96 });
      return { ip: concat(ip.subarray(0, 12), inner.ip), bits };
    }
    const own = classOf(ip);
    if (bits <= (own === undefined ? ANYBODYS_BITS[sizeOf(ip)] : own.bits)) return prefix;
    const mapped = this.ip(ip);
    return { ip: equal(maskIp(ip, bits), ip) ? maskIp(mapped, bits) : mapped, bits };
  }

  port(port: number): number {
    if (port < WELL_KNOWN || KNOWN_PORTS.includes(port)) return port;
    let mapped = this.#ports.get(port);
    for (let salt = 0; mapped === undefined; salt++) {
      const one = PORTS_FROM + (u16be(this.#veil.of('port', utf8(`${port} ${salt}`)), 0) % PORTS);
      // of all ports there may be more than stand here to choose from
      if ((this.#portsTaken.has(one) && salt < 1000) || one === port) continue;
      mapped = one;
      this.#ports.set(port, one);
      this.#portsTaken.add(one);
    }
    return mapped;
  }

  /** A name of a host or a domain: numbered as they come. */
  host(name: string): string {
    const key = name.toLowerCase();
    let mapped = this.#hosts.get(key);
    if (mapped === undefined) {
      mapped = `host${this.#hosts.size + 1}.example`;
      this.#hosts.set(key, mapped);
    }
    return mapped;
  }

  /** Locally administered; to one or to many as before. */
  mac(mac: Uint8Array): Uint8Array {
    if (mac.every((byte) => byte === 0) || mac.every((byte) => byte === 0xff)) return mac.slice();
    const out = this.#veil.of('mac', mac).slice(0, mac.length);
    out[0] = ((out[0] ?? 0) & 0xfc) | 2 | ((mac[0] ?? 0) & 1);
    return out;
  }

  #map(ip: IpBytes): IpBytes {
    const own = classOf(ip);
    if (own !== undefined) return this.#flipped(ip, own.bits, this.#salts.get(own) ?? 0);
    if (isIn(KEPT, ip)) return ip;
    if (isIn(V4_IN_V6, ip)) return concat(ip.subarray(0, 12), this.ip(ip.slice(12)));
    const { from, to } = this.#unitOf(ip, ip.length * 8);
    const out = this.#flipped(ip, from.bits, 0);
    for (let bit = 0; bit < from.bits; bit++) putBit(out, bit, bitOf(to.ip, bit));
    return out;
  }

  /** One with which no address of this class becomes another that was met; the last one tried if none is so. */
  #saltFor(own: Prefix): number {
    const members = this.#met.filter((ip) => classOf(ip) === own);
    const texts = new Set(members.map(toHex));
    for (let salt = 0; salt < SALTS; salt++) {
      if (!members.some((ip) => texts.has(toHex(this.#flipped(ip, own.bits, salt))))) return salt;
    }
    return SALTS;
  }

  /**
   * From bit `from` on each is turned or not by what stands before it, so that common prefixes stay common (Xu and
   * others 2002); the host’s own part stays, and so do the zeros of a short interface identifier.
   */
  #flipped(ip: IpBytes, from: number, salt: number): IpBytes {
    const out = ip.slice();
    const end = ip.length * 8 - HOST_BITS[sizeOf(ip)];
    let idIsZero = ip.length === 16;
    for (let bit = from; bit < end; bit++) {
      if (bit >= INTERFACE_ID_AT && idIsZero) {
        if (bitOf(ip, bit) === 0) continue;
        idIsZero = false;
        continue;
      }
      putBit(out, bit, bitOf(ip, bit) ^ this.#veil.bit(`address ${salt}`, ip, bit));
    }
    return out;
  }

  /** Of the prefix where it is wide, else of the network around it. */
  #unitOf(ip: IpBytes, bits: number): Unit {
    const size = sizeOf(ip);
    const from = network({ ip, bits: Math.min(bits, UNIT_BITS[size]) });
    const known = this.#units.find((unit) => unit.from.ip.length === size && within(from, unit.from));
    if (known !== undefined) return known;
    const unit = { from, to: this.#free(from) };
    this.#units.push(unit);
    return unit;
  }

  #free({ ip, bits }: Prefix): Prefix {
    const size = sizeOf(ip);
    const pool = (size === 4 ? POOL_V4 : POOL_V6).filter((one) => one.bits <= bits);
    for (const one of pool) {
      const count = Math.min(2 ** (bits - one.bits), MOST_UNITS);
      const key = `${formatPrefix(one)} ${bits}`;
      for (let n = this.#next.get(key) ?? 0; n < count; n++) {
        this.#next.set(key, n + 1);
        const to = { ip: numbered(one, bits, n), bits };
        const taken =
          this.#units.some((unit) => unit.to.ip.length === size && (within(unit.to, to) || within(to, unit.to))) ||
          this.#met.some((met) => inPrefix(met, to));
        if (!taken) return to;
      }
    }
    // more networks than there is room for: the last one stands for several
    return { ip: numbered(pool[pool.length - 1] ?? { ip, bits }, bits, 0), bits };
  }
}

/** More different networks of the internet than that are in no capture of one tunnel. */
const MOST_UNITS = 4096;

const sizeOf = (ip: IpBytes): 4 | 16 => (ip.length === 4 ? 4 : 16);
const isIn = (list: readonly Prefix[], ip: IpBytes): boolean => list.some((one) => inPrefix(ip, one));
const classOf = (ip: IpBytes): Prefix | undefined => CLASSES.find((one) => inPrefix(ip, one));
const isGlobal = (ip: IpBytes): boolean => !isIn(KEPT, ip) && !isIn(V4_IN_V6, ip) && classOf(ip) === undefined;
const bitOf = (ip: IpBytes, bit: number): number => ((ip[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1;

function putBit(ip: IpBytes, bit: number, value: number): void {
  const mask = 0x80 >>> (bit & 7);
  ip[bit >>> 3] = value === 1 ? (ip[bit >>> 3] ?? 0) | mask : (ip[bit >>> 3] ?? 0) & ~mask;
}

/** The `n`th network of `bits` bits in `pool`. */
function numbered(pool: Prefix, bits: number, n: number): IpBytes {
  const out = pool.ip.slice();
  for (let bit = bits - 1, rest = n; bit >= pool.bits && rest > 0; bit--, rest = Math.floor(rest / 2)) {
    putBit(out, bit, rest & 1);
  }
  return out;
}
