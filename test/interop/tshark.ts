/** What tshark makes of captures, as its JSON has it: several captures of one kind in one run, since starting it takes longest. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A field has one value, or a list where it stands several times; a layer is an object, or a list of them. */
export type Layer = { readonly [name: string]: unknown };

export interface TsharkPacket {
  /** Counted over all captures. */
  readonly frame: number;
  readonly protocols: string;
  readonly layers: Layer;
}

export function missingTshark(): string | undefined {
  const missing = ['tshark', 'mergecap'].filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`;
}

const LAYERS = 'frame ip ipv6 udp tcp icmp icmpv6 dns wg';

/** Every packet that WireGuard was seen in; `keys` is the text of a key log. */
export async function tsharkPackets(captures: readonly string[], keys: string): Promise<TsharkPacket[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wgwhy-tshark-'));
  try {
    const keyLog = join(folder, 'keys');
    writeFileSync(keyLog, keys, { mode: 0o600 });
    const one = captures.length === 1 ? captures[0] : undefined;
    const file = one ?? join(folder, 'all.pcapng');
    if (one === undefined) await output('mergecap', ['-a', '-w', file, ...captures]);
    const options = ['-o', `wg.keylog_file:${keyLog}`];
    const text = await output('tshark', [
      '-r',
      file,
      ...options,
      '-Y',
      'wg',
      '-T',
      'json',
      '--no-duplicate-keys',
      '-J',
      LAYERS,
    ]);
    const packets: unknown = JSON.parse(text);
    if (!Array.isArray(packets)) throw new Error('tshark gave no list');
    return packets.map(packetOf);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function output(program: string, args: readonly string[]): Promise<string> {
  const options = { maxBuffer: 1 << 28, env: { ...process.env, TZ: 'UTC' } };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      // a damaged capture is read as far as it goes, and told with status 2
      if (error !== null && stdout === '') reject(new Error(`${program}: ${stderr}`));
      else resolve(stdout);
    });
  });
}

function packetOf(packet: unknown): TsharkPacket {
  const layers = layer(layer(layer(packet)['_source'])['layers']);
  const frame = layer(layers['frame']);
  return { frame: Number(frame['frame.number']), protocols: String(frame['frame.protocols']), layers };
}

export function layer(value: unknown): Layer {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The layer once, or each of those that bear this name, outermost first. */
export function layersOf(layers: Layer, name: string): Layer[] {
  const found = layers[name];
  if (found === undefined) return [];
  return (Array.isArray(found) ? found : [found]).map(layer);
}

/** Everything below a layer by the last part of its path; what stands several times keeps its first value. */
export function leaves(from: Layer, into: Map<string, string> = new Map()): Map<string, string> {
  for (const [name, value] of Object.entries(from)) {
    if (typeof value === 'string') {
      if (!into.has(name)) into.set(name, value);
    } else if (Array.isArray(value)) {
      const [first] = value;
      if (typeof first === 'string' && !into.has(name)) into.set(name, first);
    } else leaves(layer(value), into);
  }
  return into;
}
