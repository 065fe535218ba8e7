/** Lines that may come by the thousand: each is told or counted, and a flood makes few of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/base/address.ts';
import { LiveDrops } from '../../src/cli/live-drops.ts';
import { Seldom } from '../../src/cli/seldom.ts';
import type { SocketTrouble } from '../../src/io/linux/icmp-error.ts';
import type { Drop } from '../../src/wg/drop.ts';
import { at, clock } from '../wg/harness.ts';

const QUIET_MS = 10_000;
/** Four senders, and the others together. */
const MOST_LINES = 5;

interface Line {
  readonly ms: number;
  readonly kind: 'told' | 'explained' | 'more';
  readonly sort: string;
  readonly sender: string;
  readonly count: number;
}

/** What was written, in a form that can be counted. */
function seldom() {
  const lines: Line[] = [];
  let nowMs = 0;
  const told = new Seldom({
    now: () => clock(nowMs),
    write: (line) => {
      const [kind = '', sort = '', sender = '', count = ''] = line.split('|');
      if (kind !== 'told' && kind !== 'explained' && kind !== 'more') return expect.fail(line);
      lines.push({ ms: nowMs, kind, sort, sender, count: Number(count) });
    },
  });
  return {
    lines,
    told,
    pass: (ms: number): void => {
      nowMs += ms;
    },
    tell: (sort: string, sender: string): void =>
      told.tell({
        sort,
        subject: sender,
        line: () => `told|${sort}|${sender}|1`,
        explanation: () => `explained|${sort}|${sender}|0`,
        more: (count, who) => `more|${sort}|${who}|${count}`,
      }),
  };
}

describe('seldom', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.nat(7).map(String)) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 4000 }) },
    { weight: 1, arbitrary: fc.constant('flush' as const) },
  );

  test('every one is told or counted, and no ten seconds see more than a few lines of a sort', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const { told, tell, pass, lines } = seldom();
        const happened = new Map<string, number>();
        for (const one of steps) {
          if (typeof one === 'number') pass(one);
          else if (one === 'flush') told.flush();
          else {
            const [sort, sender] = one;
            happened.set(sort, (happened.get(sort) ?? 0) + 1);
            tell(sort, sender);
          }
        }
        for (const [i, { ms, sort }] of lines.entries()) {
          const near = lines.slice(i).filter((line) => line.ms < ms + QUIET_MS && line.sort === sort);
          expect(near.filter(({ kind }) => kind !== 'explained').length).toBeLessThanOrEqual(MOST_LINES);
        }
        told.flush(true);
        for (const [sort, count] of happened) {
          const own = lines.filter((line) => line.sort === sort);
          expect(own.reduce((sum, line) => sum + line.count, 0)).toBe(count);
          expect(own.filter(({ kind }) => kind === 'explained')).toHaveLength(1);
          expect(own[0]?.kind).toBe('told');
        }
        const before = lines.length;
        told.flush(true);
        expect(lines.length).toBe(before);
      }),
    );
  });

  test('a new sender is told at once, however much the others send', () => {
    const { tell, lines, pass } = seldom();
    for (let i = 0; i < 1000; i++) {
      tell('a', 'one');
      pass(1);
    }
    tell('a', 'two');
    expect(lines.at(-1)).toMatchObject({ kind: 'told', sender: 'two', ms: 1000 });
  });

  test('after ten seconds the count is told, and as long as it goes on, only that', () => {
    const { told, tell, lines, pass } = seldom();
    for (let i = 0; i < 35; i++) {
      tell('a', 'one');
      pass(1000);
      told.flush();
    }
    told.flush(true);
    expect(lines.map(({ kind, ms, count }) => [kind, ms, count])).toEqual([
      ['told', 0, 1],
      ['explained', 0, 0],
      ['more', 10_000, 9],
      ['more', 20_000, 10],
      ['more', 30_000, 10],
      ['more', 35_000, 5],
    ]);
  });

  test('after ten quiet seconds it is new again, but needs no explanation any more', () => {
    const { tell, lines, pass } = seldom();
    tell('a', 'one');
    pass(QUIET_MS);
    tell('a', 'one');
    expect(lines.map(({ kind }) => kind)).toEqual(['told', 'explained', 'told']);
  });

  test('the fifth sender is told, the sixth only counted, among the others', () => {
    const { told, tell, lines } = seldom();
    for (const sender of ['1', '2', '3', '4', '5', '6', '5']) tell('a', sender);
    told.flush(true);
    expect(lines.filter(({ kind }) => kind === 'told').map(({ sender }) => sender)).toEqual(['1', '2', '3', '4', '5']);
    expect(lines.at(-1)).toMatchObject({ kind: 'more', sender: 'others', count: 2 });
  });
});

