/** The layers of DESIGN as a test: who may import whom, how long a file may be, and where no clock or chance may be read. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const MAX_LINES = 400;

/** What a layer may import besides itself. An entry with a slash is one file, one without is a whole layer. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  crypto: ['base'],
  capture: ['base'],
  config: ['base'],
  packet: ['base', 'capture'],
  wg: ['base', 'crypto/port.ts'],
  analyze: ['base', 'crypto/port.ts', 'crypto/noble.ts', 'capture', 'config', 'packet', 'wg'],
  diagnose: ['base', 'crypto/port.ts', 'crypto/noble.ts', 'capture', 'config', 'packet', 'wg', 'analyze'],
  report: ['base', 'crypto/port.ts', 'crypto/noble.ts', 'capture', 'config', 'packet', 'wg', 'analyze', 'diagnose'],
  io: ['base', 'crypto', 'capture', 'config', 'packet', 'wg', 'analyze', 'diagnose', 'report'],
  cli: ['base', 'crypto', 'capture', 'config', 'packet', 'wg', 'analyze', 'diagnose', 'report', 'io', 'index.ts'],
  web: ['base', 'crypto', 'capture', 'config', 'packet', 'wg', 'analyze', 'diagnose', 'report', 'index.ts'],
  'engine.ts': ['base', 'crypto', 'wg'],
  'index.ts': ['base', 'crypto', 'capture', 'config', 'packet', 'wg', 'analyze', 'diagnose', 'report'],
};
/** Files that need Node stay out of the engine, the library's entry and the page. */
const ONLY_FOR: Readonly<Record<string, readonly string[]>> = { 'crypto/node.ts': ['io', 'cli'] };

/** Deterministic layers, and files of others that must be so too: no clock, no chance, no Node, no package. */
const PURE = [
  'base',
  'capture',
  'packet',
  'config',
  'wg',
  'analyze',
  'diagnose',
  'report',
  'crypto/port.ts',
  'crypto/aead.ts',
  'crypto/noble.ts',
  'crypto/fastest.ts',
  'crypto/ahead/desk.ts',
  'crypto/ahead/helper.ts',
  'crypto/ahead/layout.ts',
  'crypto/wasm/binary.ts',
  'crypto/wasm/index.ts',
  'crypto/wasm/layout.ts',
  'crypto/wasm/machine.ts',
];
const BANNED =
  /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bMath\s*\.\s*random\b|\bperformance\b|\bset(?:Timeout|Interval|Immediate)\b|\bBuffer\b|\bprocess\b/;
const PACKAGE_ALLOWED: Readonly<Record<string, RegExp>> = {
  'crypto/noble.ts': /^@noble\//,
  'capture/inflate.ts': /^pako$/,
};

interface Source {
  /** Below src, with slashes. */
  readonly path: string;
  readonly text: string;
}

const TOKEN = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
const BEFORE_SPECIFIER = /\b(?:from|import)\s*\(?\s*$/;

interface Scanned {
  /** Without comments and without the insides of quoted strings. */
  readonly code: string;
  /** What is imported or re-exported, in any form. */
  readonly imports: readonly string[];
}

function scan(text: string): Scanned {
  const imports: string[] = [];
  let code = '';
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    code += text.slice(at, match.index);
    at = match.index + token.length;
    if (token.startsWith('`')) code += token;
    else if (token.startsWith('/')) code += ' ';
    else {
      if (BEFORE_SPECIFIER.test(code.slice(-40))) imports.push(token.slice(1, -1));
      code += "''";
    }
  }
  return { code: code + text.slice(at), imports };
}

const layerOf = (path: string): string => path.split('/')[0] ?? '';
const inList = (path: string, entries: readonly string[]): boolean =>
  entries.includes(path) || entries.includes(layerOf(path));

function faultsOfImport(from: string, specifier: string): string[] {
  if (!specifier.startsWith('.')) {
    const allowed = !inList(from, PURE) || PACKAGE_ALLOWED[from]?.test(specifier) === true;
    return allowed ? [] : [`${from} imports the package ${specifier}`];
  }
  const to = posix.normalize(posix.join(dirname(from), specifier));
  if (to.startsWith('..')) return [`${from} imports ${specifier} from outside src`];
  if (ONLY_FOR[to]?.includes(layerOf(from)) === false) return [`${from} imports ${to}`];
  const may = MAY_IMPORT[layerOf(from)];
  if (may === undefined) return [`${from} is in no known layer`];
  return layerOf(to) === layerOf(from) || inList(to, may) ? [] : [`${from} imports ${to}`];
}

function faultsOf({ path, text }: Source): string[] {
  const { code, imports } = scan(text);
  const faults = imports.flatMap((specifier) => faultsOfImport(path, specifier));
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES) faults.push(`${path} has ${lines} lines`);
  if (inList(path, PURE)) {
    const banned = BANNED.exec(code);
    if (banned !== null) faults.push(`${path} uses ${banned[0]}`);
  }
  return faults;
}

