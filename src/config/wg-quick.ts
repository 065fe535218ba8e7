/** Reads the files of `wg setconf` and wg-quick: every value with its place, every fault at once, no secret repeated. */
import type { Bytes } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { commentName } from './comment-names.ts';
import { namedSecret } from './secret-text.ts';
import { lines, trimmed, withoutSpace } from './text.ts';
import type { WgConf } from './wg-conf.ts';
import {
  AMNEZIA_SETTINGS,
  APP_SETTINGS,
  type ConfSection,
  INTERFACE_SETTINGS,
  meantSetting,
  nearest,
  PEER_SETTINGS,
} from './wg-names.ts';
import { HOOKS, SettingReader, type Slot } from './wg-settings.ts';

/** Characters; the largest real files, of thousands of peers, stay below it. */
export const MAX_CONF_LENGTH = 1024 * 1024;
export const MAX_CONF_PEERS = 10_000;

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Sections, comments and which setting belongs where; used for one file and thrown away. */
class ConfReader {
  readonly #settings = new SettingReader();
  readonly problems = this.#settings.problems;
  readonly #namedSecrets: Bytes[] = [];
  /** `unknown`: under a section that is not WireGuard's; `full`: past the last peer that is kept. */
  #section: ConfSection | 'none' | 'unknown' | 'full' = 'none';
  /** That a line stands before any section is said once. */
  #orphanSaid = false;
  /** A comment that may belong to the next `[Peer]`. */
  #pending: { readonly text: string; readonly afterBlank: boolean } | undefined;
  #blank = true;
  #explicit = false;

  line(number: number, text: string): void {
    // also where no setting is read: what is not to be shown does not depend on what is in use
    const secret = namedSecret(text);
    if (secret !== undefined) this.#namedSecrets.push(secret);
    const hash = text.indexOf('#');
    const body = trimmed(text, 0, hash < 0 ? text.length : hash);
    const comment = hash < 0 ? undefined : text.slice(hash + 1);
    if (body.text === '') {
      if (comment !== undefined) this.#comment(comment);
      else this.#blankLine();
      return;
    }
    if (body.text.startsWith('[')) this.#header(body.text, { line: number, column: body.at + 1 }, comment);
    else {
      this.#settle();
      this.#setting(text, body, number);
      if (comment !== undefined) this.#name(comment);
    }
    this.#blank = false;
  }

  done(): { readonly conf: WgConf; readonly problems: Problem[] } {
    this.#settle();
    if (this.#settings.interface.line === undefined && this.#settings.peers.length === 0 && this.#section === 'none') {
      this.problems.add(
        undefined,
        'there is no [Interface] and no [Peer] section',
        'hand over a wg-quick or wg setconf file',
      );
    }
    const malformed = new Set(
      this.#settings.faults.map((f) => (f.kind === 'key-malformed' && f.setting === 'PublicKey' ? f.peer : undefined)),
    );
    for (const [i, peer] of this.#settings.peers.entries()) {
      if (peer.publicKey !== undefined || malformed.has(i)) continue;
      this.problems.add(
        { line: peer.line, column: 1 },
        'this [Peer] has no PublicKey',
        "add the other end's public key",
      );
    }
    return {
      conf: {
        interface: this.#settings.interface,
        peers: this.#settings.peers,
        faults: this.#settings.faults,
        ...(this.#namedSecrets.length === 0 ? {} : { namedSecrets: this.#namedSecrets }),
      },
      problems: this.problems.done(),
    };
  }

  // Comments: directly above a [Peer], or in its section.

  #comment(text: string): void {
    const afterBlank = this.#pending?.afterBlank ?? this.#blank;
    const before = this.#pending?.text;
    this.#blank = false;
    if (before !== undefined && !afterBlank) this.#name(before);
    // In a block of comments the line that says it is a name counts, else the last.
    const keep = before !== undefined && commentName(before)?.explicit === true && commentName(text)?.explicit !== true;
    if (!keep) this.#pending = { text, afterBlank };
  }

  #blankLine(): void {
    // A comment with text before it and none after it ends its section; one between blank lines opens the next.
    if (this.#pending !== undefined && !this.#pending.afterBlank) this.#settle();
    this.#blank = true;
  }

  #settle(): void {
    if (this.#pending !== undefined) this.#name(this.#pending.text);
    this.#pending = undefined;
  }

