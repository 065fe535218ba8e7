/**
 * `node dist-bench/bench/mt7621a/run.js [subject...]`, from the project's folder: the compiled engine under qemu-mipsel, in Debian
 * 12's Node 18 and in QuickJS, and how many instructions of the guest each packet takes. Prints the table, and keeps it in
 * bench/results. What it needs, setup.sh gets.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../src/base/bytes.ts';
import { noble } from '../../src/crypto/noble.ts';
import { bundle } from './bundle.ts';
import { CACHE, each, kernel, node, quickjs, run, versions } from './guest.ts';
import { markdown, type Row } from './table.ts';

const RESULTS = join('bench', 'results');
/** What has been counted before for an open of 1420 bytes, and is 1.0 in the project's goals. */
const PUBLISHED = 40_959;
const BACKENDS = ['wasm-scalar', 'node', 'noble'];
const SIZES = [1420, 64];
const KERNEL = 'Linux 6.1 assembly';

/** How often, in both runs: enough for a compiler to be done, and as little for an interpreter as can be. */
const TIMES = {
  kernel: [50, 150],
  aead: [8000, 16_000],
  engine: [8000, 16_000],
  handshake: { noble: [20, 40], node: [400, 800] },
  quickjs: [2, 6],
} as const;

type Times = readonly [few: number, many: number];

/** Does the assembly compute what the engine does? */
function kernelAgrees(): void {
  const plain = Uint8Array.from({ length: 1420 }, (_, i) => i);
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  const tag = toHex(noble.seal(key, 7, 0, new Uint8Array(), plain).subarray(1420));
  for (const build of ['kernel', 'kernel-r1'] as const) {
    const { output } = run(kernel(build, ['open', '1420', '1']));
    if (output !== tag) throw new Error(`${build}: the tag is ${output}, and should be ${tag}`);
  }
}

class Session {
  readonly rows: Row[] = [];
  readonly #wanted: readonly string[];
  readonly #node: string;
  readonly #quickjs: string;
  readonly #base = new Map<string, number>();

  constructor(wanted: readonly string[], nodeScript: string, quickjsScript: string) {
    this.#wanted = wanted;
    this.#node = nodeScript;
    this.#quickjs = quickjsScript;
  }

