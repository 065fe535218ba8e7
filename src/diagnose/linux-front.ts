/** What ufw and firewalld do with a new packet to a port of this host, by their own listings. */
import { parsePrefix } from '../base/address.ts';
import type { FirewalldZone } from '../config/host/firewalld.ts';
import type { UfwRule, UfwSide, UfwStatus } from '../config/host/ufw.ts';
import type { Located } from '../config/text.ts';
import { byAddress, byInterface, type Decider, every, type Fate, type Fits, type Probe } from './first-match.ts';

/** Profiles and services whose ports are well known, and not UDP ports that anybody gives to WireGuard. */
const KNOWN_OTHERS =
  /^(openssh|ssh|nginx|apache|www|http|https|smtp|postfix|dovecot|imap|pop3|mail|samba|nfs|cups|dns|bind9|mysql|postgresql|mariadb|redis|cockpit|dhcp|dhcpv6|dhcpv6-client|mdns|ipp|ipp-client|samba-client|ntp|snmp|ftp|tftp|vnc|rdp|squid|plex|kdeconnect|syncthing)\b/i;

function fitsSide(side: UfwSide, probe: Probe, local: boolean): Fits {
  const { address, ports, protocol, application, interface: on } = side;
  const answers: Fits[] = [];
  if (application !== undefined) answers.push(KNOWN_OTHERS.test(application) ? 'no' : 'maybe');
  if (protocol !== undefined) answers.push(protocol === 'udp' ? 'yes' : 'no');
  const { port } = probe;
  if (ports !== undefined && !local) answers.push('maybe');
  else if (ports !== undefined && port !== undefined)
    answers.push(ports.some(({ from, to }) => from <= port && port <= to) ? 'yes' : 'no');
  const prefix = address === undefined ? undefined : parsePrefix(address);
  if (prefix !== undefined) answers.push(byAddress(local ? probe.destinations : probe.sources, [prefix], probe.family));
  if (on !== undefined) answers.push(byInterface(probe.in, [on]));
  return every(answers);
}

function fitsUfw(rule: UfwRule, probe: Probe): Fits {
  if (rule.direction !== 'in' || rule.ipv6 !== (probe.family === 'ip6')) return 'no';
  return every([fitsSide(rule.to, probe, true), fitsSide(rule.from, probe, false)]);
}

const WORD: Readonly<Record<UfwRule['action'], string>> = {
  allow: 'ALLOW IN',
  limit: 'LIMIT IN',
  deny: 'DENY IN',
  reject: 'REJECT IN',
};

/** The first rule that fits decides; `limit` refuses only a source that comes six times in 30 s. */
export function ufwFate({ active, incoming, rules }: UfwStatus, probe: Probe): Fate {
  if (!active.value || probe.hook !== 'input') return { kind: 'accepted' };
  const unless: Decider[] = [];
  for (const rule of rules) {
    const fits = fitsUfw(rule, probe);
    if (fits === 'no') continue;
    const by: Decider = {
      line: rule.line,
      text: `${rule.to.text} ${WORD[rule.action]} ${rule.from.text}`,
      home: 'ufw',
      kind: 'rule',
    };
    const allows = rule.action === 'allow' || rule.action === 'limit';
    if (fits === 'yes')
      return allows
        ? { kind: 'accepted', by }
        : { kind: 'refused', how: rule.action === 'reject' ? 'reject' : 'drop', by, unless };
    if (!allows) continue;
    if (rule.to.ports !== undefined || rule.to.application !== undefined) return { kind: 'open' };
    unless.push(by);
  }
  // `ufw status` without verbose keeps the default to itself; `allow` has to be set on purpose
  if (incoming?.value === 'allow' || incoming?.value === 'limit') return { kind: 'accepted' };
  const by: Decider = {
    line: incoming?.line ?? active.line,
    text: incoming === undefined ? 'the default for what no rule names' : `Default: ${incoming.value} (incoming)`,
    home: 'ufw',
    kind: 'policy',
  };
  const silent: Decider[] =
    incoming === undefined ? [{ ...by, text: 'the default is allow (ufw status verbose shows it)' }] : [];
  return { kind: 'refused', how: incoming?.value === 'reject' ? 'reject' : 'drop', by, unless: [...unless, ...silent] };
}

