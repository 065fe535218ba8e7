/** The handshake by stage, then all four in a row. */
import type { Crypto } from '../src/crypto/port.ts';
import { parties } from './parties.ts';
import { BACKENDS, type Group, type Subject, type Task } from './subject.ts';

function stages(crypto: Crypto): readonly Task[] {
  const { createFirst, consumeFirst, createSecond, consumeSecond, whole } = parties(crypto);
  const first = createFirst();
  const consumed = consumeFirst(first.made.bytes);
  const second = createSecond(consumed);
  const task = (name: string, run: () => void): Task => ({ name, run, ops: 1 });
  return [
    task('create initiation', createFirst),
    task('consume initiation', () => consumeFirst(first.made.bytes)),
    task('create response', () => createSecond(consumed)),
    task('consume response', () => consumeSecond(first, second.bytes)),
    task('whole handshake', whole),
  ];
}

function groups(): readonly Group[] {
  const all = BACKENDS.map((crypto) => ({ name: crypto.name, tasks: stages(crypto) }));
  const names = all[0]?.tasks.map((task) => task.name) ?? [];
  return names.map((name, i) => ({
    name,
    tasks: all.flatMap((backend) => backend.tasks.slice(i, i + 1).map((task) => ({ ...task, name: backend.name }))),
  }));
}

export const handshake: Subject = { name: 'handshake', groups };
