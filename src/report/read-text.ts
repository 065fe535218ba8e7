/** One text into what is known: keys, ends, and the machine they run on; section by section where several were pasted. */
import type { KeySet } from '../analyze/key-set.ts';
import { type Machine, newMachine } from '../analyze/machine.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { parseFirewalld } from '../config/host/firewalld.ts';
import { parseIptablesList } from '../config/host/iptables-list.ts';
import { parseIptablesSave } from '../config/host/iptables-save.ts';
import { parseNft } from '../config/host/nft.ts';
import { parsePing } from '../config/host/ping.ts';
import { parseIpRoute, parseRoutePrint } from '../config/host/routes.ts';
import { parseUdpSockets } from '../config/host/sockets.ts';
import { parseSysctl } from '../config/host/sysctl.ts';
import { parseTimedatectl } from '../config/host/timedatectl.ts';
import { parseUfwStatus } from '../config/host/ufw.ts';
import { parseKeyLog } from '../config/key-log.ts';
import { parseLog } from '../config/log/parse.ts';
import { rosInterfaces } from '../config/routeros/as-conf.ts';
import { parseRosExport, type RosConfig } from '../config/routeros/export.ts';
import { configOfPrints, mergeRosConfigs } from '../config/routeros/merge.ts';
import { parseRosPrint } from '../config/routeros/print.ts';
import { parseRosSniffer } from '../config/routeros/sniffer.ts';
import type { RosPeer } from '../config/routeros/wireguard.ts';
import { sectionText, splitSections, type TextSection } from '../config/sections.ts';
import { sniffText, type TextKind } from '../config/sniff.ts';
import { statusAsConf } from '../config/status-as-conf.ts';
import { decodeText, MAX_TEXT_BYTES } from '../config/text.ts';
import { parseTrafficKeys } from '../config/traffic-keys.ts';
import { parseWgConf } from '../config/wg-quick.ts';
import { parseWgShow } from '../config/wg-show.ts';
import { parseWgShowDump } from '../config/wg-show-dump.ts';
import type { WgStatusInterface } from '../config/wg-status.ts';
import type { InputKind } from './model.ts';
import { unread } from './unread.ts';

/** Lists of a long log are longer than a call can have arguments. */
function append<T>(list: T[], more: readonly T[]): void {
  for (const item of more) list.push(item);
}

/** One text while it is read. */
class TextReader {
  readonly #input: string;
  readonly #name: string;
  readonly #keys: KeySet;
  readonly #report: (problem: Problem) => void;
  readonly #machine: Machine;
  /** Interfaces seen so far: with several, each is called by its name or line. */
  readonly #several: boolean;
  #ros: RosConfig | undefined;
  #fromPrints = false;
  readonly kinds = new Set<InputKind>();

  constructor(input: string, name: string, keys: KeySet, several: boolean, report: (problem: Problem) => void) {
    this.#input = input;
    this.#name = name;
    this.#keys = keys;
    this.#several = several;
    this.#report = report;
    this.#machine = newMachine(input, name);
  }

  section(section: TextSection): void {
    const kind = this.#read(section);
    const line = section.lines[0]?.number;
    if (kind === undefined) this.#report(unread(section.kind, line === 1 ? undefined : line));
    else this.kinds.add(kind);
  }

  /** `text` is the whole file where it is of one kind: comments at its beginning count too. */
  wgConf(text: string, line: number): InputKind {
    const { conf, problems } = parseWgConf(text);
    this.#keys.addConf(this.#input, this.#several ? `${this.#name} line ${line}` : this.#name, conf);
    this.#tell(problems);
    return 'wg-conf';
  }

  keyLog(text: string): InputKind {
    const { keyLog, problems } = parseKeyLog(text);
    this.#keys.addKeyLog(this.#name, keyLog);
    this.#tell(problems);
    return 'key-log';
  }

