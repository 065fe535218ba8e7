/** With helpers that are ahead, behind or asleep, a diagnosis and its events are those of one thread. */
import { describe, expect, test } from 'vitest';
import { concatAll } from '../../src/base/bytes.ts';
import { Desk } from '../../src/crypto/ahead/desk.ts';
import { Helper } from '../../src/crypto/ahead/helper.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { OpenAhead } from '../../src/crypto/port.ts';
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import { diagnose, type Source } from '../../src/report/diagnose.ts';
import { reportJson } from '../../src/report/json.ts';
import { filesOf, type SimFile } from '../simulation/files.ts';
import { planOf } from '../simulation/plan.ts';
import { Simulation } from '../simulation/simulation.ts';

/** How often the helper looks for work whenever it is called, and whenever something is asked for. */
interface Pace {
  readonly called: number;
  readonly asked: number;
  /** Batches in a row that there is somebody for, then as many that there is nobody for. */
  readonly shift?: number;
}

/** Small, so that a capture has many of them. */
const CHUNK = 2048;

class Staff {
  readonly desk: Desk;
  readonly ahead: OpenAhead;
  opened = 0;
  #helper: Helper | undefined;
  #turn = 0;

  constructor({ called, asked, shift = Number.POSITIVE_INFINITY }: Pace) {
    let batches = 0;
    const desk = new Desk(0, (memory) => {
      this.#helper = new Helper(memory, nodeCrypto);
    });
    const work = (looks: number): void => {
      for (let i = 0; i < looks; i++) this.#helper?.openNext();
    };
    this.desk = desk;
    this.ahead = {
      key: (key) => desk.key(key),
      begin: (frames) => desk.begin(frames) && Math.floor(batches++ / shift) % 2 === 0,
      offer: (...offered) => desk.offer(...offered),
      call: () => {
        desk.call();
        work(called);
      },
      result: (number) => {
        work(asked);
        const result = desk.result(number);
        if (result !== undefined) this.opened++;
        return result;
      },
      turn: () => desk.turn(),
      close: () => desk.close(),
    };
  }

  /** In place of a chunk that has gone by, as files are read. */
  source(name: string, bytes: Uint8Array, inRoom: boolean): Source {
    const place = (length: number): Uint8Array => {
      if (!inRoom) return new Uint8Array(length);
      this.#turn = (this.#turn + 1) % 4;
      return this.desk.room.subarray(this.#turn * CHUNK, this.#turn * CHUNK + length);
    };
    return {
      name,
      async *open() {
        for (let at = 0; at < bytes.length; at += CHUNK) {
          const part = bytes.subarray(at, at + CHUNK);
          const chunk = place(part.length);
          chunk.set(part);
          yield chunk;
        }
      },
    };
  }
}

interface Told {
  readonly report: string;
  readonly events: string;
}

async function tell(sources: readonly Source[], ahead?: OpenAhead): Promise<Told> {
  const lines: Uint8Array[] = [];
  const { report } = await diagnose(sources, {
    crypto: fastestOnNode(),
    onLines: (bytes) => void lines.push(bytes.slice()),
    ...(ahead === undefined ? {} : { ahead }),
  });
  return { report: reportJson(report), events: new TextDecoder().decode(concatAll(lines)) };
}

const PACES: readonly (readonly [string, Pace, boolean])[] = [
  ['far ahead, in place', { called: 1000, asked: 0 }, true],
  ['far ahead, by copies', { called: 1000, asked: 0 }, false],
  ['a little behind', { called: 1, asked: 1 }, true],
  ['in shifts', { called: 1000, asked: 0, shift: 3 }, true],
  ['asleep', { called: 0, asked: 0 }, true],
];

/** With the keys that open all of it: many peers and sessions, losses, copies, forgeries, addresses that change. */
const NETWORKS = (
  [
    [8, 'clean', 'server'],
    [11, 'rough', 'server'],
    [23, 'wild', 'both'],
    [25, 'wild', 'server'],
    [31, 'rough', 'both'],
  ] as const
).map(([seed, weather, view]) => {
  const plan = planOf(seed, weather, 'brief');
  return [`${seed}, ${weather}, ${view}`, filesOf(plan, new Simulation(plan).run(), view, true)] as const;
});

const sourcesOf = (files: readonly SimFile[], staff: Staff, inRoom: boolean): Source[] =>
  files.map(({ name, bytes }) => staff.source(name, bytes, inRoom));

describe.each(PACES)('helpers %s', (name, pace, inRoom) => {
  test.each(NETWORKS)('%s', async (_, files) => {
    const staff = new Staff(pace);
    const plain = await tell(sourcesOf(files, staff, false));
    const helped = await tell(sourcesOf(files, staff, inRoom), staff.ahead);
    expect(helped).toEqual(plain);
    if (name === 'asleep') expect(staff.opened).toBe(0);
    else expect(staff.opened).toBeGreaterThan(10);
  });
});
