import { test } from 'vitest';
import { readdirSync, readFileSync } from 'node:fs';
import { planOf } from '../plan.ts';
test('x', () => {
  for (const d of readdirSync('/tmp/sim-cases').filter((x) => x.startsWith('rough'))) {
    const [, s, v] = d.split('-');
    const plan = planOf(Number(s), 'rough');
    const f = readFileSync(`/tmp/sim-cases/${d}/findings.txt`, 'utf8').split('\n');
    const bad = f.map((l, i) => [l, f[i + 1]]).filter(([l]) => /^(error|warning)/.test(l) && !/packet-loss|crossing/.test(l));
    if (bad.length === 0) continue;
    console.log(s, v, plan.incidents.map((i) => `${i.what} ${i.host} ${Math.round(i.atMs/1000)}`).join(','), 'end', plan.endMs / 1000, 'loss', (plan.conditions.loss * 100).toFixed(1), 'delay', plan.conditions.delayMs, plan.conditions.jitterMs, 'late', (plan.conditions.late*100).toFixed(1), plan.conditions.lateMs, '\n    ' + bad.map((x) => x.join(' ')).join('\n    '));
  }
});