  trafficKeys(text: string): InputKind {
    const { keys, problems } = parseTrafficKeys(text);
    this.#keys.addTrafficKeys(this.#name, keys);
    this.#tell(problems);
    return 'traffic-keys';
  }

  #tell(problems: readonly Problem[]): void {
    for (const problem of problems) this.#report(problem);
  }

  /** undefined for what is not read. */
  #read(section: TextSection): InputKind | undefined {
    const { kind, lines, command } = section;
    const line = lines[0]?.number ?? 1;
    const machine = this.#machine;
    switch (kind) {
      case 'wg-conf':
        return this.wgConf(sectionText(withoutTalk(section)), line);
      case 'key-log':
        return this.keyLog(sectionText(section));
      case 'traffic-keys':
        return this.trafficKeys(sectionText(section));
      case 'wg-show':
        return this.#status(parseWgShow(lines));
      case 'wg-show-dump':
        return this.#status(parseWgShowDump(lines));
      case 'routeros-export': {
        const { config, problems } = parseRosExport(lines);
        this.#tell(problems);
        return this.#routeros(config, false);
      }
      case 'routeros-print': {
        const { tables, faults, problems } = parseRosPrint(lines, command);
        this.#tell(problems);
        return this.#routeros(configOfPrints(tables, faults), true);
      }
      case 'routeros-sniffer': {
        const { packets, problems } = parseRosSniffer(lines);
        append(machine.sniffed, packets);
        this.#tell(problems);
        return 'host';
      }
      case 'log':
        append(machine.log, parseLog(lines));
        return 'log';
      case 'iptables-save':
        return this.#filter('iptables-save', line, parseIptablesSave(lines));
      case 'iptables-list':
        return this.#filter('iptables', line, parseIptablesList(lines));
      case 'nft-ruleset':
        return this.#filter('nft', line, parseNft(lines));
      case 'ufw-status': {
        const { ufw, problems } = parseUfwStatus(lines);
        if (ufw !== undefined) machine.ufw = ufw;
        this.#tell(problems);
        return 'host';
      }
      case 'firewalld-list': {
        const { zones, problems } = parseFirewalld(lines);
        append(machine.zones, zones);
        this.#tell(problems);
        return 'host';
      }
      case 'sockets':
        append(machine.sockets, parseUdpSockets(lines));
        machine.socketsListed = true;
        return 'host';
      case 'ip-route':
        append(machine.routes, parseIpRoute(lines));
        return 'host';
      case 'route-print':
        append(machine.routes, parseRoutePrint(lines));
        return 'host';
      case 'sysctl':
        append(machine.sysctls, parseSysctl(lines, command));
        return 'host';
      case 'timedatectl':
        machine.clock = parseTimedatectl(lines);
        return 'host';
      case 'ping':
        append(machine.pings, parsePing(lines));
        return 'host';
      default:
        return undefined;
    }
  }

  #filter(
    tool: Machine['filters'][number]['tool'],
    line: number,
    { filter, problems }: ReturnType<typeof parseNft>,
  ): InputKind {
    this.#machine.filters.push({ tool, line, filter });
    this.#tell(problems);
    return 'host';
  }

  #status(read: {
    readonly interfaces: readonly WgStatusInterface[];
    readonly problems: readonly Problem[];
  }): InputKind {
    this.#tell(read.problems);
    for (const status of read.interfaces) {
      const { name, publicKey } = status;
      const called = name === undefined || (!this.#several && read.interfaces.length === 1) ? '' : ` ${name.value}`;
      this.#keys.addConf(this.#input, `${this.#name}${called}`, statusAsConf(status), {
        origin: { kind: 'wg-show', status },
        ...(publicKey === undefined ? {} : { publicKey: publicKey.value }),
      });
    }
    return 'wg-show';
  }

  #routeros(config: RosConfig, fromPrints: boolean): InputKind {
    this.#fromPrints ||= fromPrints;
    this.#ros = this.#ros === undefined ? config : mergeRosConfigs(this.#ros, config);
    return 'routeros';
  }

  /** The router may hold the clients' own keys, for the files that it makes for them. */
  #clientKeys(peers: readonly RosPeer[]): void {
    for (const { privateKey, line } of peers) {
      if (privateKey?.value.kind === 'key') this.#keys.addPrivate(privateKey.value.key, `${this.#name} line ${line}`);
    }
  }

  /** Also of what is disabled. */
  #secrets({ wireguard, peers }: RosConfig): void {
    const all = [...wireguard, ...peers].flatMap(({ privateKey }) => privateKey?.value ?? []);
    for (const secret of [...all, ...peers.flatMap(({ presharedKey }) => presharedKey?.value ?? [])]) {
      if (secret.kind === 'key') this.#keys.addIdleSecret(secret.key);
    }
  }

  done(): void {
    const config = this.#ros;
    if (config !== undefined) {
      this.#secrets(config);
      this.#machine.ros = config;
      this.#machine.rosComplete = !this.#fromPrints;
      const ends = rosInterfaces(config);
      for (const end of ends) {
        const alone = ends.length === 1 && !this.#several;
        const called = alone || end.name === undefined ? '' : ` ${end.name}`;
        const printed = end.wireguard?.publicKey?.value;
        this.#keys.addConf(this.#input, `${this.#name}${called}`, end.conf, {
          origin: { kind: 'routeros', config, end },
          ...(printed === undefined ? {} : { publicKey: printed }),
        });
        this.#clientKeys(end.peers);
      }
    }
    const { kinds } = this;
    if (kinds.has('routeros') || kinds.has('host') || kinds.has('log')) this.#keys.machines.push(this.#machine);
  }
}

