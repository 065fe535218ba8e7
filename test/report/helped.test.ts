/** With helpers that are ahead, behind or asleep, a diagnosis and its events are those of one thread. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, concatAll } from '../../src/base/bytes.ts';
import { Desk } from '../../src/crypto/ahead/desk.ts';
import { Helper } from '../../src/crypto/ahead/helper.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { OpenAhead } from '../../src/crypto/port.ts';
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import { fileSourceIn } from '../../src/io/files.ts';
import { diagnose, type Source } from '../../src/report/diagnose.ts';
import { reportJson } from '../../src/report/json.ts';
import { bytesSource } from '../scenarios/lab.ts';
import { filesOf } from '../simulation/files.ts';
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

  /** Room for four chunks. */
  get room(): Uint8Array {
    return this.desk.room.subarray(0, 4 * CHUNK);
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

/** As after a loss of power: longer than all that is kept of a file at once. */
function withHoles(bytes: Uint8Array): Uint8Array {
  const third = Math.floor(bytes.length / 3);
  const hole = new Uint8Array(6 * CHUNK);
  return concat(
    bytes.subarray(0, third),
    hole,
    bytes.subarray(third, 2 * third),
    hole,
    bytes.subarray(2 * third),
    hole,
  );
}

/** With the keys that open all of it: many peers and sessions, losses, copies, forgeries, addresses that change. */
const NETWORKS = (
  [
    [8, 'clean', 'server', ''],
    [8, 'clean', 'both', 'with holes'],
    [11, 'rough', 'server', 'packed'],
    [23, 'wild', 'both', ''],
    [25, 'wild', 'server', 'with holes'],
    [31, 'rough', 'both', 'packed'],
  ] as const
).map(([seed, weather, view, form]) => {
  const plan = planOf(seed, weather, 'brief');
  const files = filesOf(plan, new Simulation(plan).run(), view, true).map(({ name, bytes }) => {
    const isCapture = name.endsWith('.pcap');
    if (form === 'packed' && isCapture) return { name, bytes: new Uint8Array(gzipSync(bytes, { level: 0 })) };
    return { name, bytes: form === 'with holes' && isCapture ? withHoles(bytes) : bytes };
  });
  return [`${seed}, ${weather}, ${view} ${form}`, files] as const;
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wgwhy-helped-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(PACES)('helpers %s', (name, pace, inRoom) => {
  test.each(NETWORKS)('%s', async (_, files) => {
    const staff = new Staff(pace);
    const elsewhere = new Uint8Array(4 * CHUNK);
    const plain = await tell(files.map((file) => bytesSource(file.name, file.bytes)));
    const sources = files.map((file) => {
      const path = join(folder, file.name);
      writeFileSync(path, file.bytes);
      // elsewhere than in the memory of the helpers, which then get copies
      const { open } = fileSourceIn(path, inRoom ? staff.room : elsewhere);
      return { name: file.name, open };
    });
    expect(await tell(sources, staff.ahead)).toEqual(plain);
    if (name === 'asleep') expect(staff.opened).toBe(0);
    else expect(staff.opened).toBeGreaterThan(10);
  });
});
