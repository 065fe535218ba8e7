/** The replay window: counters in order, jumbled as a network does it, replayed, and leaping over the whole window. */
import { ReplayWindow } from '../src/wg/replay.ts';
import { must, numbers, type Subject, type Task } from './subject.ts';

const OPS = 4096;

function accepting(name: string, counters: readonly number[]): Task {
  const spread = counters.reduce((most, value) => Math.max(most, value), 0) + 1;
  let window = new ReplayWindow();
  let base = 0;
  const run = (): void => {
    if (base + spread >= 2 ** 32) {
      window = new ReplayWindow();
      base = 0;
    }
    let accepted = 0;
    for (const value of counters) if (window.accept(base + value, 0) === 'ok') accepted++;
    must(accepted === counters.length);
    base += spread;
  };
  return { name, run, ops: counters.length };
}

function replaying(): Task {
  const window = new ReplayWindow();
  for (let i = 0; i < OPS; i++) window.accept(i, 0);
  const run = (): void => {
    let refused = 0;
    for (let i = 0; i < OPS; i++) if (window.accept(i, 0) === 'replayed') refused++;
    must(refused === OPS);
  };
  return { name: 'replayed', run, ops: OPS };
}

function tasks(): readonly Task[] {
  const next = numbers();
  const order = Array.from({ length: OPS }, (_, i) => i);
  // Each counter comes up to 64 places late: far inside the window.
  const late = order.map((value) => ({ value, at: value + (next() & 63) })).sort((a, b) => a.at - b.at);
  const leaps = order.map((value) => value * 10_000);
  return [
    accepting('in order', order),
    accepting(
      'jumbled',
      late.map(({ value }) => value),
    ),
    replaying(),
    accepting('leaps of 10 000', leaps),
  ];
}

export const replay: Subject = { name: 'replay', groups: () => [{ name: 'accept', tasks: tasks() }] };