  /** One thread's AEAD: the kernel's assembly, then each backend. */
  aead(what: 'open' | 'seal'): void {
    for (const bytes of SIZES) {
      const subject = `${what} ${bytes} bytes`;
      const words = (times: number) => [what, String(bytes), String(times)];
      const r1 = each((times) => kernel('kernel-r1', words(times)), ...TIMES.kernel);
      this.#base.set(`${what} ${bytes}`, r1.all);
      if (!this.#wants('aead')) continue;
      this.#add({ subject, bytes, by: `${KERNEL}, without maddu`, counts: r1, base: r1.all });
      const r2 = each((times) => kernel('kernel', words(times)), ...TIMES.kernel);
      this.#add({ subject, bytes, by: `${KERNEL}, as compiled for it`, counts: r2, base: r1.all });
      for (const backend of BACKENDS) this.#onNode(subject, backend, what, bytes, TIMES.aead, r1.all);
      this.#onQuickjs(subject, what, bytes, TIMES.quickjs, r1.all);
    }
  }

  /** A device does all that it does with a packet, or with a datagram: to be held against the kernel's AEAD alone. */
  engine(): void {
    if (!this.#wants('engine')) return;
    for (const [what, aead] of [
      ['receive', 'open'],
      ['send', 'seal'],
    ] as const)
      for (const bytes of SIZES) {
        const subject = `a device ${what}s ${bytes} bytes`;
        const base = this.#base.get(`${aead} ${bytes}`);
        for (const backend of BACKENDS) this.#onNode(subject, backend, what, bytes, TIMES.engine, base);
        if (bytes === 1420) this.#onQuickjs(subject, what, bytes, TIMES.quickjs, base);
      }
  }

  handshake(): void {
    if (!this.#wants('handshake')) return;
    const subject = 'a handshake, both sides';
    // WebAssembly has the hashes as well; all of X25519 is OpenSSL's there
    for (const backend of ['wasm-scalar', 'node']) {
      this.#onNode(subject, backend, 'handshake', 0, TIMES.handshake.node);
    }
    this.#onNode(subject, 'noble', 'handshake', 0, TIMES.handshake.noble);
    this.#onQuickjs(subject, 'handshake', 0, [1, 2]);
  }

  /** From nothing to a backend that could be used: one run, not a difference. */
  start(): void {
    if (!this.#wants('start')) return;
    const subject = 'start, before the first packet';
    for (const backend of BACKENDS) {
      const { counts } = run(node(this.#node, [backend, 'start', '0', '0']));
      this.#add({ subject, bytes: 0, by: `${backend}, Node 18`, counts });
    }
    const { counts } = run(quickjs(this.#quickjs, ['noble', 'start', '0', '0']));
    this.#add({ subject, bytes: 0, by: 'noble, QuickJS', counts });
  }

  #wants(subject: string): boolean {
    return this.#wanted.length === 0 || this.#wanted.includes(subject);
  }

  #onNode(subject: string, backend: string, what: string, bytes: number, times: Times, base?: number): void {
    const words = (n: number) => [backend, what, String(bytes), String(n), String(times[1])];
    const counts = each((n) => node(this.#node, words(n)), ...times);
    this.#add({ subject, bytes, by: `${backend}, Node 18`, counts, ...(base === undefined ? {} : { base }) });
  }

  #onQuickjs(subject: string, what: string, bytes: number, times: Times, base?: number): void {
    const words = (n: number) => ['noble', what, String(bytes), String(n), String(times[1])];
    const counts = each((n) => quickjs(this.#quickjs, words(n)), ...times);
    this.#add({ subject, bytes, by: 'noble, QuickJS', counts, ...(base === undefined ? {} : { base }) });
  }

  #add(row: Row): void {
    this.rows.push(row);
    process.stderr.write(`${row.subject}: ${row.by}: ${Math.round(row.counts.all).toLocaleString('en')}\n`);
  }
}

function notes(rows: readonly Row[]): readonly string[] {
  const open = (by: string) =>
    rows.find((row) => row.subject === 'open 1420 bytes' && row.by.startsWith(by))?.counts.all;
  const [r1, r2, wasm] = [open(`${KERNEL}, without`), open(`${KERNEL}, as`), open('wasm-scalar')];
  const lines = [
    `instructions of the guest that one operation takes; 1.0 is the kernel's assembly as it was first counted, ${PUBLISHED.toLocaleString('en')} for an open of 1420 bytes: that is without the multiply-add of MIPS32 release 2, which a kernel for an MT7621A has`,
  ];
  if (r1 !== undefined)
    lines.push(
      `the same assembly counted here: ${Math.round(r1).toLocaleString('en')} (the glue around it is another)`,
    );
  if (wasm !== undefined && r2 !== undefined)
    lines.push(
      `WebAssembly without vectors opens 1420 bytes in ${(wasm / PUBLISHED).toFixed(2)} times ${PUBLISHED.toLocaleString('en')} (goal: 2.5 at most, 2 aimed at), and in ${(wasm / r2).toFixed(2)} times what a kernel compiled for an MT7621A takes`,
    );
  return lines;
}

function commit(): string {
  const { stdout } = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  return stdout?.trim() || 'unknown';
}

const SUBJECTS = ['aead', 'engine', 'handshake', 'start'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((word) => !SUBJECTS.includes(word));
if (unknown.length > 0) {
  process.stderr.write(`no such subject: ${unknown.join(', ')}; there are ${SUBJECTS.join(', ')}\n`);
  process.exit(2);
}
const setup = spawnSync('bash', [join('bench', 'mt7621a', 'setup.sh')], { stdio: ['ignore', 2, 2] });
if (setup.status !== 0) process.exit(setup.status ?? 1);
kernelAgrees();
const session = new Session(
  wanted,
  await bundle(join('bench', 'mt7621a', 'node.ts'), CACHE, 'node.mjs'),
  await bundle(join('bench', 'mt7621a', 'quickjs.ts'), CACHE, 'quickjs.mjs'),
);
session.aead('open');
session.aead('seal');
session.engine();
session.handshake();
session.start();

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
const date = new Date().toISOString().slice(0, 10);
const { rows } = session;
const outcome = { date, versions: { wgwhy: `${version} (${commit()})`, ...versions() }, rows, notes: notes(rows) };
const text = markdown(outcome);
process.stdout.write(text);
// a part of it would stand where the whole stood
if (wanted.length === 0) {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `mt7621a-${date}.json`), `${JSON.stringify(outcome, undefined, 2)}\n`);
  writeFileSync(join(RESULTS, `mt7621a-${date}.md`), text);
}