function sources(): Source[] {
  const names = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).map((name) => name.split(sep).join('/'));
  return names
    .filter((name) => name.endsWith('.ts') && !name.startsWith('crypto/wasm/assembly/'))
    .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));
}

test('src keeps to the layers, the length and the bans', () => {
  const all = sources();
  expect(all.length).toBeGreaterThan(20);
  expect(all.flatMap(faultsOf)).toEqual([]);
});

test('every layer in src is in the table', () => {
  const layers = new Set(sources().map(({ path }) => layerOf(path)));
  expect([...layers].filter((layer) => MAY_IMPORT[layer] === undefined)).toEqual([]);
});

const planted: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['upward', 'wg/peer.ts', "import { x } from '../analyze/x.ts';", ['wg/peer.ts imports analyze/x.ts']],
  ['upward, types only', 'base/a.ts', "import type { X } from '../wg/drop.ts';", ['base/a.ts imports wg/drop.ts']],
  ['re-export', 'packet/a.ts', "export { x } from '../wg/drop.ts';", ['packet/a.ts imports wg/drop.ts']],
  ['export star', 'packet/a.ts', "export * from '../config/a.ts';", ['packet/a.ts imports config/a.ts']],
  ['dynamic', 'capture/a.ts', "const x = await import('../io/files.ts');", ['capture/a.ts imports io/files.ts']],
  ['side effect', 'capture/a.ts', "import '../wg/a.ts';", ['capture/a.ts imports wg/a.ts']],
  ['over lines', 'wg/a/b.ts', "import {\n  x,\n} from '../../crypto/noble.ts';", ['wg/a/b.ts imports crypto/noble.ts']],
  ['type of import', 'base/a.ts', "type X = import('../wg/drop.ts').Drop;", ['base/a.ts imports wg/drop.ts']],
  ['web and io', 'web/a.ts', "import '../io/a.ts';", ['web/a.ts imports io/a.ts']],
  ['web and node', 'web/a.ts', "import '../crypto/node.ts';", ['web/a.ts imports crypto/node.ts']],
  ['library and node', 'index.ts', "export * from './crypto/node.ts';", ['index.ts imports crypto/node.ts']],
  ['noble and node', 'crypto/noble.ts', "import './node.ts';", ['crypto/noble.ts imports crypto/node.ts']],
  ['command and node are fine', 'cli/commands/a.ts', "import '../../crypto/node.ts';", []],
  ['library and cli', 'index.ts', "export * from './cli/main.ts';", ['index.ts imports cli/main.ts']],
  [
    'outside',
    'cli/a.ts',
    "import '../../test/vectors.ts';",
    ['cli/a.ts imports ../../test/vectors.ts from outside src'],
  ],
  ['unknown layer', 'extra/a.ts', "import '../base/bytes.ts';", ['extra/a.ts is in no known layer']],
  ['node', 'wg/a.ts', "import { join } from 'node:path';", ['wg/a.ts imports the package node:path']],
  [
    'package',
    'wg/a.ts',
    "import { x } from '@noble/hashes/blake2.js';",
    ['wg/a.ts imports the package @noble/hashes/blake2.js'],
  ],
  ['clock', 'wg/a.ts', 'const now = Date.now();', ['wg/a.ts uses Date.now']],
  ['clock, hidden', 'wg/a.ts', 'const now = new Date();', ['wg/a.ts uses new Date()']],
  ['chance', 'crypto/noble.ts', 'const r = Math.random();', ['crypto/noble.ts uses Math.random']],
  ['timer', 'report/a.ts', 'setTimeout(f, 1);', ['report/a.ts uses setTimeout']],
  ['after an odd regex', 'base/a.ts', "const r = /'/;\nconst t = performance.now();", ['base/a.ts uses performance']],
  ['too long', 'base/a.ts', '\n'.repeat(401), ['base/a.ts has 401 lines']],
  ['down is fine', 'wg/a.ts', "import { x } from '../base/bytes.ts';\nimport '../crypto/port.ts';", []],
  ['within is fine', 'wg/message/a.ts', "import { x } from '../drop.ts';", []],
  [
    'comments and words are fine',
    'base/a.ts',
    "// Date.now, import '../wg/a.ts'\n/* Math.random */\nconst s = 'performance';",
    [],
  ],
  ['the word from in quotes is fine', 'base/a.ts', "type X = 'from' | 'import' | '../wg/a.ts';", []],
  [
    'a comment before the specifier',
    'base/a.ts',
    "import { x } from /* why */ '../wg/a.ts';",
    ['base/a.ts imports wg/a.ts'],
  ],
  ['node above is fine', 'io/a.ts', "import 'node:dgram';\nconst t = Date.now();", []],
  ['exactly 400 lines are fine', 'base/a.ts', '\n'.repeat(400), []],
];

test.each(planted)('the checker: %s', (_, path, text, wanted) => {
  expect(faultsOf({ path, text })).toEqual(wanted);
});
