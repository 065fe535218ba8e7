/** What repeats without an end is counted, and no more of it is kept than says what it is. */
import { expect, test } from 'vitest';
import { Scene } from '../diagnose/scene.ts';

const CLIENT = '10.0.0.2:5000';
const SERVER = '198.51.100.10:51820';

test('a loop that brings one datagram back thousands of times', () => {
  const scene = new Scene('a').initiation(0, CLIENT, SERVER, 7);
  for (let i = 1; i <= 5000; i++) scene.initiation(i / 100_000, CLIENT, SERVER, 7);
  scene.data(1, CLIENT, SERVER, 9, 0);
  for (let i = 1; i <= 5000; i++) scene.data(1 + i / 100_000, CLIENT, SERVER, 9, 0);
  const { exchanges, duplicates } = scene.finish();
  // each is held against the one before it, so that a loop of any length is one datagram
  expect(duplicates.count).toBe(10_000);
  expect(exchanges).toHaveLength(1);
  const copies = exchanges[0]?.initiation?.copies ?? [];
  expect(copies.length).toBeLessThan(20);
  expect(copies.at(-1)?.at.frame).toBe(5001);
});

test('an initiation that is played back again and again', () => {
  const scene = new Scene('a');
  for (let i = 0; i < 3000; i++) scene.initiation(2 * i, CLIENT, SERVER, 7);
  const [exchange] = scene.finish().exchanges;
  expect(exchange?.replayCount).toBe(2999);
  expect(exchange?.replays.length).toBeLessThan(20);
});

test('one index at many places, as something else than WireGuard has it', () => {
  const scene = new Scene('a');
  for (let i = 0; i < 20_000; i++) {
    const [from, to] = [`10.1.${i >> 8}.${i & 255}:51820`, `10.2.${i >> 8}.${i & 255}:${1024 + i}`];
    scene.data(i / 1000, from, to, 9, i);
  }
  const { sessions, retired } = scene.finish();
  expect(sessions.length + retired).toBeGreaterThan(1000);
  expect(sessions.length).toBeLessThanOrEqual(10_000);
});

test('very many sessions of many lengths: fewer runs for each, and nothing is miscounted', () => {
  const scene = new Scene('a');
  for (let i = 0; i < 40; i++) {
    for (let n = 0; n < 5000; n++) scene.data(i, CLIENT, SERVER, n + 1, i, { length: 64 + 16 * ((i * 7) % 5) });
  }
  const { sessions } = scene.finish();
  const runs = sessions.flatMap(({ toResponder }) => toResponder?.runs ?? []);
  expect(runs).toHaveLength(5000);
  expect(new Set(runs.map(({ seen, missing, high }) => `${seen} ${missing} ${high}`))).toEqual(new Set(['40 0 39']));
  expect(runs.reduce((sum, one) => sum + one.runs.length, 0)).toBeLessThan(180_000);
});
