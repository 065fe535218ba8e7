/** The conversations of all pairs of a capture together, of which only so many are kept. */
import { compareTime } from '../../base/time.ts';
import type { FrameId } from '../timeline.ts';
import { directionIn, flowHash, type InnerFlow, newFlow } from './flow.ts';
import { flowsOf, type InnerPair } from './pair.ts';
import type { InnerReader } from './read.ts';

/** About 600 bytes each. */
export const FLOWS_LIMIT = 20_000;

export class FlowTable {
  readonly #limit: number;
  #count = 0;
  readonly #pairs: ReadonlyMap<string, InnerPair>;

  /** `pairs` are all that have flows. */
  constructor(pairs: ReadonlyMap<string, InnerPair>, limit = FLOWS_LIMIT) {
    this.#pairs = pairs;
    this.#limit = limit;
  }

  find(pair: InnerPair, reader: InnerReader): InnerFlow | undefined {
    let flow = pair.flows.get(flowHash(reader));
    while (flow !== undefined && directionIn(flow, reader) === undefined) flow = flow.next;
    return flow;
  }

  /** A flow that was not there. */
  add(pair: InnerPair, reader: InnerReader, by: 0 | 1): InnerFlow {
    const flow = newFlow(reader, by);
    this.#link(pair, flow, flowHash(reader));
    if (++this.#count > this.#limit) this.#fold(flow);
    return flow;
  }

  #link({ flows }: InnerPair, flow: InnerFlow, hash: number): void {
    flow.next = flows.get(hash);
    flows.set(hash, flow);
  }

  /** A tenth goes: first those that were answered, for the others are what is asked about; the oldest first. */
  #fold(fresh: InnerFlow): void {
    const all: { pair: InnerPair; flow: InnerFlow; well: boolean; last: FrameId | undefined }[] = [];
    for (const pair of this.#pairs.values()) {
      for (const flow of flowsOf(pair)) {
        if (flow === fresh) continue;
        all.push({ pair, flow, well: isWell(flow), last: latest(flow) });
      }
    }
    all.sort((a, b) => Number(b.well) - Number(a.well) || compareLast(a.last, b.last));
    const gone = new Set<InnerFlow>();
    for (const { pair, flow } of all.slice(0, Math.max(1, this.#limit / 10))) {
      pair.folded.flows++;
      pair.folded.packets += flow.there.packets + flow.back.packets;
      gone.add(flow);
    }
    for (const pair of this.#pairs.values()) keepOthers(pair, gone);
    this.#count -= gone.size;
  }
}

/** Answered, and nothing about it to be asked. */
function isWell({ there, back, bounced, errors }: InnerFlow): boolean {
  const trouble = [there, back].some(({ tcp }) => tcp?.again !== undefined || tcp?.hole !== undefined);
  return back.packets > 0 && bounced === 0 && errors === 0 && !trouble;
}

function latest({ there, back }: InnerFlow): FrameId | undefined {
  return compareLast(there.last, back.last) > 0 ? there.last : back.last;
}

function compareLast(a: FrameId | undefined, b: FrameId | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return compareTime(a.time, b.time);
}

function keepOthers({ flows }: InnerPair, gone: ReadonlySet<InnerFlow>): void {
  for (const [hash, first] of flows) {
    let head: InnerFlow | undefined;
    for (let flow: InnerFlow | undefined = first; flow !== undefined; ) {
      const { next }: InnerFlow = flow;
      if (!gone.has(flow)) {
        flow.next = head;
        head = flow;
      }
      flow = next;
    }
    if (head === undefined) flows.delete(hash);
    else flows.set(hash, head);
  }
}
