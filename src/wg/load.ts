/** Whether a responder is under load, and so answers with cookies (wp §5.3). */
import type { IpBytes } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import type { LoadRule } from './policy.ts';

const WINDOW_MS = 1000;
/** Sources counted in one second. When there are more, that alone is load. */
const MAX_SOURCES = 4096;

export class LoadGauge {
  readonly #rule: LoadRule;
  #deepAtMs = Number.NEGATIVE_INFINITY;
  #secondFromMs = Number.NEGATIVE_INFINITY;
  /** One entry, '', when all sources count together. */
  readonly #counts = new Map<string, number>();

  constructor(rule: LoadRule) {
    this.#rule = rule;
  }

  /** For each handshake message before anything else: how many wait behind it. */
  noteDepth(depth: number, nowMs: number): void {
    if (this.#rule.kind === 'queue' && depth >= this.#rule.depth) this.#deepAtMs = nowMs;
  }

  /** For each handshake message with a right MAC1, once: it counts the message as well. */
  underLoad(source: IpBytes, nowMs: number): boolean {
    const rule = this.#rule;
    if (rule.kind === 'queue') return nowMs - this.#deepAtMs < rule.holdMs;
    if (nowMs - this.#secondFromMs >= WINDOW_MS) {
      this.#secondFromMs = nowMs;
      this.#counts.clear();
    }
    const key = rule.per === 'device' ? '' : toHex(source);
    const count = (this.#counts.get(key) ?? 0) + 1;
    if (count === 1 && this.#counts.size >= MAX_SOURCES) return true;
    this.#counts.set(key, count);
    return count > rule.perSecond;
  }
}
