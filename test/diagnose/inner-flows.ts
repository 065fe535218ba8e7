/** Conversations inside a tunnel for rule tests, and what the rules say of them. */
import { rules } from '../../src/diagnose/registry.ts';
import type { Finding } from '../../src/diagnose/run.ts';
import { ping, pong, type Tunnel } from './inside.ts';
import { findingsOf, type Given } from './world.ts';

/** Everything above information, and what these rules inform of. */
export async function told(given: Given, ...informs: readonly string[]): Promise<readonly Finding[]> {
  const found = await findingsOf(rules, given);
  return found.filter(({ rule, severity }) => severity !== 'info' || informs.includes(rule.name));
}

/** Of this rule, as `error proven`. */
export async function levels(rule: string, given: Given): Promise<string[]> {
  const found = await told(given, rule);
  return found.flatMap((finding) => (finding.rule.name === rule ? [`${finding.severity} ${finding.certainty}`] : []));
}

/** One a second, each answered. */
export function pings(on: Tunnel, from: string, to: string, count: number, ttl?: number): Tunnel {
  for (let i = 0; i < count; i++) {
    on.there(ping(from, to), 1).back(pong(to, from, ttl === undefined ? {} : { ttl }), 0.002);
  }
  return on;
}

/** One a second. */
export function asks(on: Tunnel, from: string, to: string, count: number): Tunnel {
  for (let i = 0; i < count; i++) on.there(ping(from, to), 1);
  return on;
}

/** One a second, none answered: the other end says with keepalives that it has them. */
export function unanswered(on: Tunnel, from: string, to: string, count: number): Tunnel {
  for (let i = 1; i <= count; i++) {
    on.there(ping(from, to), 1);
    if (i % 11 === 0) on.back(new Uint8Array(0), 0.001);
  }
  return on.wait(9).back(new Uint8Array(0), 0.5);
}
