/** Configurations and key logs read whole, as what works with keys needs them; each value keeps its file and line. */
import { readFile, stat } from 'node:fs/promises';
import { platform } from 'node:process';
import type { Problem } from '../base/problem.ts';
import { type KeyLog, parseKeyLog } from '../config/key-log.ts';
import { sniffText, type TextKind } from '../config/sniff.ts';
import { decodeText } from '../config/text.ts';
import type { WgConf } from '../config/wg-conf.ts';
import { parseWgConf } from '../config/wg-quick.ts';
import { checkReadable, FileError } from './files.ts';
import type { PskCandidate } from './psk-trial.ts';

/** The largest real files stay far below it. */
const MOST_BYTES = 4 * 1024 * 1024;

export interface KeyFile {
  readonly path: string;
  readonly kind: TextKind;
  readonly conf: WgConf | undefined;
  readonly keyLog: KeyLog | undefined;
  readonly problems: readonly Problem[];
  /** Seconds since 1970. */
  readonly modifiedSec: number;
  /** Anybody on this machine may read it. */
  readonly isPublic: boolean;
}

/** Rejects with a FileError; what the file says, right or wrong, is in the value. */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const size = await checkReadable(path);
  if (size !== undefined && size > MOST_BYTES) {
    throw new FileError(path, 'it is far too long for a configuration', 'captures are read by wgwhy diagnose');
  }
  const [bytes, { mtimeMs, mode }] = await Promise.all([readFile(path), stat(path)]);
  const kind = sniffText(bytes);
  const { text, problems } = decodeText(bytes);
  const conf = kind === 'wg-conf' ? parseWgConf(text) : undefined;
  const keyLog = kind === 'key-log' ? parseKeyLog(text) : undefined;
  bytes.fill(0);
  return {
    path,
    kind,
    conf: conf?.conf,
    keyLog: keyLog?.keyLog,
    problems: [...problems, ...(conf?.problems ?? keyLog?.problems ?? [])],
    modifiedSec: Math.floor(mtimeMs / 1000),
    isPublic: (mode & 0o004) !== 0 && platform !== 'win32',
  };
}

/** Every preshared key of the files, in their order. */
export function pskCandidates(files: readonly KeyFile[]): PskCandidate[] {
  return files.flatMap(({ path, conf, keyLog }) => {
    const inConf = conf?.peers.flatMap(({ presharedKey }) => presharedKey ?? []) ?? [];
    const inLog = keyLog?.psks.map(({ key }) => key) ?? [];
    return [...inConf, ...inLog].map(({ value, line }) => ({ where: `${path}:${line}`, psk: value }));
  });
}