describe('drops and ICMP errors', () => {
  const REFUSED: SocketTrouble = {
    code: 'ECONNREFUSED',
    icmp: { family: 4, type: 3, code: 3, from: '192.0.2.1' },
    to: at('192.0.2.1:9'),
  };

  function said(work: (drops: LiveDrops) => void, pages: readonly string[] = []): string[] {
    const lines: string[] = [];
    const drops = new LiveDrops({
      now: () => clock(0),
      name: (key) => `peer ${key}`,
      inWords: ({ kind }) => ({ what: `it was ${kind}`, ...(kind === 'mac1-invalid' ? { fix: 'mend it' } : {}) }),
      write: (line) => lines.push(line),
      hasPage: (finding) => pages.includes(finding),
    });
    work(drops);
    drops.flush(true);
    return lines;
  }

  const MAC1: Drop = { kind: 'mac1-invalid' };
  const GONE: Drop = { kind: 'no-allowed-ip', destination: '192.0.2.5' };
  const from = (text: string): Endpoint => at(text);

  test.each<[string, (drops: LiveDrops) => void, readonly string[]]>([
    [
      'from somebody, with what to do and where to read on',
      (drops) => {
        for (let i = 0; i < 3; i++) drops.add(MAC1, from('192.0.2.1:5'));
      },
      [
        'dropped from 192.0.2.1:5: it was mac1-invalid (mac1-invalid)',
        '  mend it; wgwhy rules wrong-responder-key',
        'dropped: 2 more from 192.0.2.1:5 (mac1-invalid)',
      ],
    ],
    [
      'of this machine, and nothing has to be done',
      (drops) => {
        for (let i = 0; i < 2; i++) drops.add(GONE);
      },
      ['dropped: it was no-allowed-ip (no-allowed-ip)', 'dropped: 1 more to 192.0.2.5 (no-allowed-ip)'],
    ],
    [
      'for several peers, each of which is told',
      (drops) => {
        for (const peer of ['A', 'B', 'A', 'A']) drops.add({ kind: 'no-endpoint', peer });
      },
      [
        'dropped: it was no-endpoint (no-endpoint)',
        'dropped: it was no-endpoint (no-endpoint)',
        'dropped: 2 more to peer A (no-endpoint)',
      ],
    ],
    [
      'no packet at all',
      (drops) => drops.add({ kind: 'peer-is-self', peer: 'A' }),
      ['left out: it was peer-is-self (peer-is-self)'],
    ],
    [
      'datagrams that go in a circle',
      (drops) => {
        for (const to of ['192.0.2.9:1', '[2001:db8::9]:1', '192.0.2.9:1']) drops.addLoop(at(to));
      },
      [
        'dropped: what this tunnel sends to 192.0.2.9:1 was routed into the tunnel itself',
        '  AllowedIPs cover that endpoint: take it out of them, or give it a way of its own: ip route add 192.0.2.9 via GATEWAY',
        'dropped: what this tunnel sends to [2001:db8::9]:1 was routed into the tunnel itself',
        'dropped: 1 more to 192.0.2.9:1 (routed into the tunnel itself)',
      ],
    ],
    [
      'a handshake that has to wait is no news',
      (drops) => drops.add({ kind: 'handshake-suppressed', peer: '', sinceMs: 1 }),
      [],
    ],
    [
      'an ICMP error, however often it comes',
      (drops) => {
        for (let i = 0; i < 100; i++) drops.addTrouble(REFUSED);
      },
      [
        '192.0.2.1 answers ICMP port unreachable (type 3, code 3), about what went to 192.0.2.1:9: nothing listens on that port there',
        '99 more from 192.0.2.1: ICMP port unreachable (type 3, code 3)',
      ],
    ],
    [
      'a trouble of this machine is not that of another',
      (drops) => {
        drops.addTrouble(REFUSED);
        drops.addTrouble({ code: 'ECONNREFUSED', icmp: undefined, to: undefined });
      },
      [
        '192.0.2.1 answers ICMP port unreachable (type 3, code 3), about what went to 192.0.2.1:9: nothing listens on that port there',
        'ICMP port unreachable: nothing listens on that UDP port, or a firewall says so',
      ],
    ],
  ])('%s', (_, work, wanted) => {
    expect(said(work, ['wrong-responder-key'])).toEqual(wanted);
  });

  test('without a page, only what to do; without either, nothing', () => {
    expect(said((drops) => drops.add(MAC1))).toEqual(['dropped: it was mac1-invalid (mac1-invalid)', '  mend it']);
    expect(said((drops) => drops.add(GONE))).toHaveLength(1);
  });
});