/** The zone of the packet: by its source, else by its interface; undefined where several may be. */
function zoneOf(zones: readonly FirewalldZone[], probe: Probe): FirewalldZone | undefined {
  const active = zones.filter((zone) => zone.active || zone.interfaces.length > 0 || zone.sources.length > 0);
  const possible = active.filter(({ sources, interfaces }) => {
    const bySource = sources.flatMap(({ value }) => parsePrefix(value) ?? []);
    if (byAddress(probe.sources, bySource, probe.family) !== 'no') return true;
    return (
      interfaces.length > 0 &&
      byInterface(
        probe.in,
        interfaces.map(({ value }) => value),
      ) !== 'no'
    );
  });
  if (active.length === 0) return zones.length === 1 ? zones[0] : undefined;
  return possible.length === 1 ? possible[0] : undefined;
}

/** WireGuard's own service is 51820/udp; others are known by name, or may be anything. */
function fitsService({ value }: Located<string>, port: number): Fits {
  if (value === 'wireguard') return port === 51_820 ? 'yes' : 'no';
  return KNOWN_OTHERS.test(value) ? 'no' : 'maybe';
}

function fitsRich(text: string, port: number): Fits {
  const ports = [...text.matchAll(/\bport port="?(\d{1,5})(?:-(\d{1,5}))?"? protocol="?(\w+)"?/g)];
  const here = ports.some(
    ([, from, to, protocol]) => protocol === 'udp' && Number(from) <= port && port <= Number(to ?? from),
  );
  const service = /\bservice name="?([\w-]+)"?/.exec(text)?.[1];
  if (here || (service === 'wireguard' && port === 51_820)) return /\bsource\b|\blimit\b/.test(text) ? 'maybe' : 'yes';
  if (ports.length > 0 || /\b(forward-port|icmp-type|icmp-block|masquerade)\b/.test(text)) return 'no';
  if (service !== undefined) return fitsService({ value: service, line: 0, column: 0 }, port);
  return 'maybe';
}

/** A zone refuses what nothing in it names, unless its target is ACCEPT. */
export function firewalldFate(zones: readonly FirewalldZone[], probe: Probe): Fate {
  const zone = zoneOf(zones, probe);
  const { port } = probe;
  if (zone === undefined || port === undefined || probe.hook !== 'input') return { kind: 'open' };
  const target = zone.target?.value ?? 'default';
  const lets: Fits[] = [
    ...zone.ports.map(
      ({ value: { range, protocol } }): Fits =>
        protocol === 'udp' && range.from <= port && port <= range.to ? 'yes' : 'no',
    ),
    ...zone.protocols.map(({ value }): Fits => (value === 'udp' ? 'yes' : 'no')),
    ...zone.services.map((service) => fitsService(service, port)),
  ];
  for (const { value, line } of zone.richRules) {
    const fits = fitsRich(value, port);
    if (fits === 'no') continue;
    if (fits === 'maybe') return { kind: 'open' };
    if (/\b(drop|reject)\b/.test(value)) {
      const by: Decider = { line, text: value, home: zone.name, kind: 'rule' };
      return { kind: 'refused', how: /\bdrop\b/.test(value) ? 'drop' : 'reject', by, unless: [] };
    }
    if (/\baccept\b/.test(value)) lets.push('yes');
  }
  if (zone.forwardPorts.some(({ value }) => value.includes(`port=${port}:`))) return { kind: 'open' };
  if (target === 'ACCEPT' || lets.includes('yes')) return { kind: 'accepted' };
  if (lets.includes('maybe')) return { kind: 'open' };
  return {
    kind: 'refused',
    how: target === 'DROP' ? 'drop' : 'reject',
    by: {
      line: zone.target?.line ?? zone.line,
      text: `zone ${zone.name}, target ${target}, without ${port}/udp`,
      home: zone.name,
      kind: 'policy',
    },
    unless: [],
  };
}
