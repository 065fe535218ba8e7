/** Reads `firewall-cmd --list-all` and `--list-all-zones`. */
import type { Problem } from '../../base/problem.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import { type Located, ProblemList } from '../text.ts';
import { type PortRange, portRange } from './packet-filter.ts';

export interface FirewalldPort {
  readonly range: PortRange;
  readonly protocol: string;
}

export interface FirewalldZone {
  readonly line: number;
  readonly name: string;
  readonly active: boolean;
  /** `default` rejects what nothing below lets in; else `ACCEPT`, `DROP`, `%%REJECT%%`. */
  readonly target?: Located<string>;
  readonly interfaces: readonly Located<string>[];
  readonly sources: readonly Located<string>[];
  /** Names; `wireguard` stands for 51820/udp. */
  readonly services: readonly Located<string>[];
  readonly ports: readonly Located<FirewalldPort>[];
  readonly protocols: readonly Located<string>[];
  /** Between interfaces of the zone. */
  readonly forward?: Located<boolean>;
  readonly masquerade?: Located<boolean>;
  readonly forwardPorts: readonly Located<string>[];
  readonly richRules: readonly Located<string>[];
}

type Draft = {
  -readonly [K in keyof FirewalldZone]: FirewalldZone[K] extends readonly (infer E)[] ? E[] : FirewalldZone[K];
};

function openZone(line: number, name: string, active: boolean): Draft {
  return {
    line,
    name,
    active,
    interfaces: [],
    sources: [],
    services: [],
    ports: [],
    protocols: [],
    forwardPorts: [],
    richRules: [],
  };
}

/** Used for one text and thrown away. */
class ZoneReader {
  readonly problems = new ProblemList();
  readonly zones: Draft[] = [];
  /** Lists that go on, one item a line. */
  #open: 'forward-ports' | 'rich rules' | undefined;

  line(number: number, text: string): void {
    const head = /^(\S{1,64})(?: \(([a-z, ]+)\))?\s*$/.exec(text);
    if (head !== null && !text.includes(':')) {
      this.zones.push(openZone(number, head[1] ?? '', head[2]?.includes('active') ?? false));
      this.#open = undefined;
      return;
    }
    const zone = this.zones.at(-1);
    if (text.trim() === '' || zone === undefined) {
      if (text.trim() !== '') this.problems.add({ line: number, column: 1 }, 'this stands in no zone');
      return;
    }
    const setting = /^\s+([a-z][a-z -]*): ?(.*)$/.exec(text);
    // Items of open lists are `port=80:proto=…` and `rule family=…`, which are no settings.
    if (setting === null || /^\s*(rule|port)\b[^:]*=/.test(text)) {
      const item = { value: text.trim(), line: number, column: text.search(/\S/) + 1 };
      if (this.#open === 'forward-ports') zone.forwardPorts.push(item);
      else if (this.#open === 'rich rules') zone.richRules.push(item);
      return;
    }
    const [, name = '', value = ''] = setting;
    this.#open = name === 'forward-ports' || name === 'rich rules' ? name : undefined;
    this.#setting(zone, name, this.#words(number, text, value));
  }

  #words(line: number, text: string, value: string): Located<string>[] {
    const start = text.length - value.length;
    return [...value.matchAll(/\S+/g)].map((m) => ({ value: m[0], line, column: start + m.index + 1 }));
  }

  #setting(zone: Draft, name: string, words: readonly Located<string>[]): void {
    const [first] = words;
    switch (name) {
      case 'target':
        if (first !== undefined) zone.target = first;
        return;
      case 'interfaces':
      case 'sources':
      case 'services':
      case 'protocols':
        zone[name].push(...words);
        return;
      case 'ports':
        for (const word of words) this.#port(zone, word);
        return;
      case 'forward':
      case 'masquerade':
        if (first !== undefined) zone[name] = { ...first, value: first.value === 'yes' };
        return;
      case 'forward-ports':
        zone.forwardPorts.push(...words);
    }
  }

  #port(zone: Draft, word: Located<string>): void {
    const [ports = '', protocol] = word.value.split('/');
    const range = portRange(ports);
    if (range === undefined || protocol === undefined)
      this.problems.add(word, 'ports has an entry that is not PORT/PROTOCOL');
    else zone.ports.push({ ...word, value: { range, protocol } });
  }
}

/** Never throws. */
export function parseFirewalld(text: Pasted): {
  readonly zones: readonly FirewalldZone[];
  readonly problems: readonly Problem[];
} {
  const reader = new ZoneReader();
  for (const line of pastedLines(text)) reader.line(line.number, line.text);
  return { zones: reader.zones, problems: reader.problems.done() };
}
