/** Worlds for rule tests: from captures as bytes and files as text, through the same pieces as the real thing. */
import { KeySet } from '../../src/analyze/key-set.ts';
import { KeyedObserver } from '../../src/analyze/observer.ts';
import type { Timeline } from '../../src/analyze/timeline.ts';
import type { At } from '../../src/analyze/vantage.ts';
import { buildWorld, type World } from '../../src/analyze/world.ts';
import type { CaptureDamage } from '../../src/capture/frame.ts';
import { openCapture } from '../../src/capture/open.ts';
import { parseKeyLog } from '../../src/config/key-log.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { AnyRule } from '../../src/diagnose/rule.ts';
import { type Finding, runRules } from '../../src/diagnose/run.ts';
import { CaptureRun, runCapture } from '../../src/report/capture-run.ts';
import { readText } from '../../src/report/read-text.ts';

export interface Given {
  /** File name to its text, whatever it is: a configuration, an export, a listing, several pasted together. */
  readonly confs?: Readonly<Record<string, string>>;
  readonly keyLogs?: Readonly<Record<string, string>>;
  /** Capture name to its bytes. */
  readonly captures?: Readonly<Record<string, Uint8Array>>;
  readonly at?: Readonly<Record<string, At>>;
  /** Added to the damage that the reader found, to every capture. */
  readonly damage?: readonly CaptureDamage[];
}

export async function worldOf(given: Given): Promise<World> {
  const keys = new KeySet(nodeCrypto);
  for (const [name, text] of Object.entries(given.confs ?? {}))
    readText(name, name, new TextEncoder().encode(text), keys, () => {});
  for (const [name, text] of Object.entries(given.keyLogs ?? {})) keys.addKeyLog(name, parseKeyLog(text).keyLog);
  const timelines: Timeline[] = [];
  for (const [name, bytes] of Object.entries(given.captures ?? {})) {
    const opened = await openCapture(once(bytes));
    if (!opened.ok) throw new Error(`${name}: ${opened.error.message}`);
    const { format } = opened.value;
    const observer = new KeyedObserver(nodeCrypto, keys);
    const run = new CaptureRun({ id: name, name, format, keys, observer, problem: () => {} });
    const timeline = await runCapture(opened.value, run);
    timelines.push({ ...timeline, damage: [...timeline.damage, ...(given.damage ?? [])] });
  }
  return buildWorld(timelines, keys, new Map(Object.entries(given.at ?? {})));
}

export async function findingsOf(rules: readonly AnyRule[], given: Given): Promise<readonly Finding[]> {
  return runRules(rules, await worldOf(given)).findings;
}

/** `error key-mismatch: …`, for comparing at a glance. */
export function said(findings: readonly Finding[]): string[] {
  return findings.map(({ rule, severity, message }) => `${severity} ${rule.name}: ${message}`);
}

export function ruleNames(findings: readonly Finding[]): string[] {
  return findings.map(({ rule }) => rule.name);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