  #name(text: string): void {
    const owner =
      this.#section === 'peer'
        ? this.#settings.peers.at(-1)
        : this.#section === 'interface'
          ? this.#settings.interface
          : undefined;
    const found = owner === undefined ? undefined : commentName(text);
    if (owner === undefined || found === undefined) return;
    // On the interface only what says that it is a name: other comments there speak of anything.
    if (this.#section === 'interface' && !found.explicit) return;
    if (owner.comment !== undefined && !(found.explicit && !this.#explicit)) return;
    owner.comment = found.name;
    this.#explicit = found.explicit;
  }

  // Sections

  #header(text: string, place: Place, comment: string | undefined): void {
    const close = text.indexOf(']');
    if (close < 0) this.problems.add(place, "a section header lacks its ']'", 'write [Interface] or [Peer]');
    else if (close < text.length - 1) {
      const column = place.column + close + 1;
      this.problems.add(
        { line: place.line, column },
        'something follows a section header',
        'put it on a line of its own',
      );
    }
    const word = withoutSpace(text.slice(1, close < 0 ? text.length : close));
    const lower = word.toLowerCase();
    let name: ConfSection | undefined = lower === 'interface' || lower === 'peer' ? lower : undefined;
    if (name === undefined) {
      name = nearest(word, ['interface', 'peer'] as const);
      const meant = name === 'peer' ? '[Peer]' : '[Interface]';
      this.problems.add(
        place,
        'this section is not known to WireGuard',
        name === undefined ? 'sections are [Interface] and [Peer]' : `did you mean ${meant}`,
      );
    }
    const above = this.#pending?.text;
    if (name === 'peer') this.#pending = undefined;
    else this.#settle();
    this.#explicit = false;
    if (name === 'interface') this.#openInterface(place);
    else if (name === 'peer') this.#openPeer(place);
    else this.#section = 'unknown';
    if (name === 'peer' && above !== undefined) this.#name(above);
    if (comment !== undefined) this.#name(comment);
  }

  #openInterface(place: Place): void {
    if (this.#settings.interface.line !== undefined) {
      this.problems.add(
        place,
        `there is a second [Interface] section, the first is on line ${this.#settings.interface.line}`,
        'wg reads both as one; put them together',
      );
    }
    this.#settings.interface.line ??= place.line;
    this.#section = 'interface';
    this.#settings.openInterface();
  }

  #openPeer(place: Place): void {
    if (this.#settings.peers.length >= MAX_CONF_PEERS) {
      if (this.#section !== 'full')
        this.problems.add(place, `there are more than ${MAX_CONF_PEERS} peers; the rest was not read`);
      this.#section = 'full';
      return;
    }
    this.#settings.openPeer(place.line);
    this.#section = 'peer';
  }

  // Settings

  #setting(text: string, body: { readonly text: string; readonly at: number }, line: number): void {
    const place = { line, column: body.at + 1 };
    if (this.#section === 'unknown' || this.#section === 'full') return;
    if (body.text.startsWith(';') || body.text.startsWith('//')) {
      this.problems.add(place, 'this line is not a setting', "comments begin with '#'");
      return;
    }
    const equals = body.text.indexOf('=');
    if (equals < 0) {
      this.problems.add(place, "this line has no '='", 'write NAME = VALUE');
      return;
    }
    const word = equals > 64 ? '' : withoutSpace(body.text.slice(0, equals));
    const lower = word.toLowerCase();
    const inInterface = INTERFACE_SETTINGS.get(lower);
    const inPeer = PEER_SETTINGS.get(lower);
    if (this.#section === 'none') {
      if (this.#orphanSaid) return;
      const under = inPeer === undefined ? '[Interface]' : '[Peer]';
      this.problems.add(place, 'this line stands before any section', `put ${under} on a line above it`);
      this.#orphanSaid = true;
      return;
    }
    // Hooks are shell lines, in which '#' is no comment (wg-quick: unstripped_value).
    const end = inInterface !== undefined && inInterface in HOOKS ? text.length : body.at + body.text.length;
    const value = trimmed(text, body.at + equals + 1, end);
    const slot = { text: value.text, line, column: value.at + 1 };
    if (this.#section === 'interface' && inInterface !== undefined) this.#settings.interfaceSetting(inInterface, slot);
    else if (this.#section === 'peer' && inPeer !== undefined) this.#settings.peerSetting(inPeer, slot);
    else this.#stranger(lower, inInterface ?? inPeer, place, slot);
  }

  #stranger(lower: string, misplaced: string | undefined, place: Place, value: Slot): void {
    const amnezia = AMNEZIA_SETTINGS.get(lower);
    const here = this.#section === 'peer' ? '[Peer]' : '[Interface]';
    if (misplaced !== undefined) {
      this.problems.add(
        place,
        `${misplaced} does not belong under ${here}`,
        `put it under ${here === '[Peer]' ? '[Interface]' : '[Peer]'}`,
      );
    } else if (amnezia !== undefined && this.#section === 'interface') {
      this.#settings.amneziaSetting(amnezia, place, value);
    } else if (!APP_SETTINGS.has(lower)) {
      const meant = meantSetting(lower);
      const bare = lower.length >= 40 && value.text === '';
      const fallback = bare
        ? 'this looks like a key without its name: write NAME = KEY'
        : 'take the line out, or begin it with #';
      this.problems.add(
        place,
        'this setting is not known to WireGuard',
        meant === undefined ? fallback : `did you mean ${meant}`,
      );
    }
  }
}

/** Reads one file. Never throws; what cannot be read is left out of `conf` and named in `problems`. */
export function parseWgConf(text: string): { readonly conf: WgConf; readonly problems: Problem[] } {
  const reader = new ConfReader();
  if (text.charCodeAt(0) === 0xfeff) {
    reader.problems.add(
      { line: 1, column: 1 },
      'the file begins with a byte order mark, which wg refuses',
      'save it as UTF-8 without a byte order mark',
    );
    text = text.slice(1);
  }
  if (text.length > MAX_CONF_LENGTH) {
    reader.problems.add(undefined, `the file is longer than ${MAX_CONF_LENGTH} characters; the rest was not read`);
    // Up to a whole line, so that no half of one is judged.
    text = text.slice(0, text.lastIndexOf('\n', MAX_CONF_LENGTH - 1) + 1);
  }
  for (const line of lines(text)) reader.line(line.number, line.text);
  return reader.done();
}