/** What was written below a pasted file is not of it: neither a setting nor a section nor a comment. */
function withoutTalk(section: TextSection): TextSection {
  const last = section.lines.findLastIndex(({ text }) => /=|^\s*[[#;]/.test(text));
  return last < 0 ? section : { ...section, lines: section.lines.slice(0, last + 1) };
}

/** Kinds of files, which are read as a whole, comments and all. */
const WHOLE: ReadonlySet<TextKind> = new Set<TextKind>(['wg-conf', 'key-log', 'traffic-keys']);

/** Into `keys`; undefined when there was nothing that is read. Several kinds in one text are `pasted`. */
export function readText(
  name: string,
  input: string,
  bytes: Bytes,
  keys: KeySet,
  report: (problem: Problem) => void,
): InputKind | undefined {
  const { text, problems } = decodeText(bytes);
  const whole = sniffText(bytes.length > MAX_TEXT_BYTES ? bytes.subarray(0, MAX_TEXT_BYTES) : bytes);
  const sections = whole === 'binary' || whole === 'empty' ? [] : splitSections(text);
  const files = sections.filter(({ kind }) => kind === 'wg-conf').length;
  const shown = sections.filter(({ kind }) => kind === 'wg-show' || kind === 'wg-show-dump').length;
  const router = sections.some(({ kind }) => kind === 'routeros-export' || kind === 'routeros-print') ? 1 : 0;
  const reader = new TextReader(input, name, keys, files + shown + router > 1, report);
  const single = sections.length <= 1 || sections.every(({ kind }) => kind === whole);
  if (single && files <= 1 && WHOLE.has(whole)) {
    for (const problem of problems) report(problem);
    if (whole === 'wg-conf') return reader.wgConf(text, 1);
    return whole === 'key-log' ? reader.keyLog(text) : reader.trafficKeys(text);
  }
  // What stands between outputs is talk; alone it is something that is not read.
  const known = sections.filter(({ kind }) => kind !== 'unknown');
  if (known.length === 0) {
    report(unread(whole, undefined));
    return undefined;
  }
  for (const problem of problems) report(problem);
  for (const section of known) reader.section(section);
  reader.done();
  const [kind, another] = reader.kinds;
  return another === undefined ? kind : 'pasted';
}
