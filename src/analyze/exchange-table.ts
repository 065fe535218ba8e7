/** The exchanges of one capture: found by index, by initiation and by initiator; of very many the old ones are folded away. */
import { toHex } from '../base/bytes.ts';
import type { Exchange, Seen } from './timeline.ts';

/** Exchanges kept per capture, with their sessions about 5 KiB each. */
export const EXCHANGES_LIMIT = 20_000;

export class ExchangeTable {
  readonly all: Exchange[] = [];
  retired = 0;
  /** `canonical initiator#index` → exchange. */
  readonly #byIndex = new Map<string, Exchange>();
  readonly #latestBy = new Map<string, Exchange>();
  /** By index and ephemeral of the initiation. */
  readonly #byStart = new Map<string, Exchange>();

  add(exchange: Exchange): void {
    this.all.push(exchange);
    this.#byIndex.set(indexKey(exchange), exchange);
    this.#latestBy.set(exchange.initiatorName, exchange);
    if (exchange.initiation !== undefined) this.#byStart.set(startKey(exchange.initiation), exchange);
    if (this.all.length > EXCHANGES_LIMIT) this.#fold();
  }

  /** Of the initiator with this canonical name, under this index of its own. */
  withIndex(initiator: string, index: number): Exchange | undefined {
    return this.#byIndex.get(`${initiator}#${index}`);
  }

  /** That an initiation with this index and ephemeral began. */
  begunBy(initiation: Seen): Exchange | undefined {
    return this.#byStart.get(startKey(initiation));
  }

  latestOf(initiator: string): Exchange | undefined {
    return this.#latestBy.get(initiator);
  }

  /** Folds a tenth away: of the older half those that worked, since the others are what is asked about. */
  #fold(): void {
    const half = this.all.splice(0, EXCHANGES_LIMIT / 2);
    const kept = half.filter((exchange) => exchange.confirmed === undefined);
    const spare = kept.splice(0, Math.max(0, kept.length - (half.length - EXCHANGES_LIMIT / 10)));
    this.all.unshift(...kept);
    for (const old of [...half.filter((exchange) => exchange.confirmed !== undefined), ...spare]) {
      this.retired++;
      // by the name that it was put there with: another may have come since
      const index = indexKey(old);
      if (this.#byIndex.get(index) === old) this.#byIndex.delete(index);
      if (this.#latestBy.get(old.initiatorName) === old) this.#latestBy.delete(old.initiatorName);
      if (old.initiation !== undefined) this.#byStart.delete(startKey(old.initiation));
    }
  }
}

const indexKey = ({ initiatorName, initiatorIndex }: Exchange): string => `${initiatorName}#${initiatorIndex}`;
const startKey = ({ bytes }: Seen): string => toHex(bytes.subarray(4, 40));
